#include "upmix.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forestage {
namespace {

/// One row per quality.
struct Tuning {
  double hop_s;
  int analysis_hops;
  int synthesis_hops;
  int fall_hops;  // how fast the analysis window falls
  int slices;
  double average_s;
  float tile_share;  // of the tile itself in the averages
  CenterModel model;
  GainRule rule;
};

constexpr Tuning tunings[] = {
    {0.0005, 40, 4, 4, 1, 0.050, 0.0f, {0.6f, 2.0f, 0.8f, 0.5f}, GainRule::wiener},   // low latency
    {0.005, 16, 8, 3, 4, 0.050, 0.3f, {0.25f, 2.0f, 0.8f, 0.38f}, GainRule::wiener},  // high quality
};
constexpr double memory_in_averages = 3.0;

const Tuning& tuning_of(UpmixQuality quality) noexcept { return tunings[static_cast<std::size_t>(quality)]; }

/// Rises over the whole frame and falls at its end, both as a quarter of a sine.
std::vector<float> make_analysis_window(const UpmixFrames& frames, int fall) {
  const int rise = frames.analysis - fall;
  std::vector<float> window(static_cast<std::size_t>(frames.analysis));
  for (int n = 0; n < frames.analysis; ++n) {
    const double phase = n < rise ? (n + 0.5) / rise : (frames.analysis - n - 0.5) / fall;
    window[static_cast<std::size_t>(n)] = static_cast<float>(std::sin(0.5 * std::numbers::pi * phase));
  }
  return window;
}

/// Makes the product with the end of the analysis window a squared Hann window, whose copies a hop apart sum to one.
std::vector<float> make_synthesis_window(const UpmixFrames& frames, const std::vector<float>& analysis) {
  std::vector<float> window(static_cast<std::size_t>(frames.synthesis));
  const std::size_t start = analysis.size() - window.size();
  const double scale = frames.hop / (0.375 * frames.synthesis) / frames.analysis;  // of copies, and of the transforms
  for (std::size_t n = 0; n < window.size(); ++n) {
    const double sine = std::sin(std::numbers::pi * (static_cast<double>(n) + 0.5) / frames.synthesis);
    window[n] = static_cast<float>(scale * std::pow(sine, 4) / static_cast<double>(analysis[start + n]));
  }
  return window;
}

}  // namespace

namespace {

bool has_small_factors(int number) noexcept {
  for (const int prime : {2, 3, 5, 7, 11, 13}) {
    while (number % prime == 0) number /= prime;
  }
  return number == 1;
}

}  // namespace

UpmixFrames upmix_frames(double sample_rate, UpmixQuality quality) noexcept {
  const Tuning& tuning = tuning_of(quality);
  // FFTW allocates while it transforms lengths with larger prime factors than it has kernels for
  int slice = std::max(1, static_cast<int>(std::lround(tuning.hop_s * sample_rate / tuning.slices)));
  while (!has_small_factors(slice)) ++slice;
  const int hop = slice * tuning.slices;
  return {hop, tuning.analysis_hops * hop, tuning.synthesis_hops * hop, tuning.slices};
}

int latency_frames(const UpmixFrames& frames) noexcept {
  return frames.synthesis + (frames.slices - 1) * frames.hop / frames.slices;
}

GainRule best_gain_rule(UpmixQuality quality) noexcept { return tuning_of(quality).rule; }

Upmix::Upmix(double sample_rate, UpmixQuality quality, GainRule rule)
    : frames_(upmix_frames(sample_rate, quality)),
      rule_(rule),
      model_(tuning_of(quality).model),
      tile_share_(tuning_of(quality).tile_share),
      average_coefficient_(
          static_cast<float>(1.0 - std::exp(-frames_.hop / (tuning_of(quality).average_s * sample_rate)))),
      memory_frames_(frames_.analysis +
                     static_cast<int>(memory_in_averages * tuning_of(quality).average_s * sample_rate)),
      fft_(frames_.analysis),
      analysis_window_(make_analysis_window(frames_, tuning_of(quality).fall_hops * frames_.hop)),
      synthesis_window_(make_synthesis_window(frames_, analysis_window_)),
      slice_frames_(frames_.hop / frames_.slices),
      ring_frames_(frames_.analysis + frames_.hop),
      time_(static_cast<std::size_t>(frames_.analysis)),
      mid_(time_.size() / 2 + 1),
      side_(mid_.size()) {
  for (float& value : analysis_window_) value *= 0.5f;  // mid and side are half a sum and half a difference
  for (auto* ring : {&left_, &right_, &center_}) ring->resize(static_cast<std::size_t>(ring_frames_));
  for (auto* average : {&mid_power_, &side_power_, &cross_power_}) average->resize(mid_.size());
}

