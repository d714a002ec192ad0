#include "fractional_kernel.hpp"

#include <array>
#include <cstddef>

#include "windowed_sinc.hpp"

namespace forestage {
namespace {

constexpr int phases = fractional_phases;
constexpr double kaiser_beta = 8.0;
using Kernel = std::array<float, fractional_taps>;

std::array<Kernel, phases + 1> make_table() {
  std::array<Kernel, phases + 1> table{};
  for (std::size_t p = 0; p <= phases; ++p) {
    const double center = fractional_center + static_cast<double>(p) / phases;
    double sum = 0.0;
    std::array<double, fractional_taps> kernel{};
    for (std::size_t k = 0; k < kernel.size(); ++k) {
      kernel[k] = windowed_sinc(static_cast<double>(k) - center, 1.0, fractional_taps / 2, kaiser_beta);
      sum += kernel[k];
    }
    for (std::size_t k = 0; k < kernel.size(); ++k) table[p][k] = static_cast<float>(kernel[k] / sum);
  }
  return table;
}

const std::array<Kernel, phases + 1>& table() {
  static const auto kernels = make_table();
  return kernels;
}

}  // namespace

const float* fractional_kernels() noexcept { return table()[0].data(); }

void fractional_kernel(double fraction, float* taps) noexcept {
  const double position = fraction * phases;
  const auto phase = static_cast<std::size_t>(position);
  const auto mix = static_cast<float>(position - static_cast<double>(phase));
  const Kernel& a = table()[phase];
  const Kernel& b = table()[phase + 1];
  for (std::size_t k = 0; k < a.size(); ++k) taps[k] = a[k] + mix * (b[k] - a[k]);
}

}  // namespace forestage
