#include "upmix.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>

#include "shared_by_content.hpp"

namespace forestage {
namespace {

using upmix_kernels::pan_bins;
using upmix_kernels::row_frames;

/// One row per quality.
struct Tuning {
  int hop_frames;  // at 48 kHz
  int analysis_hops;
  int synthesis_hops;
  int fall_hops;       // how fast the analysis window falls
  double spread_hops;  // of the next hop, over which the work on a frame is spread; 0: all at once
  double average_s;
  int weight_turns;  // frames in which all blocks of bins find the weights of the centre once
  int slow_turns;    // and listen to what changes slowly, once
  float tile_share;  // of the tile itself in the averages
  CenterModel model;
};

constexpr Tuning tunings[] = {
    // low latency
    {32, 32, 3, 3, 0.0, 0.050, 2, 4, 0.0f, {0.4f, 0.15f, 6.0f, 1.1f, 0.8f, 0.1f, 100.0f, 0.2f}},
    // high quality
    {256, 16, 7, 2, 0.75, 0.050, 1, 4, 0.2f, {0.0f, 0.3f, 14.0f, 2.1f, 4.0f, 0.1f, 50.0f, 0.6f}},
};
/// Work that is spread comes in as many pieces, besides one for each transform: with those, about as many as a hop at
/// 192 kHz has blocks of 32 frames.
constexpr int fold_pieces = 4, estimate_pieces = 4, unfold_pieces = 4;
/// About what a bin costs; only ratios count.
constexpr int fold_cost = 2, transform_cost = 2, heard_cost = 5, unheard_cost = 1, unfold_cost = 1;
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
  const int blocks = frames.analysis / 2 / pan_bins;
  const double heard = std::ceil(highest_heard_hz / sample_rate * blocks);
  return std::min(static_cast<int>(heard), blocks) * pan_bins;
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

/// A table as upmix_kernels takes it, of complex factor(row, n).
template <class Factor>
AlignedVector<float> make_rows(int rows, int points, const Factor& factor) {
  AlignedVector<float> table;
  for (int start = 0; start < points; start += row_frames) {
    for (int row = 0; row < rows; ++row) {
      for (int n = start; n < start + row_frames; ++n) table.push_back(static_cast<float>(factor(row, n).real()));
      for (int n = start; n < start + row_frames; ++n) table.push_back(static_cast<float>(factor(row, n).imag()));
    }
  }
  return table;
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

}  // namespace

UpmixFrames upmix_frames(double sample_rate, UpmixQuality quality) noexcept {
  const Tuning& tuning = tuning_of(quality);
  const double hop = tuning.hop_frames * std::exp2(std::round(std::log2(sample_rate / 48000.0)));
  const int hop_frames = std::max(1, static_cast<int>(hop));
  return {hop_frames, tuning.analysis_hops * hop_frames, tuning.synthesis_hops * hop_frames,
          static_cast<int>(tuning.spread_hops * hop_frames)};
}

int latency_frames(const UpmixFrames& frames) noexcept { return frames.synthesis + frames.spread; }

Upmix::Tables::Tables(const UpmixFrames& frames, int fall_frames, int parts) : fft(frames.analysis / 2 / parts) {
  const int points = fft.frames(), bins = parts * points, silent = bins - frames.synthesis;
  const auto before = make_analysis_window(frames, fall_frames);
  const auto after = make_synthesis_window(frames, before);
  const auto w = [=](int n) { return std::polar(1.0, -0.5 * std::numbers::pi * n / bins); };
  analysis = make_rows(2 * parts, points, [&](int row, int n) {
    const int at = n + row / 2 * points;
    const int late = row % 2;
    const double half = 0.5 * static_cast<double>(before[static_cast<std::size_t>(at + late * bins)]);
    return half * w(at + late * bins);  // mid and side are half a sum and half a difference; w(bins) is -i
  });
  synthesis = make_rows(parts, points, [&](int row, int n) {
    const int at = n + row * points;
    const double back = at < silent ? 0.0 : static_cast<double>(after[static_cast<std::size_t>(at - silent)]) / bins;
    return back * w(at + bins);
  });
  turns = make_rows(parts - 1, points, [&](int row, int n) { return w(4 * (row + 1) * n); });
}

std::shared_ptr<const Upmix::Tables> Upmix::shared_tables(const UpmixFrames& frames, int fall_frames, int parts) {
  static SharedByContent<Tables> all;
  ContentHash hash;
  hash.add(frames.hop).add(frames.analysis).add(frames.synthesis).add(fall_frames).add(parts);
  return all.get(hash.value(), [&] { return Tables(frames, fall_frames, parts); });
}

Upmix::Upmix(double sample_rate, UpmixQuality quality, GainRule rule)
    : frames_(upmix_frames(sample_rate, quality)),
      rule_(rule),
      model_(tuning_of(quality).model),
      tile_share_(tuning_of(quality).tile_share),
      weight_turns_(rule == GainRule::principal_axis ? tuning_of(quality).weight_turns : 1),
      slow_turns_(tuning_of(quality).slow_turns),
      average_coefficient_(coefficient(weight_turns_ * frames_.hop, tuning_of(quality).average_s * sample_rate)),
      fall_coefficient_(coefficient(frames_.hop, gain_fall_s * sample_rate)),
      leak_coefficient_(coefficient(slow_turns_ * frames_.hop, leak_average_s * sample_rate)),
      pan_coefficient_(coefficient(slow_turns_ * frames_.hop, pan_average_s * sample_rate)),
      memory_frames_(frames_.analysis +
                     static_cast<int>(memory_in_averages * tuning_of(quality).average_s * sample_rate)),
      bins_(frames_.analysis / 2),
      heard_bins_(heard_bins(frames_, sample_rate)),
      loops_(quality == UpmixQuality::low_latency ? &upmix_kernels::best().low_latency
                                                  : &upmix_kernels::best().high_quality),
      tables_(shared_tables(frames_, tuning_of(quality).fall_hops * frames_.hop, loops_->parts)),
      pieces_(make_pieces()),
      piece_(pieces_.size()),
      ring_frames_(frames_.analysis + frames_.hop),
      left_(2 * static_cast<std::size_t>(ring_frames_)),
      right_(left_.size()),
      center_(static_cast<std::size_t>(ring_frames_)) {
  const auto bins = static_cast<std::size_t>(bins_);
  for (auto* spectra : {&mid_, &side_}) spectra->resize(bins + bins / static_cast<std::size_t>(loops_->parts));
  known_.resize(bins / pan_bins);
}

std::vector<Upmix::Piece> Upmix::make_pieces() const {
  const int parts = loops_->parts, points = bins_ / parts;
  std::vector<Piece> pieces;
  std::vector<int> starts{0};  // what all in front of them cost
  const auto cut = [&](Stage stage, int count, int end, int step, const auto& cost_up_to) {
    for (int n = 1, first = 0, last = 0; n <= count; ++n, first = last) {
      while (cost_up_to(last) * count < cost_up_to(end) * n) last += step;
      pieces.push_back({stage, first, last, 0});
      starts.push_back(starts.back() + cost_up_to(last) - cost_up_to(first));
    }
  };
  const auto of_all_parts = [=](int cost) { return [=](int n) { return cost * parts * n; }; };
  const auto of_one = [=](int n) { return transform_cost * points * n; };
  const auto of_estimate = [this](int bin) {
    const int heard = std::min(bin, heard_bins_) + std::max(0, bin - std::max(bins_ - heard_bins_, heard_bins_));
    return heard_cost * heard + unheard_cost * (bin - heard);
  };
  const bool spreads = frames_.spread > 0;
  cut(Stage::fold, spreads ? fold_pieces : 1, points, row_frames, of_all_parts(fold_cost));
  cut(Stage::transform_mid, parts, parts, 1, of_one);
  cut(Stage::transform_side, parts, parts, 1, of_one);
  cut(Stage::estimate, spreads ? estimate_pieces : 1, bins_, pan_bins, of_estimate);
  cut(Stage::transform_back, parts, parts, 1, of_one);
  cut(Stage::unfold, spreads ? unfold_pieces : 1, points, row_frames, of_all_parts(unfold_cost));
  for (std::size_t n = 0; n < pieces.size(); ++n) {
    const double share = static_cast<double>(starts[n]) / starts[pieces.size() - 1];
    pieces[n].due = static_cast<int>(std::lround(frames_.spread * share));
  }
  return pieces;
}

void Upmix::reset() noexcept {
  for (int part = 0; part < reset_parts; ++part) reset_part(part);
}

void Upmix::reset_part(int part) noexcept {
  const auto clear_share = [part]<class Values>(Values& values) {
    const auto at = [&](int of) { return values.begin() + std::ssize(values) * of / reset_parts; };
    std::fill(at(part), at(part + 1), typename Values::value_type{});
  };
  for (auto* ring : {&left_, &right_, &center_}) clear_share(*ring);
  clear_share(known_);
  has_frame_ = has_weights_ = false;
  piece_ = pieces_.size();
  filled_ = position_ = turn_ = 0;
}

void Upmix::process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept {
  for (int start = 0; start < in.frames;) {
    const int until = filled_ < frames_.spread ? frames_.spread : frames_.hop;
    const int count = std::min(in.frames - start, until - filled_);
    if (!has_frame_) touch(count);
    exchange(in, amount, out, start, count);
    start += count;
    filled_ += count;
    if (filled_ == frames_.hop) begin_frame();
    while (piece_ < pieces_.size() && pieces_[piece_].due <= filled_) run(pieces_[piece_++]);
  }
}

/// While the first hop comes in, so does the memory that the work on it needs: all at once it would be most of that.
void Upmix::touch(int frames) const noexcept {
  const auto begin = static_cast<std::size_t>(filled_);
  const auto hop = static_cast<std::size_t>(frames_.hop);
  const std::size_t end = begin + static_cast<std::size_t>(frames);
  const auto touch_share = [=](const auto&... all) { (touch_lines(all, begin, end, hop), ...); };
  touch_share(left_, right_, mid_, side_, known_);
}

/// New frames into the rings, old ones out of them. No part of a hop wraps around a ring, as all lengths are hops but
/// for the latency, at which hops are cut.
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

void Upmix::begin_frame() noexcept {
  has_frame_ = true;
  position_ = (position_ + frames_.hop) % ring_frames_;
  filled_ = 0;
  piece_ = 0;
}

void Upmix::run(const Piece& piece) noexcept {
  switch (piece.stage) {
    case Stage::fold:
      return fold(piece.first, piece.last);
    case Stage::transform_mid:
      return transform(mid_, loops_->parts - piece.last);
    case Stage::transform_side:
      return transform(side_, loops_->parts - piece.last);
    case Stage::estimate:
      return estimate(piece.first, piece.last);
    case Stage::transform_back:
      return tables_->fft.backward(part(mid_, piece.last), part(mid_, piece.first));
    case Stage::unfold:
      return unfold(piece.first, piece.last);
  }
}

/// Each part goes on to the place after it, from the last one on, as none is transformed in its place; and back again.
void Upmix::transform(Spectra& spectra, int from) const noexcept {
  tables_->fft.forward(part(spectra, from), part(spectra, from + 1));
}

std::complex<float>* Upmix::part(Spectra& spectra, int index) const noexcept {
  return spectra.data() + index * tables_->fft.frames();
}

float* Upmix::floats(Spectra& spectra, int index) const noexcept {
  return reinterpret_cast<float*>(part(spectra, index));
}

/// The frame that ends at position_.
void Upmix::fold(int first, int last) noexcept {
  const int start = (position_ + ring_frames_ - frames_.analysis) % ring_frames_;
  loops_->fold({.left = left_.data() + start,
                .right = right_.data() + start,
                .windows = tables_->analysis.data(),
                .turns = tables_->turns.data(),
                .mid = floats(mid_, 0),
                .side = floats(side_, 0),
                .bins = bins_,
                .first = first,
                .last = last});
}

void Upmix::estimate(int first_bin, int last_bin) noexcept {
  const upmix_kernels::Estimate job{.mid = floats(mid_, 1),
                                    .side = floats(side_, 1),
                                    .known = known_.data(),
                                    .first = first_bin,
                                    .last = last_bin,
                                    .bins = bins_,
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
  (rule_ == GainRule::principal_axis ? loops_->principal_axis : loops_->magnitude_difference)(job);
  if (last_bin < bins_) return;
  turn_ = (turn_ + 1) % slow_turns_;
  has_weights_ = true;
}

/// Only the end of the frame is synthesised, which lies in the second half that unfolding gives: without most of the
/// first part, or with the end of the only one.
void Upmix::unfold(int first, int last) noexcept {
  const int parts = loops_->parts, points = bins_ / parts, silent = bins_ - frames_.synthesis;
  std::array<float*, 4> to{};
  for (int n = parts == 1 ? std::max(first, silent) : first, until; n < last; n = until) {
    const int first_part = n < silent ? 1 : 0;
    until = first_part == 0 ? last : std::min(last, silent);
    for (int j = first_part; j < parts; ++j) {
      const int at = (position_ + ring_frames_ + n - (parts - j) * points) % ring_frames_;
      until = std::min(until, n + ring_frames_ - at);  // where the ring begins again
      to[static_cast<std::size_t>(j)] = center_.data() + at;
    }
    loops_->unfold({.spectra = floats(mid_, 0),
                    .windows = tables_->synthesis.data(),
                    .turns = tables_->turns.data(),
                    .to = to.data(),
                    .bins = bins_,
                    .first_part = first_part,
                    .first = n,
                    .last = until});
  }
}

}  // namespace forestage
