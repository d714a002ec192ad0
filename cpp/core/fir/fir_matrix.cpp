#include "fir_matrix.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>

#include "fir_tail.hpp"
#include "low_rate_tail.hpp"
#include "shared_by_content.hpp"

namespace forestage {
namespace {

constexpr int cell = fir_kernels::cell;
constexpr int smallest_partition_frames = 16;
constexpr int largest_partition_frames = 8192;
constexpr int frames_before_low_rate = 128;  // of a partition, as a multiple of which the low rate has whole frames
constexpr double low_rate_pays_s = 0.1;      // filters that are longer gain by a low rate for their later taps

/// Paths with sound, up to their last tap that is not zero.
std::vector<FirPath> audible(std::span<const FirPath> paths) {
  std::vector<FirPath> result;
  for (const FirPath& path : paths) {
    std::size_t count = path.taps.size();
    while (count > 0 && path.taps[count - 1] == 0.0f) --count;
    if (count > 0) result.push_back({path.input, path.output, path.taps.first(count)});
  }
  return result;
}

void check(int inputs, int outputs, std::span<const FirPath> paths, int partition_frames) {
  if (inputs < 0 || outputs < 0) {
    throw std::invalid_argument("FIR matrix: " + std::to_string(inputs) + " inputs x " + std::to_string(outputs) +
                                " outputs; neither may be negative");
  }
  for (const FirPath& path : paths) {
    if (path.input >= 0 && path.input < inputs && path.output >= 0 && path.output < outputs) continue;
    throw std::invalid_argument("FIR matrix: path from input " + std::to_string(path.input) + " to output " +
                                std::to_string(path.output) + " lies outside " + std::to_string(inputs) + " inputs x " +
                                std::to_string(outputs) + " outputs");
  }
  if (partition_frames != 0 &&
      (partition_frames < smallest_partition_frames || partition_frames > largest_partition_frames ||
       !std::has_single_bit(static_cast<unsigned>(partition_frames)))) {
    throw std::invalid_argument("FIR matrix: partition_frames = " + std::to_string(partition_frames) +
                                "; give 0 or a power of two from " + std::to_string(smallest_partition_frames) +
                                " to " + std::to_string(largest_partition_frames));
  }
}

/// Lengths of the first level's partitions that calls choose from, the longest last. But for 129 to 512 taps, the first
/// is best over blocks of 32 to 1024 frames together; longer ones take 0.4 to 0.8 of its time where calls cover them.
std::vector<int> first_partitions(int taps) {
  if (taps <= 32) return {32};
  if (taps <= 128) return {64};
  if (taps <= 512) return {32, 64, 128};
  if (taps < 1024) return {128};
  if (taps <= 2048) return {128, 256, 512};
  if (taps <= 4096) return {256, 512};
  return {128, 512, 2048};
}

/// Partition lengths of the levels of each way to cut filters of so many taps that calls up to a length make use of.
std::vector<std::vector<int>> layouts_for(int taps, int longest_call_frames, bool has_low_rate) {
  if (has_low_rate) return {{frames_before_low_rate}};
  std::vector<std::vector<int>> layouts;
  for (const int first : first_partitions(taps)) {
    if (!layouts.empty() && first > longest_call_frames) break;
    layouts.push_back(taps <= 4096 ? std::vector<int>{first} : partition_levels(first, taps));
  }
  return layouts;
}

/// Sets of paths that share no input and no output.
std::vector<std::vector<FirPath>> independent_sets(int inputs, int outputs, std::span<const FirPath> paths) {
  std::vector<int> set_of(count_of(inputs + outputs));  // nodes: inputs, then outputs
  std::iota(set_of.begin(), set_of.end(), 0);
  const auto node = [&](int n) -> int& { return set_of[static_cast<std::size_t>(n)]; };
  for (const FirPath& path : paths) {
    const int from = node(path.input);
    std::replace(set_of.begin(), set_of.end(), from, node(inputs + path.output));
  }
  std::vector<std::vector<FirPath>> by_label(set_of.size());
  for (const FirPath& path : paths) by_label[static_cast<std::size_t>(node(path.input))].push_back(path);
  std::erase_if(by_label, [](const auto& set) { return set.empty(); });
  return by_label;
}

/// Inputs or outputs that paths use, in order.
std::vector<int> lanes_of(std::span<const FirPath> paths, int FirPath::*lane) {
  std::vector<int> lanes;
  for (const FirPath& path : paths) lanes.push_back(path.*lane);
  std::sort(lanes.begin(), lanes.end());
  lanes.erase(std::unique(lanes.begin(), lanes.end()), lanes.end());
  return lanes;
}

/// Sound most often says so with its first frame; the others are looked at all at once.
bool is_silence(const float* samples, int frames) noexcept {
  if (samples[0] != 0.0f) return false;
  int sounding = 0;
  for (int n = 1; n < frames; ++n) sounding |= samples[n] != 0.0f ? 1 : 0;
  return sounding == 0;
}

/// The same paths between places in lists of lanes.
std::vector<FirPath> dense(std::span<const FirPath> paths, const std::vector<int>& inputs,
                           const std::vector<int>& outputs) {
  const auto place = [](const std::vector<int>& lanes, int lane) {
    return static_cast<int>(std::lower_bound(lanes.begin(), lanes.end(), lane) - lanes.begin());
  };
  std::vector<FirPath> result;
  for (const FirPath& path : paths)
    result.push_back({place(inputs, path.input), place(outputs, path.output), path.taps});
  return result;
}

/// From here on taps are played at a lower rate; `low_pass`: null where none are.
int first_low_rate_tap(const RateLowPass* low_pass) {
  return low_pass != nullptr ? LowRateTail::first_tap(*low_pass) : std::numeric_limits<int>::max();
}

/// Levels before the last one end where the next one begins.
std::vector<FirPath> level(std::span<const FirPath> paths,
                           std::span<const std::unique_ptr<PartitionTransform>> transforms, std::size_t l) {
  const int begin = l == 0 ? 0 : FirTail::first_tap(transforms[l]->frames());
  const int end = l + 1 < transforms.size() ? FirTail::first_tap(transforms[l + 1]->frames()) : longest(paths);
  return cut(paths, begin, end);
}

}  // namespace

/// A dense matrix of filters between some inputs and some outputs.
class FirMatrix::Group {
 public:
  Group(std::span<const FirPath> paths, std::span<const std::unique_ptr<PartitionTransform>> transforms,
        FirMemory& memory, const RateLowPass* low_pass);
  void read(ConstAudioBlock in, int offset, int frames) noexcept;
  void write(AudioBlock out, int offset, int frames) noexcept;
  void reset() noexcept;

