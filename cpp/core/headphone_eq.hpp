// The equaliser of the listener's headphones. It belongs to the session, not to a preset, and costs no latency and next
// to no work: it is folded into the ear responses of the headphones monitors when a graph is built.
//
//     bands ── biquads at the graph's rate ── impulse response ─────┐
//     curve, or the magnitude of a WAV ── minimum phase at its rate ┴─ [left, right] * ear responses
//
// Biquads: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients" (shelves by Q).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "preset.hpp"

namespace forestage {

enum class EqShape { peaking, low_shelf, high_shelf, low_pass, high_pass, band_pass, notch, all_pass };

struct EqBand {
  EqShape shape = EqShape::peaking;
  float frequency_hz = 1000.0f;  // of the peak, the corner, or halfway up the shelf
  float gain_db = 0.0f;          // of peaks and shelves
  float q = 0.7f;
  std::optional<float> bandwidth_octaves;  // instead of q, where there is one
  bool operator==(const EqBand&) const = default;
};

/// Gain over frequency: straight lines over its logarithm, flat beyond the ends.
struct EqCurve {
  std::vector<float> frequency_hz;  // rising
  std::vector<float> gain_db;
  bool operator==(const EqCurve&) const = default;
};

struct ParametricEq {
  float preamp_db = 0.0f;
  std::vector<EqBand> bands;
  std::optional<EqCurve> curve;
  bool operator==(const ParametricEq&) const = default;
};

using EarEqs = std::array<ParametricEq, 2>;  // left, right
using EarFirs = std::array<Fir, 2>;          // left, right

/// Impulse responses as they were in a file, at its rate. Only their magnitude is used.
struct FirEq {
  int sample_rate = 0;
  EarFirs firs;
  bool operator==(const FirEq&) const = default;
};

struct HeadphoneEq {
  std::string name;
  std::variant<ParametricEq, EarEqs, FirEq> filter;
  bool operator==(const HeadphoneEq&) const = default;
};

// What an equaliser may hold, for whoever reads one.
struct EqRange {
  double min_value;
  double max_value;
};
inline constexpr EqRange eq_frequency_hz{1.0, 96000.0};
inline constexpr EqRange eq_gain_db{-40.0, 40.0};         // of a band and of the preamp
inline constexpr EqRange eq_curve_gain_db{-120.0, 40.0};  // curves may close the band
inline constexpr EqRange eq_q{0.005, 100.0};
inline constexpr EqRange eq_bandwidth_octaves{0.01, 20.0};
inline constexpr std::size_t max_eq_bands = 256;                    // for each ear
inline constexpr std::size_t max_eq_points = 4096;                  // of a curve
inline constexpr std::array<int, 2> eq_sample_rates{8000, 768000};  // lowest, highest of a FirEq
inline constexpr double longest_eq_s = 0.5;                         // of a file, and of what becomes of an equaliser
inline constexpr std::size_t max_eq_frames = 131072;                // of a file

/// Throw std::invalid_argument with a message a user can act on when impulse responses cannot be an equaliser.
void check(const FirEq& eq);
void check_eq_rate(std::int64_t sample_rate);
void check_eq_frames(std::size_t frames, int sample_rate);

/// The equaliser as impulse responses that begin at once; throws as check() does.  [main; allocates]
EarFirs headphone_firs(const HeadphoneEq& eq, int sample_rate);

/// The preset as heard through the equaliser at the rate of its ears, in every place; empty filters leave it alone.
/// Delays stay.  [main; allocates]
Preset equalised(Preset preset, const EarFirs& eq);

}  // namespace forestage
