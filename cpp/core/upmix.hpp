// Low-latency stereo -> left, centre, right.
//
//     M = (L + R)/2, S = (L - R)/2, split into six bands;  per band:  a = clip(Phi_MS / Phi_SS, +-1)
//     C = sum over bands of G (M - a S),   G = Pc / (Pc + Phi_SS - Phi_MS^2 / Phi_SS),   Pc = max(0, Phi_MM - Phi_SS)
//     L' = L - C,  R' = R - C:  the three always sum back to the input.
//
// M - a S is uncorrelated with S: the side is projected out of the mid; G is the Wiener gain of a centre in
// uncorrelated side sound. Derivation: the model L = C + A, R = C + B with A, B, C uncorrelated gives exactly this
// linear MMSE estimate. Bands are differences of parallel low-passes, so that they sum to the input without delay.
#pragma once

#include <array>

#include "blocks.hpp"

namespace forestage {

class Upmix {
 public:
  static constexpr int bands = 6;

  explicit Upmix(double sample_rate);

  /// in = L, R;  out = L', R', C;  `amount` (0..1 per frame) scales what is extracted. out may share lanes 0-1 with in.
  void process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept;
  void reset() noexcept;
  int latency_frames() const noexcept { return 0; }

 private:
  // One lane per band, padded to whole vectors: the six bands run side by side.
  static constexpr std::size_t width = 8;
  using Bands = std::array<float, width>;
  struct LowPass {  // second-order Butterworth state-variable filters (Zavalishin's topology), one per crossover
    Bands integrator1{}, integrator2{};
  };

  float center(float mid, float side) noexcept;
  void split(float x, LowPass& state, Bands& out) const noexcept;

  Bands a1_{}, a2_{}, a3_{};  // filter coefficients
  float average_coefficient_;
  LowPass mid_, side_;
  Bands mid_power_{}, side_power_{}, cross_power_{};
};

}  // namespace forestage
