// Interpolation kernels for delays by a fraction of a frame: 32-tap Kaiser-windowed sinc from a table of phases with
// linear interpolation between them (good to -106 dB); -80 dB up to two thirds of Nyquist, useful to about 0.8 of it.
// Source: Laakso et al., "Splitting the unit delay", IEEE SPM 1996.
#pragma once

namespace forestage {

inline constexpr int fractional_taps = 32;
/// Tap in which a fraction of 0 puts all its weight.
inline constexpr int fractional_center = fractional_taps / 2 - 1;

/// Kernels for fractions of 0, 1 / 512, 2 / 512 .. 1, one behind the other, for loops over many, and so many more in
/// front of them and behind.  [any thread]
inline constexpr int fractional_phases = 512;
inline constexpr int fractional_margin_phases = 16;
const float* fractional_kernels() noexcept;

/// Writes `fractional_taps` taps of a delay of `fractional_center + fraction` frames, 0 <= fraction < 1.  [any thread]
void fractional_kernel(double fraction, float* taps) noexcept;

}  // namespace forestage