void Upmix::reset() noexcept {
  for (auto* lane : {&left_, &right_, &center_, &mid_power_, &side_power_, &cross_power_}) {
    std::ranges::fill(*lane, 0.0f);
  }
  for (auto* spectrum : {&mid_, &side_}) std::ranges::fill(*spectrum, 0.0f);
  slice_ = filled_ = position_ = frame_end_ = 0;
}

void Upmix::process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept {
  for (int start = 0; start < in.frames;) {
    const int count = std::min(in.frames - start, slice_frames_ - filled_);
    exchange(in, amount, out, start, count);
    start += count;
    filled_ += count;
    if (filled_ == slice_frames_) finish_slice();
  }
}

/// New frames into the rings, old ones out of them. All lengths are whole slices, so no slice wraps around a ring.
void Upmix::exchange(ConstAudioBlock in, const float* amount, AudioBlock out, int start, int count) noexcept {
  const int at = position_ + filled_;
  const int late = (at + ring_frames_ - latency_frames()) % ring_frames_;
  std::copy_n(in[0] + start, count, left_.data() + at);
  std::copy_n(in[1] + start, count, right_.data() + at);
  for (int n = 0; n < count; ++n) {
    const auto from = static_cast<std::size_t>(late + n);
    const float c = amount[start + n] * center_[from];
    center_[from] = 0.0f;
    out[0][start + n] = left_[from] - c;
    out[1][start + n] = right_[from] - c;
    out[2][start + n] = c;
  }
}

void Upmix::finish_slice() noexcept {
  filled_ = 0;
  position_ = (position_ + slice_frames_) % ring_frames_;
  slice_ = (slice_ + 1) % frames_.slices;
  if (slice_ == 0) frame_end_ = position_;
  const int share = stages / frames_.slices;
  for (int stage = slice_ * share; stage < (slice_ + 1) * share; ++stage) run_stage(stage);
}

void Upmix::run_stage(int stage) noexcept {
  switch (stage) {
    case 0:
      return transform(1.0f, mid_.data());
    case 1:
      return transform(-1.0f, side_.data());
    case 2:
      return rule_ == GainRule::wiener ? estimate<GainRule::wiener>() : estimate<GainRule::magnitude_difference>();
    default:
      return overlap_add();
  }
}

/// The frame that ends at frame_end_.
void Upmix::transform(float right_sign, std::complex<float>* spectrum) noexcept {
  const auto start = static_cast<std::size_t>((frame_end_ + ring_frames_ - frames_.analysis) % ring_frames_);
  const std::size_t first = std::min(time_.size(), left_.size() - start);
  const auto fill = [&](std::size_t to, std::size_t from, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      time_[to + n] = analysis_window_[to + n] * (left_[from + n] + right_sign * right_[from + n]);
    }
  };
  fill(0, start, first);
  fill(first, 0, time_.size() - first);
  fft_.forward(time_.data(), spectrum);
}

template <GainRule rule>
void Upmix::estimate() noexcept {
  // Interleaved floats and plain pointers: GCC then sees that the arrays are apart and runs four bins at once.
  float* __restrict mid = reinterpret_cast<float*>(mid_.data());
  const float* __restrict side = reinterpret_cast<const float*>(side_.data());
  float* __restrict mid_power = mid_power_.data();
  float* __restrict side_power = side_power_.data();
  float* __restrict cross_power = cross_power_.data();
  const float coefficient = average_coefficient_;
  const CenterModel model = model_;
  const float tile_share = tile_share_;
  const auto mix = [tile_share](float average, float tile) { return average + tile_share * (tile - average); };
  const std::size_t bins = mid_.size();
  for (std::size_t k = 0; k < bins; ++k) {
    const float mid_re = mid[2 * k], mid_im = mid[2 * k + 1];
    const float side_re = side[2 * k], side_im = side[2 * k + 1];
    const float mm = mid_re * mid_re + mid_im * mid_im;
    const float ss = side_re * side_re + side_im * side_im;
    const float ms = mid_re * side_re + mid_im * side_im;
    mid_power[k] += coefficient * (mm - mid_power[k]);
    side_power[k] += coefficient * (ss - side_power[k]);
    cross_power[k] += coefficient * (ms - cross_power[k]);
    const CenterWeights w =
        center_weights<rule>({mm, ss, mix(mid_power[k], mm), mix(side_power[k], ss), mix(cross_power[k], ms)}, model);
    mid[2 * k] = w.gain * (mid_re - w.tilt * side_re);
    mid[2 * k + 1] = w.gain * (mid_im - w.tilt * side_im);
  }
}

void Upmix::overlap_add() noexcept {
  fft_.backward(mid_.data(), time_.data());
  const auto count = synthesis_window_.size();
  const auto size = center_.size();
  const std::size_t start = (static_cast<std::size_t>(frame_end_) + size - count) % size;
  for (std::size_t n = 0; n < count; ++n) {
    const std::size_t to = start + n < size ? start + n : start + n - size;
    center_[to] += synthesis_window_[n] * time_[time_.size() - count + n];
  }
}

}  // namespace forestage
