#include "fractional_delay.hpp"

#include <cmath>

#include "windowed_sinc.hpp"

namespace forestage {
namespace {

constexpr int phases = 512;  // linear interpolation between them is good to -106 dB
constexpr double kaiser_beta = 8.0;
using Kernel = std::array<float, FractionalDelay::taps>;

std::array<Kernel, phases + 1> make_table() {
  std::array<Kernel, phases + 1> table{};
  for (std::size_t p = 0; p <= phases; ++p) {
    const double center = FractionalDelay::latency - 1 + static_cast<double>(p) / phases;
    double sum = 0.0;
    std::array<double, FractionalDelay::taps> kernel{};
    for (std::size_t k = 0; k < kernel.size(); ++k) {
      kernel[k] = windowed_sinc(static_cast<double>(k) - center, 1.0, FractionalDelay::latency, kaiser_beta);
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

FractionalDelay::FractionalDelay(double max_delay_frames, int max_block_frames)
    : history_(static_cast<int>(std::ceil(max_delay_frames)) + taps + 1, max_block_frames) {
  set_delay(0.0);
}

void FractionalDelay::set_delay(double delay_frames) noexcept {
  if (delay_frames == delay_frames_) return;
  delay_frames_ = delay_frames;
  whole_frames_ = static_cast<int>(delay_frames);
  const double position = (delay_frames - whole_frames_) * phases;
  const auto phase = static_cast<std::size_t>(position);
  const auto mix = static_cast<float>(position - static_cast<double>(phase));
  const Kernel& a = table()[phase];
  const Kernel& b = table()[phase + 1];
  for (std::size_t k = 0; k < kernel_.size(); ++k) kernel_[k] = a[k] + mix * (b[k] - a[k]);
}

void FractionalDelay::process(const float* in, const double* delay_frames, bool is_steady, float* out,
                              int frames) noexcept {
  const float* newest = history_.push(in, frames);
  if (is_steady && frames > 0) {
    set_delay(delay_frames[0]);
    std::fill_n(out, frames, 0.0f);
    for (int k = 0; k < taps; ++k) {
      const float* past = newest - whole_frames_ - 1 - k;
      const float tap = kernel_[static_cast<std::size_t>(k)];
      for (int n = 0; n < frames; ++n) out[n] += tap * past[n];
    }
    return;
  }
  for (int n = 0; n < frames; ++n) {
    set_delay(delay_frames[n]);
    const float* past = newest + n - whole_frames_ - 1;
    float sum = 0.0f;
    for (int k = 0; k < taps; ++k) sum += kernel_[static_cast<std::size_t>(k)] * past[-k];
    out[n] = sum;
  }
}

}  // namespace forestage
