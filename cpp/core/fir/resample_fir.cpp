#include "resample_fir.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "simd.hpp"
#include "windowed_sinc.hpp"

namespace forestage {
namespace {

constexpr double zero_crossings = FirResampler::pre_ringing_frames;
constexpr double kaiser_beta = 9.0;

/// The window in a table, as rates without a common divisor need millions of its values: over the square of the
/// position it is so smooth that lines between the points are right to -150 dB.
class Window {
 public:
  Window() {
    for (std::size_t n = 0; n < points_.size(); ++n) {
      points_[n] = kaiser_window(std::sqrt(static_cast<double>(n) / intervals), kaiser_beta);
    }
  }
  /// At a share of the half width, -1..1.
  double operator()(double position) const {
    const double place = position * position * intervals;
    const auto below = std::min(static_cast<std::size_t>(place), points_.size() - 2);
    return std::lerp(points_[below], points_[below + 1], place - static_cast<double>(below));
  }

 private:
  static constexpr std::size_t intervals = 8192;
  std::array<double, intervals + 1> points_{};
};

using Dot = double (*)(const float* taps, const double* weights, std::ptrdiff_t count);

/// Sum of products, in several lanes that are summed at the end.
template <int lanes>
FORESTAGE_INLINE double dot(const float* taps, const double* weights, std::ptrdiff_t count) {
  double sums[lanes] = {};
  std::ptrdiff_t k = 0;
  for (; k + lanes <= count; k += lanes) {
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += static_cast<double>(taps[k + lane]) * weights[k + lane];
  }
  for (; k < count; ++k) sums[0] += static_cast<double>(taps[k]) * weights[k];
  return std::accumulate(sums, sums + lanes, 0.0);
}

double baseline_dot(const float* taps, const double* weights, std::ptrdiff_t count) {
  return dot<4>(taps, weights, count);
}
FORESTAGE_AVX2 double avx2_dot(const float* taps, const double* weights, std::ptrdiff_t count) {
  return dot<16>(taps, weights, count);
}

}  // namespace

FirResampler::FirResampler(int from_rate, double from_delay, int to_rate, double to_delay)
    : step_(static_cast<double>(from_rate) / to_rate),
      phases_(static_cast<std::size_t>(to_rate / std::gcd(from_rate, to_rate))),
      period_taps_(from_rate / std::gcd(from_rate, to_rate)),
      from_delay_(from_delay),
      to_delay_(to_delay) {}

const FirResampler::Weights& FirResampler::weights(std::size_t phase) {
  static const Window window;
  while (cache_.size() <= phase) {
    const double at = (static_cast<double>(cache_.size()) - to_delay_) * step_ + from_delay_;
    const double cutoff = std::min(1.0, 1.0 / step_);
    const double half_width = zero_crossings / cutoff;
    Weights row;
    row.first = static_cast<std::ptrdiff_t>(std::ceil(at - half_width));
    for (auto k = static_cast<double>(row.first); k <= at + half_width; k += 1.0) {
      const double t = at - k;
      row.values.push_back(step_ * cutoff * sinc(std::numbers::pi * cutoff * t) * window(t / half_width));
    }
    cache_.push_back(std::move(row));
  }
  return cache_[phase];
}

Fir FirResampler::operator()(const Fir& taps) {
  if (taps.empty() || (step_ == 1.0 && from_delay_ == to_delay_)) return taps;
  const auto count = static_cast<std::ptrdiff_t>(taps.size());
  const double last = (static_cast<double>(count) - from_delay_) / step_ + to_delay_;
  const double ringing = zero_crossings * std::max(1.0, 1.0 / step_);
  Fir result(static_cast<std::size_t>(std::ceil(last + ringing)));
  const Dot sum = simd::has_avx2() ? avx2_dot : baseline_dot;
  for (std::size_t n = 0; n < result.size(); ++n) {
    const Weights& row = weights(n % phases_);
    const std::ptrdiff_t first = row.first + static_cast<std::ptrdiff_t>(n / phases_) * period_taps_;
    const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, first);
    const std::ptrdiff_t end = std::min(count, first + std::ssize(row.values));
    if (begin >= end) continue;
    result[n] = static_cast<float>(sum(taps.data() + begin, row.values.data() + (begin - first), end - begin));
  }
  return result;
}

}  // namespace forestage
