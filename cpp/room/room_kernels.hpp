// From images to responses: what a room does to a source with directivity on its way to a receiver with directivity.
//
// Direct form. Patterns a, b are spherical harmonics whose coefficients are FIRs, u is where image i comes from, u'
// where it left the source, w a band-limited delay:
//
//     h[band][source][receiver](t) = sum_i gain_i[band] (a . y(u'_i)) * (b . y(u_i)) * w(t - delay_i)
//
// Tensor form. All images of a mirror leave into u' = -u with the mirror's axes flipped, so y(u') = +-y(u), term by
// term, and products of two harmonics of orders L and M are harmonics of order L + M of the same direction. It is
// enough to gather, per mirror, the moments
//
//     m[band][q](t) = sum_i gain_i[band] y_q(u_i) w(t - delay_i),      q < (L + M + 1)^2
//
// which a sparse matrix (python/forestage/acoustics/room.py) turns into the tensor over pairs of harmonics of Luo
// and Kim, "Fast source-room-receiver acoustics modeling" (EUSIPCO 2020): 8 (L + M + 1)^2 channels instead of
// (L + 1)^2 (M + 1)^2, and each image writes into an eighth of them.
//
// Responses start `lead_frames` before the sound leaves, so that band-limited delays fit.
#pragma once

#include "room/image_model.hpp"

namespace forestage::room {

inline constexpr int lead_frames = 16;

/// Frames that a response must have so that everything that arrives before `end` fits.
constexpr long frames_for(int end) { return lead_frames + static_cast<long>(end) + 40; }

/// +1 or -1: real harmonic (l, m) towards u' over the same towards u.  [pure]
float departure_sign(int l, int m, int mirror) noexcept;

/// Directional patterns: `taps[pattern][tap][harmonic]`. Those that are alike around an axis, degree by degree one
/// function of time, are `taps[pattern][tap][degree]` and `axes[pattern][harmonic]`, the harmonics of each degree.
struct Patterns {
  const float* taps;
  int count;
  int tap_count;
  int order;
  const float* axes = nullptr;
};

/// Adds moments [band][harmonic][frames]. Images that do not fit into `frames` are an error.  [any thread]
void add_moments(const Images& images, int order, float* moments, long frames, const CancelFlag& cancel);

/// Adds responses [band][source][receiver][frames] for one mirror.  [any thread]
void add_responses(const Images& images, int mirror, const Patterns& sources, const Patterns& receivers,
                   float* responses, long frames, const CancelFlag& cancel);

}  // namespace forestage::room
