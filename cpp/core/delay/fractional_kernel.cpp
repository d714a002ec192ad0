#include "fractional_kernel.hpp"

#include <array>
#include <cstddef>

#include "windowed_sinc.hpp"

namespace forestage {
namespace {

constexpr int phases = fractional_phases;
constexpr int margin = fractional_margin_phases;
constexpr double kaiser_beta = 8.0;
using Kernel = std::array<float, fractional_taps>;

using Table = std::array<Kernel, margin + phases + 1 + margin>;

Table make_table() {
  Table table{};
  for (std::size_t p = 0; p < table.size(); ++p) {
    const double center = fractional_center + (static_cast<double>(p) - margin) / phases;
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

const Kernel* kernels() {
  static const Table table = make_table();
  return table.data() + margin;
}

}  // namespace

const float* fractional_kernels() noexcept { return kernels()->data(); }

void fractional_kernel(double fraction, float* taps) noexcept {
  const double position = fraction * phases;
  const auto phase = static_cast<std::size_t>(position);
  const auto mix = static_cast<float>(position - static_cast<double>(phase));
  const Kernel& a = kernels()[phase];
  const Kernel& b = kernels()[phase + 1];
  for (std::size_t k = 0; k < a.size(); ++k) taps[k] = a[k] + mix * (b[k] - a[k]);
}

}  // namespace forestage
