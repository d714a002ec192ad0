#include "room/spherical_harmonics.hpp"

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace forestage::room {

SphericalHarmonics::SphericalHarmonics(int order) : order_(order) {
  if (order < 0 || order > highest_order) {
    throw std::invalid_argument("order = " + std::to_string(order) + ": must be within 0.." +
                                std::to_string(highest_order));
  }
  double n_mm = 0.5 / std::sqrt(std::numbers::pi);
  for (int m = 0; m <= order; ++m) {
    diagonal_.push_back(n_mm);
    n_mm *= std::sqrt((2.0 * m + 3.0) / (2.0 * m + 2.0)) * (m == 0 ? std::numbers::sqrt2 : 1.0);
  }
  for (int l = 0; l <= order; ++l) {
    for (int m = 0; m <= l; ++m) {
      const double ll = l, mm = m;
      const double span = (ll + 1.0 - mm) * (ll + 1.0 + mm);
      const double up = std::sqrt((2.0 * ll + 1.0) * (2.0 * ll + 3.0) / span);
      const double back =
          l == 0 ? 0.0 : std::sqrt((2.0 * ll + 3.0) * (ll - mm) * (ll + mm) / (span * (2.0 * ll - 1.0)));
      steps_.push_back({up, back});
    }
  }
}

}  // namespace forestage::room
