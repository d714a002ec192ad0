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
  int slices;
  double average_s;
  CenterModel model;
  GainRule rule;
};

constexpr Tuning tunings[] = {
    {0.001, 40, 2, 1, 0.035, {0.35f, 1.9f, 1.2f, 0.5f}, GainRule::wiener},   // low latency
    {0.005, 16, 8, 4, 0.035, {0.35f, 1.9f, 1.2f, 0.43f}, GainRule::wiener},  // high quality
};
constexpr float tile_share = 0.25f;          // of the tile itself in the averages
constexpr double fall_per_synthesis = 0.4;   // how fast the analysis window falls
constexpr double memory_in_averages = 3.0;

const Tuning& tuning_of(UpmixQuality quality) noexcept { return tunings[static_cast<std::size_t>(quality)]; }

/// Rises over the whole frame and falls at its end, both as a quarter of a sine.
std::vector<float> make_analysis_window(const UpmixFrames& frames) {
  const int fall = static_cast<int>(std::lround(fall_per_synthesis * frames.synthesis));
  const int rise = frames.analysis - fall;
  std::vector<float> window(static_cast<std::size_t>(frames.analysis));
  for (int n = 0; n < frames.analysis; ++n) {
    const double phase = n < rise ? (n + 0.5) / rise : (frames.analysis - n - 0.5) / fall;
    window[static_cast<std::size_t>(n)] = static_cast<float>(std::sin(0.5 * std::numbers::pi * phase));
  }
  return window;
}

/// Makes the product with the end of the analysis window a Hann window, whose copies a hop apart sum to one.
std::vector<float> make_synthesis_window(const UpmixFrames& frames, const std::vector<float>& analysis) {
  std::vector<float> window(static_cast<std::size_t>(frames.synthesis));
  const std::size_t start = analysis.size() - window.size();
  const double scale = 2.0 * frames.hop / frames.synthesis / frames.analysis;  // of copies, and of the transforms
  for (std::size_t n = 0; n < window.size(); ++n) {
    const double sine = std::sin(std::numbers::pi * (static_cast<double>(n) + 0.5) / frames.synthesis);
    window[n] = static_cast<float>(scale * sine * sine / static_cast<double>(analysis[start + n]));
  }
  return window;
}

}  // namespace

UpmixFrames upmix_frames(double sample_rate, UpmixQuality quality) noexcept {
  const Tuning& tuning = tuning_of(quality);
  const int hop = std::max(1, static_cast<int>(std::lround(tuning.hop_s * sample_rate / 4.0))) * 4;
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
      average_coefficient_(
          static_cast<float>(1.0 - std::exp(-frames_.hop / (tuning_of(quality).average_s * sample_rate)))),
      memory_frames_(frames_.analysis +
                     static_cast<int>(memory_in_averages * tuning_of(quality).average_s * sample_rate)),
      bins_(frames_.analysis / 2 + 1),
      fft_(frames_.analysis),
      analysis_window_(make_analysis_window(frames_)),
      synthesis_window_(make_synthesis_window(frames_, analysis_window_)),
      slice_frames_(frames_.hop / frames_.slices),
      time_(static_cast<std::size_t>(frames_.analysis)),
      spectrum_(static_cast<std::size_t>(frames_.analysis)) {
  for (float& value : analysis_window_) value *= 0.5f;  // mid and side are half a sum and half a difference
  for (auto* ring : {&left_, &right_, &center_}) ring->resize(static_cast<std::size_t>(frames_.analysis));
  for (auto* lane : {&mid_re_, &mid_im_, &side_re_, &side_im_, &mid_power_, &side_power_, &cross_power_}) {
    lane->resize(static_cast<std::size_t>(bins_));
  }
}

void Upmix::reset() noexcept {
  for (auto* lane : {&left_, &right_, &center_, &mid_re_, &mid_im_, &side_re_, &side_im_, &mid_power_, &side_power_,
                     &cross_power_}) {
    std::ranges::fill(*lane, 0.0f);
  }
  std::ranges::fill(spectrum_, 0.0f);
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
  const int late = (at + frames_.analysis - latency_frames()) % frames_.analysis;
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
  position_ = (position_ + slice_frames_) % frames_.analysis;
  slice_ = (slice_ + 1) % frames_.slices;
  if (slice_ == 0) frame_end_ = position_;
  const int share = stages / frames_.slices;
  for (int stage = slice_ * share; stage < (slice_ + 1) * share; ++stage) run_stage(stage);
}

void Upmix::run_stage(int stage) noexcept {
  switch (stage) {
    case 0:
      return transform();
    case 1:
      return average();
    case 2:
      return rule_ == GainRule::wiener ? weigh<GainRule::wiener>() : weigh<GainRule::magnitude_difference>();
    default:
      return overlap_add();
  }
}

void Upmix::transform() noexcept {
  const auto end = static_cast<std::size_t>(frame_end_);  // the oldest frame of the ring, too
  const std::size_t first = left_.size() - end;
  const auto fill = [&](std::size_t to, std::size_t from, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n) {
      const float w = analysis_window_[to + n];
      time_[to + n] = {w * (left_[from + n] + right_[from + n]), w * (left_[from + n] - right_[from + n])};
    }
  };
  fill(0, end, first);
  fill(first, 0, end);
  fft_.forward(time_.data(), spectrum_.data());
}

