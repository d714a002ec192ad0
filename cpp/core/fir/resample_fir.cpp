#include "resample_fir.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

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

constexpr std::ptrdiff_t lanes = simd::dot_lanes;  // rows of weights are whole ones, with zeros at their end

using Dot = float (*)(const float* taps, const float* weights, long count);

float baseline_dot(const float* taps, const float* weights, long count) {
  return simd::dot<simd::Baseline>(taps, weights, count);
}
FORESTAGE_AVX2 float avx2_dot(const float* taps, const float* weights, long count) {
  return simd::dot<simd::Wide>(taps, weights, count);
}

}  // namespace

FirResampler::FirResampler(int from_rate, double from_delay, int to_rate, double to_delay)
    : step_(static_cast<double>(from_rate) / to_rate),
      phases_(static_cast<std::size_t>(to_rate / std::gcd(from_rate, to_rate))),
      period_taps_(from_rate / std::gcd(from_rate, to_rate)),
      from_delay_(from_delay),
      to_delay_(to_delay),
      half_width_(zero_crossings * std::max(1.0, step_)),
      row_taps_((static_cast<std::ptrdiff_t>(2.0 * half_width_) + lanes) / lanes * lanes) {}

void FirResampler::add_row() {
  static const Window window;
  const double at = (static_cast<double>(first_taps_.size()) - to_delay_) * step_ + from_delay_;
  const double cutoff = std::min(1.0, 1.0 / step_);
  const double first = std::ceil(at - half_width_);
  first_taps_.push_back(static_cast<std::ptrdiff_t>(first));
  for (std::ptrdiff_t k = 0; k < row_taps_; ++k) {
    const double t = at - (first + static_cast<double>(k));
    const bool is_within = t >= -half_width_;
    const double weight =
        is_within ? step_ * cutoff * sinc(std::numbers::pi * cutoff * t) * window(t / half_width_) : 0.0;
    weights_.push_back(static_cast<float>(weight));
  }
}

Fir FirResampler::operator()(const Fir& taps) {
  if (taps.empty() || (step_ == 1.0 && from_delay_ == to_delay_)) return taps;
  const auto count = static_cast<std::ptrdiff_t>(taps.size());
  const double last = (static_cast<double>(count) - from_delay_) / step_ + to_delay_;
  const double ringing = zero_crossings * std::max(1.0, 1.0 / step_);
  Fir result(static_cast<std::size_t>(std::ceil(last + ringing)));
  std::vector<float> between_zeros(static_cast<std::size_t>(count + 2 * row_taps_));
  std::ranges::copy(taps, between_zeros.begin() + row_taps_);
  const Dot sum = simd::best(&baseline_dot, &avx2_dot);
  std::size_t phase = 0;
  std::ptrdiff_t passed = 0;  // taps, in whole periods
  for (float& tap : result) {
    if (phase == first_taps_.size()) add_row();
    const std::ptrdiff_t first = first_taps_[phase] + passed;
    if (first > -row_taps_ && first < count) {
      const float* row = weights_.data() + static_cast<std::ptrdiff_t>(phase) * row_taps_;
      tap = sum(between_zeros.data() + row_taps_ + first, row, row_taps_);
    }
    if (++phase == phases_) {
      phase = 0;
      passed += period_taps_;
    }
  }
  return result;
}

}  // namespace forestage
