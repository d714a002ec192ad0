// Kaiser-windowed sinc, the interpolation kernel of the fractional delay and of the filter resampler.
#pragma once

#include <cmath>
#include <numbers>

namespace forestage {

/// Low-pass kernel at `t` samples from its centre; `cutoff` relative to Nyquist, zero outside +-half_width.  [pure]
inline double windowed_sinc(double t, double cutoff, double half_width, double kaiser_beta) {
  const double position = t / half_width;
  if (std::abs(position) >= 1.0) return 0.0;
  const double x = std::numbers::pi * cutoff * t;
  const double sinc = (std::abs(x) < 1e-12) ? 1.0 : std::sin(x) / x;
  const double window =
      std::cyl_bessel_i(0.0, kaiser_beta * std::sqrt(1.0 - position * position)) / std::cyl_bessel_i(0.0, kaiser_beta);
  return cutoff * sinc * window;
}

}  // namespace forestage
