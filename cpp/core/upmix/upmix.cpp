#include "upmix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "shared_by_content.hpp"

namespace forestage {
namespace {

/// One row per quality.
struct Tuning {
  int hop_frames;  // at 48 kHz
  int analysis_hops;
  int synthesis_hops;
  int fall_hops;  // how fast the analysis window falls
  int slices;
  double average_s;
  bool remembers;    // the centre that was found: its gains fall slowly, and leaks are taken out
  int weight_turns;  // frames in which all blocks of bins find the weights of the centre once; 1 where it remembers
  int slow_turns;    // and listen to what changes slowly, once
  float tile_share;  // of the tile itself in the averages
  CenterModel model;
};

constexpr Tuning tunings[] = {
    // low latency
    {32, 32, 3, 3, 1, 0.050, false, 2, 4, 0.0f, {0.4f, 0.15f, 6.0f, 1.1f, 0.8f, 0.1f, 100.0f, 0.2f}},
    // high quality
    {256, 16, 7, 2, 8, 0.050, true, 1, 4, 0.2f, {0.0f, 0.3f, 14.0f, 2.1f, 4.0f, 0.1f, 50.0f, 0.6f}},
};
/// When each stage of the work on a frame is done, in eighths of the next hop; without slices all at once.
constexpr std::array stage_eighths{0, 1, 2, 3, 4, 6};
constexpr int due_slice(std::size_t stage, int slices) noexcept { return stage_eighths[stage] * slices / 8; }
constexpr double pan_average_s = 0.8;
constexpr double leak_average_s = 0.8;
constexpr double gain_fall_s = 0.012;
/// Not of averages of pans and leaks: only their ratio counts.
constexpr double memory_in_averages = 3.0;

/// Beyond it nobody hears where sound comes from.
constexpr double highest_heard_hz = 20000.0;

const Tuning& tuning_of(UpmixQuality quality) noexcept { return tunings[static_cast<std::size_t>(quality)]; }

/// Of an average over hops.
float coefficient(int hop_frames, double average_frames) noexcept {
  return static_cast<float>(1.0 - std::exp(-hop_frames / average_frames));
}

/// Up to highest_heard_hz at either end of the spectrum, whose ends are both low frequencies (upmix_kernels.hpp).
int heard_bins(const UpmixFrames& frames, double sample_rate) noexcept {
  const int blocks = frames.analysis / 2 / upmix_kernels::pan_bins;
  const double heard = std::ceil(highest_heard_hz / sample_rate * blocks);
  return std::min(static_cast<int>(heard), blocks) * upmix_kernels::pan_bins;
}

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
  const double scale = frames.hop / (0.375 * frames.synthesis);
  for (std::size_t n = 0; n < window.size(); ++n) {
    const double sine = std::sin(std::numbers::pi * (static_cast<double>(n) + 0.5) / frames.synthesis);
    window[n] = static_cast<float>(scale * std::pow(sine, 4) / static_cast<double>(analysis[start + n]));
  }
  return window;
}

/// Reads a byte of each line of cache from begin / all to end / all of the values; a prefetch is dropped where the page
/// is as cold.
template <class Values>
void touch_lines(const Values& values, std::size_t begin, std::size_t end, std::size_t all) noexcept {
  constexpr std::size_t line_bytes = 64;
  const auto* bytes = reinterpret_cast<const volatile char*>(values.data());
  const std::size_t size = values.size() * sizeof(values[0]);
  for (std::size_t at = size * begin / all; at < size * end / all; at += line_bytes) static_cast<void>(bytes[at]);
}

float* as_floats(AlignedVector<std::complex<float>>& values) noexcept {
  return reinterpret_cast<float*>(values.data());
}

}  // namespace

UpmixFrames upmix_frames(double sample_rate, UpmixQuality quality) noexcept {
  const Tuning& tuning = tuning_of(quality);
  const double hop = tuning.hop_frames * std::exp2(std::round(std::log2(sample_rate / 48000.0)));
  const int slice = std::max(1, static_cast<int>(hop) / tuning.slices);
  const int hop_frames = slice * tuning.slices;
  return {hop_frames, tuning.analysis_hops * hop_frames, tuning.synthesis_hops * hop_frames, tuning.slices};
}

int latency_frames(const UpmixFrames& frames) noexcept {
  return frames.synthesis + due_slice(stage_eighths.size() - 1, frames.slices) * frames.hop / frames.slices;
}