 private:
  AlignedVector<float> design_direct(std::span<const FirPath> heads) const;
  std::shared_ptr<const AlignedVector<float>> shared_direct(std::span<const FirPath> paths) const;
  void transform_windows() noexcept;
  void prepare_past() noexcept;
  void prepare_past_frames() noexcept;
  void write_direct(AudioBlock out, int offset, int frames) noexcept;
  void write_transformed(AudioBlock out, int offset, int frames) noexcept;
  void next_partition() noexcept;
  void note_silence() noexcept;

  int input_count() const noexcept { return static_cast<int>(inputs_.size()); }
  int output_count() const noexcept { return static_cast<int>(outputs_.size()); }
  int window_stride() const noexcept {
    return 2 * frames_ + cell;
  }  // the direct form reads up to 15 frames past the end
  int past_stride() const noexcept { return frames_ + cell; }
  float* window(int input) noexcept { return windows_->data() + static_cast<long>(input) * window_stride(); }
  float* past(int output) noexcept { return pasts_->data() + static_cast<long>(output) * past_stride(); }

  std::vector<int> inputs_;  // lanes of the matrix
  std::vector<int> outputs_;
  int frames_;            // of a partition
  FirPartitions matrix_;  // the first level
  std::vector<FirTail> tails_;
  std::optional<LowRateTail> low_rate_tail_;
  const fir_kernels::Table* loops_;
  int direct_taps_ = 0;
  int direct_limit_frames_ = 0;                         // calls up to here take the direct form
  std::shared_ptr<const AlignedVector<float>> direct_;  // taps of partition 0, [input][tap][output]
  AlignedVector<float>* windows_;                       // [input]: the previous partition, then the current one
  FirPartitions::Products* past_products_;              // what partitions 1, 2, ... add to the current one
  AlignedVector<float>* pasts_;                         // [output]: the same in frames, for the direct form
  AlignedVector<float>* block_;
  std::vector<float*> direct_outputs_;
  int filled_ = 0;                  // frames of the current partition already here
  std::vector<int> silent_frames_;  // of each input, counted up to what a rest takes
  int active_inputs_;               // the first ones: the others have been silent for so long that nothing is left
  int frames_to_rest_;
  bool past_is_ready_ = false;
  bool past_frames_are_ready_ = false;
};

FirMatrix::Group::Group(std::span<const FirPath> paths, std::span<const std::unique_ptr<PartitionTransform>> transforms,
                        FirMemory& memory, const RateLowPass* low_pass)
    : inputs_(lanes_of(paths, &FirPath::input)),
      outputs_(lanes_of(paths, &FirPath::output)),
      frames_(transforms[0]->frames()),
      matrix_(input_count(), output_count(),
              level(cut(dense(paths, inputs_, outputs_), 0, first_low_rate_tap(low_pass)), transforms, 0),
              *transforms[0], memory),
      loops_(&transforms[0]->loops()),
      direct_taps_(std::min(longest(paths), frames_)),
      direct_(shared_direct(dense(paths, inputs_, outputs_))),
      windows_(&memory.piece(count_of(input_count(), window_stride()))),
      past_products_(&memory.piece(count_of(output_count(), 2 * frames_))),
      pasts_(&memory.piece(count_of(output_count(), past_stride()))),
      block_(&memory.piece(count_of(frames_))),
      direct_outputs_(outputs_.size()),
      silent_frames_(inputs_.size()),
      active_inputs_(input_count()),
      frames_to_rest_((matrix_.partitions() + 2) * frames_) {
  const std::vector<FirPath> places = dense(paths, inputs_, outputs_);
  const std::vector<FirPath> low = cut(places, first_low_rate_tap(low_pass), std::numeric_limits<int>::max());
  if (!low.empty()) low_rate_tail_.emplace(input_count(), output_count(), low, *low_pass, frames_);
  for (std::size_t l = 1; l < transforms.size(); ++l) {
    const std::vector<FirPath> late = level(places, transforms, l);
    if (!late.empty()) tails_.emplace_back(input_count(), output_count(), late, *transforms[l], memory);
  }

  // Rough costs; only their ratio matters, and only to speed. With several partitions, calls in direct form pay for the
  // transforms of a partition, too, a share each.
  const int ins = input_count();
  const int outs = output_count();
  const double transforms_ns = frames_ * 0.75 * (ins + outs);
  const double call_ns = transforms_ns + frames_ * 0.1 * ins * outs;
  double direct_ns_per_frame = direct_taps_ * ins * outs / 45.0;
  if (matrix_.partitions() > 1) direct_ns_per_frame += transforms_ns / frames_;
  direct_limit_frames_ = static_cast<int>(std::min<double>(frames_, call_ns / direct_ns_per_frame));
}

AlignedVector<float> FirMatrix::Group::design_direct(std::span<const FirPath> heads) const {
  AlignedVector<float> direct(count_of(input_count(), direct_taps_, output_count()));
  for (const FirPath& path : heads) {
    for (std::size_t k = 0; k < path.taps.size(); ++k) {
      direct[(count_of(path.input, direct_taps_) + k) * outputs_.size() + count_of(path.output)] += path.taps[k];
    }
  }
  return direct;
}

std::shared_ptr<const AlignedVector<float>> FirMatrix::Group::shared_direct(std::span<const FirPath> paths) const {
  static SharedByContent<AlignedVector<float>> all;
  const std::vector<FirPath> heads = cut(paths, 0, direct_taps_);
  ContentHash hash;
  hash.add(direct_taps_).add(input_count()).add(output_count());
  for (const FirPath& path : heads) hash.add(path.input).add(path.output).add(path.taps);
  return all.get(hash.value(), [&] { return design_direct(heads); });
}

void FirMatrix::Group::read(ConstAudioBlock in, int offset, int frames) noexcept {
  for (int i = 0; i < input_count(); ++i) {
    const float* from = in[inputs_[static_cast<std::size_t>(i)]] + offset;
    int& silent_frames = silent_frames_[static_cast<std::size_t>(i)];
    silent_frames = is_silence(from, frames) ? std::min(silent_frames + frames, frames_to_rest_) : 0;
    if (silent_frames < frames_to_rest_) std::copy_n(from, frames, window(i) + frames_ + filled_);
    for (FirTail& tail : tails_) tail.read(i, from, frames);
    if (low_rate_tail_) low_rate_tail_->read(i, from, frames);
  }
  note_silence();
}

/// Inputs at the end that are silent for so long that all their windows and spectra are zero are left out.
void FirMatrix::Group::note_silence() noexcept {
  active_inputs_ = input_count();
  while (active_inputs_ > 1 && silent_frames_[static_cast<std::size_t>(active_inputs_) - 1] == frames_to_rest_) {
    --active_inputs_;
  }
  matrix_.set_active_inputs(active_inputs_);
}

void FirMatrix::Group::write(AudioBlock out, int offset, int frames) noexcept {
  const bool is_direct = frames <= direct_limit_frames_;
  if (is_direct) {
    write_direct(out, offset, frames);
  } else {
    write_transformed(out, offset, frames);
  }
  for (FirTail& tail : tails_) {
    for (int o = 0; o < output_count(); ++o) {
      tail.add_to(o, out[outputs_[static_cast<std::size_t>(o)]] + offset, frames);
    }
    tail.advance(frames);
  }
  if (low_rate_tail_) {
    for (int o = 0; o < output_count(); ++o) {
      low_rate_tail_->add_to(o, out[outputs_[static_cast<std::size_t>(o)]] + offset, frames);
    }
    low_rate_tail_->advance(frames);
  }
  filled_ += frames;
  if (filled_ < frames_) return;
  if (is_direct && matrix_.partitions() > 1) transform_windows();
  next_partition();
}

void FirMatrix::Group::transform_windows() noexcept {
  for (int i = 0; i < active_inputs_; ++i) matrix_.transform(i, window(i), window(i) + frames_);
  matrix_.store(0, frames_);
}

void FirMatrix::Group::prepare_past() noexcept {
  if (past_is_ready_) return;
  matrix_.multiply_past(*past_products_);
  past_is_ready_ = true;
}

void FirMatrix::Group::prepare_past_frames() noexcept {
  if (past_frames_are_ready_ || matrix_.partitions() == 1) return;
  prepare_past();
  for (int o = 0; o < output_count(); ++o) matrix_.take(*past_products_, o, past(o));
  past_frames_are_ready_ = true;
}

void FirMatrix::Group::write_direct(AudioBlock out, int offset, int frames) noexcept {
  prepare_past_frames();
  for (std::size_t o = 0; o < outputs_.size(); ++o) direct_outputs_[o] = out[outputs_[o]] + offset;
  loops_->direct({.x = windows_->data() + frames_ + filled_,
                  .x_stride = window_stride(),
                  .taps = direct_->data(),
                  .tap_count = direct_taps_,
                  .start = pasts_->data() + filled_,
                  .start_stride = past_stride(),
                  .outputs = direct_outputs_.data(),
                  .frames = frames,
                  .input_count = active_inputs_,
                  .output_count = output_count()});
}

void FirMatrix::Group::write_transformed(AudioBlock out, int offset, int frames) noexcept {
  // Frames that are still to come hold what was there a partition ago; the head is causal and does not hear them.
  transform_windows();
  if (frames == frames_) {
    matrix_.multiply(0, frames_);
  } else {
    prepare_past();
    matrix_.multiply_newest(*past_products_);
  }
  for (int o = 0; o < output_count(); ++o) {
    float* to = out[outputs_[static_cast<std::size_t>(o)]] + offset;
    if (frames == frames_) {
      matrix_.take(o, to);
      continue;
    }
    matrix_.take(o, block_->data());
    std::copy_n(block_->data() + filled_, frames, to);
  }
}

void FirMatrix::Group::next_partition() noexcept {
  for (int i = 0; i < active_inputs_; ++i) std::copy_n(window(i) + frames_, frames_, window(i));
  matrix_.advance();
  filled_ = 0;
  past_is_ready_ = past_frames_are_ready_ = false;
}

void FirMatrix::Group::reset() noexcept {
  std::ranges::fill(*windows_, 0.0f);
  std::ranges::fill(*pasts_, 0.0f);
  matrix_.reset();
  for (FirTail& tail : tails_) tail.reset();
  if (low_rate_tail_) low_rate_tail_->reset();
  std::ranges::fill(silent_frames_, 0);
  filled_ = 0;
  past_is_ready_ = past_frames_are_ready_ = false;
}

FirMatrix::FirMatrix(int inputs, int outputs, std::span<const FirPath> paths, int partition_frames,
                     int longest_call_frames, double sample_rate) {
  check(inputs, outputs, paths, partition_frames);
  const std::vector<FirPath> heard = audible(paths);
  const std::vector<int> heard_outputs = lanes_of(heard, &FirPath::output);
  for (int o = 0; o < outputs; ++o) {
    if (!std::binary_search(heard_outputs.begin(), heard_outputs.end(), o)) silent_outputs_.push_back(o);
  }
  const int taps = longest(heard);
  tail_frames_ = std::max(0, taps - 1);
  const RateLowPass low_pass(sample_rate);
  const bool has_low_rate = partition_frames == 0 && low_pass.divisor() > 1 && taps > low_rate_pays_s * sample_rate;
  if (has_low_rate) tail_frames_ += LowRateTail::ringing_frames(low_pass);
  const auto layouts = partition_frames != 0 ? std::vector<std::vector<int>>{{partition_frames}}
                                             : layouts_for(taps, longest_call_frames, has_low_rate);
  const auto sets = independent_sets(inputs, outputs, heard);
  memories_.resize(sets.size());
  for (const auto& levels : layouts) {
    Layout& layout = layouts_.emplace_back();
    for (const int frames : levels) layout.transforms.push_back(std::make_unique<PartitionTransform>(frames));
    for (std::size_t s = 0; s < sets.size(); ++s) {
      memories_[s].rewind();
      layout.groups.push_back(
          std::make_unique<Group>(sets[s], layout.transforms, memories_[s], has_low_rate ? &low_pass : nullptr));
    }
  }
  choose_layout(largest_partition_frames);
}

FirMatrix::FirMatrix(FirMatrix&&) noexcept = default;
FirMatrix& FirMatrix::operator=(FirMatrix&&) noexcept = default;
FirMatrix::~FirMatrix() = default;

/// Only while all are silent.
void FirMatrix::choose_layout(int frames) noexcept {
  chosen_ = layouts_.size() - 1;
  while (chosen_ > 0 && layouts_[chosen_].partition_frames() > frames) --chosen_;
  partition_frames_ = layouts_[chosen_].partition_frames();
}

void FirMatrix::process(ConstAudioBlock in, AudioBlock out) noexcept {
  if (out.frames == 0) return;
  if (is_fresh_) choose_layout(out.frames);
  is_fresh_ = false;
  const auto& groups = layouts_[chosen_].groups;
  for (int done = 0; done < out.frames;) {
    const int frames = std::min(out.frames - done, partition_frames_ - position_);
    // Every group reads before any writes: outputs may share memory with inputs.
    for (const auto& group : groups) group->read(in, done, frames);
    for (const auto& group : groups) group->write(out, done, frames);
    for (const int o : silent_outputs_) std::fill_n(out[o] + done, frames, 0.0f);
    position_ = (position_ + frames) % partition_frames_;
    done += frames;
  }
}

void FirMatrix::reset() noexcept {
  for (const auto& group : layouts_[chosen_].groups) group->reset();
  position_ = 0;
  is_fresh_ = true;
}

}  // namespace forestage
