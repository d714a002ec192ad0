// Real spherical harmonics, orthonormal over the sphere, without the Condon-Shortley phase; index l*l + l + m:
//
//     y_lm = N_l|m| P_l|m|(z) / sin^|m|  *  Re (x + iy)^m  for m >= 0,  Im (x + iy)^|m|  for m < 0
//
// so that y_00 = 1/sqrt(4 pi), and y_1,-1, y_10, y_11 point along y, z, x. Neither angles nor poles appear.
// Source of the recursion over l: Holmes and Featherstone, J. Geodesy 76 (2002), eq. 11 (without its scaling: the
// powers of sin live in (x + iy)^m).
#pragma once

#include <vector>

#include "simd.hpp"

namespace forestage::room {

constexpr int harmonic_count(int order) { return (order + 1) * (order + 1); }

class SphericalHarmonics {
 public:
  /// Directions that are evaluated together.
  static constexpr int at_once = 8;
  static constexpr int highest_order = 100;

  /// Throws when `order` is negative or above `highest_order`.
  explicit SphericalHarmonics(int order);

  int order() const noexcept { return order_; }
  int count() const noexcept { return harmonic_count(order_); }

  /// values[index * stride + n] at `at_once` unit vectors.  [any thread]
  template <class In, class Float>
  FORESTAGE_INLINE void evaluate(const In* x, const In* y, const In* z, Float* values, long stride) const noexcept {
    double re[at_once], im[at_once];  // (x + iy)^m
    for (int n = 0; n < at_once; ++n) re[n] = 1.0, im[n] = 0.0;
    for (int m = 0; m <= order_; ++m) {
      double last[at_once] = {}, next[at_once];
      for (int n = 0; n < at_once; ++n) next[n] = diagonal_[static_cast<std::size_t>(m)];
      for (int l = m; l <= order_; ++l) {
        Float* cosine = values + static_cast<long>(l * l + l + m) * stride;
        Float* sine = values + static_cast<long>(l * l + l - m) * stride;
        const Step step = steps_[static_cast<std::size_t>(l * (l + 1) / 2 + m)];
        for (int n = 0; n < at_once; ++n) {
          if (m > 0) sine[n] = static_cast<Float>(next[n] * im[n]);
          cosine[n] = static_cast<Float>(next[n] * re[n]);
          const double above = step.up * z[n] * next[n] - step.back * last[n];
          last[n] = next[n];
          next[n] = above;
        }
      }
      for (int n = 0; n < at_once; ++n) {
        const double turned = re[n] * x[n] - im[n] * y[n];
        im[n] = re[n] * y[n] + im[n] * x[n];
        re[n] = turned;
      }
    }
  }

 private:
  struct Step {  // from l - 1 and l to l + 1
    double up, back;
  };
  int order_;
  std::vector<double> diagonal_;  // N_mm
  std::vector<Step> steps_;       // [l (l + 1) / 2 + m]
};

}  // namespace forestage::room