Upmix::Tables::Tables(const UpmixFrames& frames, int fall_frames) : fft(frames.analysis / 2) {
  const auto bins = static_cast<std::size_t>(fft.frames());
  const auto analysis = make_analysis_window(frames, fall_frames);
  const auto synthesis = make_synthesis_window(frames, analysis);
  for (std::size_t n = 0; n < bins; ++n) {
    const auto w = std::polar(1.0, -0.5 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(bins));
    const auto first = 0.5 * static_cast<double>(analysis[n]) * w;  // mid and side are half a sum and half a difference
    const auto second = std::complex(0.0, -0.5 * static_cast<double>(analysis[n + bins])) * w;
    first_re.push_back(static_cast<float>(first.real()));
    first_im.push_back(static_cast<float>(first.imag()));
    second_re.push_back(static_cast<float>(second.real()));
    second_im.push_back(static_cast<float>(second.imag()));
    if (n + synthesis.size() < bins) continue;
    const double back = static_cast<double>(synthesis[n + synthesis.size() - bins]) / static_cast<double>(bins);
    synthesis_re.push_back(static_cast<float>(back * w.imag()));
    synthesis_im.push_back(static_cast<float>(-back * w.real()));
  }
}

std::shared_ptr<const Upmix::Tables> Upmix::shared_tables(const UpmixFrames& frames, int fall_frames) {
  static SharedByContent<Tables> all;
  ContentHash hash;
  hash.add(frames.hop).add(frames.analysis).add(frames.synthesis).add(fall_frames);
  return all.get(hash.value(), [&] { return Tables(frames, fall_frames); });
}

Upmix::Upmix(double sample_rate, UpmixQuality quality, GainRule rule)
    : frames_(upmix_frames(sample_rate, quality)),
      rule_(rule),
      model_(tuning_of(quality).model),
      tile_share_(tuning_of(quality).tile_share),
      remembers_(tuning_of(quality).remembers),
      weight_turns_(rule == GainRule::principal_axis ? tuning_of(quality).weight_turns : 1),
      slow_turns_(tuning_of(quality).slow_turns),
      average_coefficient_(coefficient(weight_turns_ * frames_.hop, tuning_of(quality).average_s * sample_rate)),
      fall_coefficient_(coefficient(frames_.hop, gain_fall_s * sample_rate)),
      leak_coefficient_(coefficient(slow_turns_ * frames_.hop, leak_average_s * sample_rate)),
      pan_coefficient_(coefficient(slow_turns_ * frames_.hop, pan_average_s * sample_rate)),
      memory_frames_(frames_.analysis +
                     static_cast<int>(memory_in_averages * tuning_of(quality).average_s * sample_rate)),
      heard_bins_(heard_bins(frames_, sample_rate)),
      tables_(shared_tables(frames_, tuning_of(quality).fall_hops * frames_.hop)),
      slice_frames_(frames_.hop / frames_.slices),
      ring_frames_(frames_.analysis + frames_.hop),
      left_(2 * static_cast<std::size_t>(ring_frames_)),
      right_(left_.size()),
      center_(static_cast<std::size_t>(ring_frames_)) {
  const auto bins = static_cast<std::size_t>(tables_->fft.frames());
  for (auto* spectrum : {&folded_mid_, &folded_side_, &mid_, &side_}) spectrum->resize(bins);
  known_.resize(bins / upmix_kernels::pan_bins);
}

void Upmix::reset() noexcept {
  for (auto* ring : {&left_, &right_, &center_}) std::ranges::fill(*ring, 0.0f);
  std::ranges::fill(known_, upmix_kernels::KnownBins{});
  has_spectra_ = has_weights_ = false;
  slice_ = filled_ = position_ = frame_end_ = turn_ = 0;
}

void Upmix::process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept {
  for (int start = 0; start < in.frames;) {
    const int count = std::min(in.frames - start, slice_frames_ - filled_);
    if (!has_spectra_) touch(count);
    exchange(in, amount, out, start, count);
    start += count;
    filled_ += count;
    if (filled_ == slice_frames_) finish_slice();
  }
}

/// While the first hop comes in, so does the memory that the work on it needs: all at once it would be most of that.
void Upmix::touch(int frames) const noexcept {
  const auto begin = static_cast<std::size_t>(slice_ * slice_frames_ + filled_);
  const auto hop = static_cast<std::size_t>(frames_.hop);
  const std::size_t end = begin + static_cast<std::size_t>(frames);
  const auto touch_share = [=](const auto&... all) { (touch_lines(all, begin, end, hop), ...); };
  touch_share(left_, right_, folded_mid_, folded_side_, mid_, side_, known_);
}

