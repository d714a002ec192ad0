// Kaiser-windowed sinc, the interpolation kernel of the fractional delay and of the filter resampler.
#pragma once

#include <cmath>
#include <numbers>

namespace forestage {

/// Modified Bessel function of the first kind, order 0, by its power series; right to 1e-15 up to x = 20.  [pure]
inline double bessel_i0(double x) {
  const double quarter = 0.25 * x * x;
  double term = 1.0;
  double sum = 1.0;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= quarter / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}

/// Kaiser's window at a share of its half width, -1..1.  [pure]
inline double kaiser_window(double position, double beta) {
  return bessel_i0(beta * std::sqrt(1.0 - position * position)) / bessel_i0(beta);
}

/// sin(x) / x.  [pure]
inline double sinc(double x) { return std::abs(x) < 1e-12 ? 1.0 : std::sin(x) / x; }

/// Low-pass kernel at `t` samples from its centre; `cutoff` relative to Nyquist, zero outside +-half_width.  [pure]
inline double windowed_sinc(double t, double cutoff, double half_width, double kaiser_beta) {
  const double position = t / half_width;
  if (std::abs(position) >= 1.0) return 0.0;
  return cutoff * sinc(std::numbers::pi * cutoff * t) * kaiser_window(position, kaiser_beta);
}

}  // namespace forestage