/// Mid and side are real, so their spectra are the even and the odd part of the spectrum of mid + i side.
void Upmix::average() noexcept {
  const auto size = spectrum_.size();
  for (std::size_t k = 0; k < static_cast<std::size_t>(bins_); ++k) {
    const std::complex<float> a = spectrum_[k];
    const std::complex<float> b = spectrum_[k == 0 ? 0 : size - k];
    const float mid_re = 0.5f * (a.real() + b.real());
    const float mid_im = 0.5f * (a.imag() - b.imag());
    const float side_re = 0.5f * (a.imag() + b.imag());
    const float side_im = 0.5f * (b.real() - a.real());
    mid_power_[k] += average_coefficient_ * (mid_re * mid_re + mid_im * mid_im - mid_power_[k]);
    side_power_[k] += average_coefficient_ * (side_re * side_re + side_im * side_im - side_power_[k]);
    cross_power_[k] += average_coefficient_ * (mid_re * side_re + mid_im * side_im - cross_power_[k]);
    mid_re_[k] = mid_re;
    mid_im_[k] = mid_im;
    side_re_[k] = side_re;
    side_im_[k] = side_im;
  }
}

template <GainRule rule>
void Upmix::weigh() noexcept {
  const auto mix = [](float average, float tile) { return average + tile_share * (tile - average); };
  const auto size = spectrum_.size();
  for (std::size_t k = 0; k < static_cast<std::size_t>(bins_); ++k) {
    const float mid = mid_re_[k] * mid_re_[k] + mid_im_[k] * mid_im_[k];
    const float side = side_re_[k] * side_re_[k] + side_im_[k] * side_im_[k];
    const float cross = mid_re_[k] * side_re_[k] + mid_im_[k] * side_im_[k];
    const CenterWeights w = center_weights<rule>(
        {mid, side, mix(mid_power_[k], mid), mix(side_power_[k], side), mix(cross_power_[k], cross)}, model_);
    const float re = w.gain * (mid_re_[k] - w.tilt * side_re_[k]);
    const float im = w.gain * (mid_im_[k] - w.tilt * side_im_[k]);
    spectrum_[k] = {re, im};
    spectrum_[k == 0 ? 0 : size - k] = {re, -im};
  }
  spectrum_[0].imag(0.0f);
  spectrum_[size / 2].imag(0.0f);
}

void Upmix::overlap_add() noexcept {
  fft_.backward(spectrum_.data(), time_.data());
  const auto count = synthesis_window_.size();
  const auto size = center_.size();
  const std::size_t start = (static_cast<std::size_t>(frame_end_) + size - count) % size;
  for (std::size_t n = 0; n < count; ++n) {
    const std::size_t to = start + n < size ? start + n : start + n - size;
    center_[to] += synthesis_window_[n] * time_[size - count + n].real();
  }
}

}  // namespace forestage
