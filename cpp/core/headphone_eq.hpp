// The equaliser of the listener's headphones. It belongs to the session, not to a preset, and costs no latency and next
// to no work: it is folded into the ear responses of the headphones monitors when a graph is built.
//
//     bands ── biquads at the graph's rate ── impulse response ─────┐
//     WAV ──── magnitude ── minimum phase at the graph's rate ──────┴─ [left, right] * ear responses
//
// Biquads: R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter coefficients" (shelves by Q).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "preset.hpp"

namespace forestage {

enum class EqShape { peaking, low_shelf, high_shelf };

struct EqBand {
  EqShape shape = EqShape::peaking;
  float frequency_hz = 1000.0f;  // of the peak, or halfway up the shelf
  float gain_db = 0.0f;
  float q = 0.7f;
  bool operator==(const EqBand&) const = default;
};

struct ParametricEq {
  float preamp_db = 0.0f;
  std::vector<EqBand> bands;
  bool operator==(const ParametricEq&) const = default;
};

using EarFirs = std::array<Fir, 2>;  // left, right

/// Impulse responses as they were in a file, at its rate. Only their magnitude is used.
struct FirEq {
  int sample_rate = 0;
  EarFirs firs;
  bool operator==(const FirEq&) const = default;
};

struct HeadphoneEq {
  std::string name;
  std::variant<ParametricEq, FirEq> filter;
  bool operator==(const HeadphoneEq&) const = default;
};

// What an equaliser may hold, for whoever reads one.
struct EqRange {
  double min_value;
  double max_value;
};
inline constexpr EqRange eq_frequency_hz{1.0, 24000.0};
inline constexpr EqRange eq_gain_db{-40.0, 40.0};  // of a band and of the preamp
inline constexpr EqRange eq_q{0.05, 50.0};
inline constexpr std::size_t max_eq_bands = 100;
inline constexpr std::array<int, 2> eq_sample_rates{8000, 192000};  // lowest, highest of a FirEq
inline constexpr double longest_eq_s = 0.5;                         // of a file, and of what becomes of an equaliser

/// Throws std::invalid_argument with a message a user can act on when impulse responses cannot be an equaliser.
void check(const FirEq& eq);

/// The equaliser as impulse responses that begin at once; throws as check() does.  [main; allocates]
EarFirs headphone_firs(const HeadphoneEq& eq, int sample_rate);

/// The preset as heard through the equaliser at the rate of its ears, in every place; empty filters leave it alone.
/// Delays stay.  [main; allocates]
Preset equalised(Preset preset, const EarFirs& eq);

}  // namespace forestage