/// New frames into the rings, old ones out of them. All lengths are whole slices, so no slice wraps around a ring.
void Upmix::exchange(ConstAudioBlock in, const float* amount, AudioBlock out, int start, int count) noexcept {
  const int at = position_ + filled_;
  const int late = (at + ring_frames_ - latency_frames()) % ring_frames_;
  for (const int copy : {at, at + ring_frames_}) {
    std::copy_n(in[0] + start, count, left_.data() + copy);
    std::copy_n(in[1] + start, count, right_.data() + copy);
  }
  const float* left = left_.data() + late;
  const float* right = right_.data() + late;
  float* center = center_.data() + late;
  float* const outputs[] = {out[0] + start, out[1] + start, out[2] + start};
  for (int n = 0; n < count; ++n) outputs[2][n] = amount[start + n] * center[n];
  std::fill_n(center, count, 0.0f);
  for (int n = 0; n < count; ++n) outputs[0][n] = left[n] - outputs[2][n];
  for (int n = 0; n < count; ++n) outputs[1][n] = right[n] - outputs[2][n];
}

void Upmix::finish_slice() noexcept {
  filled_ = 0;
  position_ = (position_ + slice_frames_) % ring_frames_;
  slice_ = (slice_ + 1) % frames_.slices;
  if (slice_ == 0) frame_end_ = position_;
  for (std::size_t stage = 0; stage < stage_eighths.size(); ++stage) {
    if (due_slice(stage, frames_.slices) == slice_) run_stage(stage);
  }
}

void Upmix::run_stage(std::size_t stage) noexcept {
  has_spectra_ = has_spectra_ || stage == 0;
  if (!has_spectra_) return;
  switch (stage) {
    case 0:
      return fold();
    case 1:
      return tables_->fft.forward(folded_mid_.data(), mid_.data());
    case 2:
      return tables_->fft.forward(folded_side_.data(), side_.data());
    case 3:
      return estimate();
    case 4:
      return tables_->fft.backward(folded_mid_.data(), mid_.data());
    default:
      return overlap_add();
  }
}

/// The frame that ends at frame_end_.
void Upmix::fold() noexcept {
  const int start = (frame_end_ + ring_frames_ - frames_.analysis) % ring_frames_;
  loops_->fold({.left = left_.data() + start,
                .right = right_.data() + start,
                .first_re = tables_->first_re.data(),
                .first_im = tables_->first_im.data(),
                .second_re = tables_->second_re.data(),
                .second_im = tables_->second_im.data(),
                .mid = as_floats(folded_mid_),
                .side = as_floats(folded_side_),
                .count = tables_->fft.frames()});
}

void Upmix::estimate() noexcept {
  const upmix_kernels::Estimate job{.mid = as_floats(mid_),
                                    .side = as_floats(side_),
                                    .center = as_floats(folded_mid_),
                                    .known = known_.data(),
                                    .bins = tables_->fft.frames(),
                                    .heard_bins = heard_bins_,
                                    .coefficient = average_coefficient_,
                                    .tile_share = tile_share_,
                                    .fall_coefficient = fall_coefficient_,
                                    .leak_coefficient = leak_coefficient_,
                                    .pan_coefficient = pan_coefficient_,
                                    .weight_turns = weight_turns_,
                                    .slow_turns = slow_turns_,
                                    .turn = turn_,
                                    .is_first = !has_weights_,
                                    .model = model_};
  turn_ = (turn_ + 1) % slow_turns_;
  has_weights_ = true;
  const auto principal_axis = remembers_ ? loops_->principal_axis_remembered : loops_->principal_axis;
  (rule_ == GainRule::principal_axis ? principal_axis : loops_->magnitude_difference)(job);
}

/// Only the end of the frame is synthesised, which lies in the second half that unfolding gives.
void Upmix::overlap_add() noexcept {
  const std::size_t count = tables_->synthesis_re.size();
  const float* bins = as_floats(mid_) + 2 * (mid_.size() - count);
  const std::size_t start = (static_cast<std::size_t>(frame_end_) + center_.size() - count) % center_.size();
  const std::size_t first = std::min(count, center_.size() - start);
  const auto add = [&](std::size_t from, std::size_t to, std::size_t frames) {
    loops_->unfold_add(bins + 2 * from, tables_->synthesis_re.data() + from, tables_->synthesis_im.data() + from,
                       center_.data() + to, static_cast<int>(frames));
  };
  add(0, start, first);
  add(first, 0, count - first);
}

}  // namespace forestage
