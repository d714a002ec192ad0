#include "fir_matrix.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <functional>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <string>

#include "fft.hpp"
#include "fir_kernels.hpp"

namespace forestage {
namespace {

constexpr int cell = kernels::cell;
constexpr int smallest_partition_frames = 16;
constexpr int largest_partition_frames = 8192;

std::size_t count_of(int a, int b = 1, int c = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

/// Taps up to the last one that is not zero.
int audible_taps(std::span<const float> taps) {
  auto count = static_cast<int>(taps.size());
  while (count > 0 && taps[static_cast<std::size_t>(count - 1)] == 0.0f) --count;
  return count;
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

/// Best over blocks of 32 to 1024 frames together. A longer partition wins a little at long blocks and loses more at
/// short ones. Taps alone decide, so that sound does not depend on the block size that a host announces.
int default_partition_frames(int taps) { return taps <= 512 ? 64 : taps <= 2048 ? 128 : 256; }

/// Paths with sound, split into sets that share no input and no output.
std::vector<std::vector<FirPath>> independent_sets(int inputs, int outputs, std::span<const FirPath> paths) {
  std::vector<int> set_of(count_of(inputs + outputs));  // nodes: inputs, then outputs
  std::iota(set_of.begin(), set_of.end(), 0);
  const auto node = [&](int n) -> int& { return set_of[static_cast<std::size_t>(n)]; };
  for (const FirPath& path : paths) {
    if (audible_taps(path.taps) == 0) continue;
    const int from = node(path.input);
    std::replace(set_of.begin(), set_of.end(), from, node(inputs + path.output));
  }
  std::vector<std::vector<FirPath>> by_label(set_of.size());
  for (const FirPath& path : paths) {
    if (audible_taps(path.taps) == 0) continue;
    by_label[static_cast<std::size_t>(node(path.input))].push_back(path);
  }
  std::erase_if(by_label, [](const auto& set) { return set.empty(); });
  return by_label;
}

std::vector<int> sorted_unique(std::vector<int> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace

/// What all groups of a matrix share: the transform with its twist w, and scratch memory.
struct FirMatrix::Transform {
  explicit Transform(int partition_frames)
      : frames(partition_frames),
        fft(partition_frames),
        w_re(count_of(frames)),
        w_im(count_of(frames)),
        folded(count_of(frames)),
        bins(count_of(frames)),
        block(count_of(frames)) {
    for (int n = 0; n < frames; ++n) {
      const double angle = -std::numbers::pi * n / (2.0 * frames);
      w_re[static_cast<std::size_t>(n)] = static_cast<float>(std::cos(angle));
      w_im[static_cast<std::size_t>(n)] = static_cast<float>(std::sin(angle));
    }
  }

  /// 2B frames to B bins in chunks, `stride` floats apart.
  void forward(const float* window, float* cells, long stride) noexcept {
    loops->fold(window, w_re.data(), w_im.data(), reinterpret_cast<float*>(folded.data()), frames);
    fft.forward(folded.data(), bins.data());
    loops->pack(reinterpret_cast<const float*>(bins.data()), cells, stride, frames);
  }

  /// B interleaved bins to the second half of the window they stand for.
  void backward(const std::complex<float>* product, float* to) noexcept {
    fft.backward(product, folded.data());
    loops->unfold(reinterpret_cast<const float*>(folded.data()), w_re.data(), w_im.data(), to, frames);
  }

  const kernels::Table* loops = &kernels::best();
  int frames;
  ComplexFft fft;
  AlignedVector<float> w_re;
  AlignedVector<float> w_im;
  AlignedVector<std::complex<float>> folded;
  AlignedVector<std::complex<float>> bins;
  AlignedVector<float> block;
};

/// A dense matrix of filters between some inputs and some outputs.
class FirMatrix::Group {
 public:
  Group(const std::vector<FirPath>& paths, Transform& transform);
  void read(ConstAudioBlock in, int offset, int frames) noexcept;
  void write(Transform& transform, AudioBlock out, int offset, int frames) noexcept;
  void reset() noexcept;

 private:
  void design(const std::vector<FirPath>& paths, Transform& transform);
  void transform_windows(Transform& transform) noexcept;
  void multiply(Transform& transform, int first, int last) noexcept;
  void prepare_tail(Transform& transform) noexcept;
  void write_direct(Transform& transform, AudioBlock out, int offset, int frames) noexcept;
  void write_transformed(Transform& transform, AudioBlock out, int offset, int frames) noexcept;
  void next_partition() noexcept;

  int input_count() const noexcept { return static_cast<int>(inputs_.size()); }
  int output_count() const noexcept { return static_cast<int>(outputs_.size()); }
  int window_stride() const noexcept {
    return 2 * frames_ + cell;
  }  // the direct form reads up to 7 frames past the end
  int tail_stride() const noexcept { return frames_ + cell; }
  float* window(int input) noexcept { return windows_.data() + static_cast<long>(input) * window_stride(); }
  float* tail(int output) noexcept { return tails_.data() + static_cast<long>(output) * tail_stride(); }

  std::vector<int> inputs_;  // lanes of the matrix
  std::vector<int> outputs_;
  int frames_;  // of a partition
  int partitions_ = 1;
  int head_taps_ = 0;
  int direct_limit_frames_ = 0;   // calls up to here take the direct form
  AlignedVector<float> head_;     // taps of partition 0, [input][tap][output]
  AlignedVector<float> filters_;  // layout: fir_kernels.hpp
  AlignedVector<float> spectra_;
  AlignedVector<float> windows_;                 // [input]: the previous partition, then the current one
  AlignedVector<std::complex<float>> products_;  // [output][bin]
  AlignedVector<float> tails_;                   // [output]: what partitions 1, 2, ... add to the current one
  std::vector<float*> direct_outputs_;
  int slot_ = 0;    // of the current partition in the ring of spectra
  int filled_ = 0;  // frames of the current partition already here
  bool tail_is_ready_ = false;
};

FirMatrix::Group::Group(const std::vector<FirPath>& paths, Transform& transform) : frames_(transform.frames) {
  int taps = 0;
  for (const FirPath& path : paths) {
    inputs_.push_back(path.input);
    outputs_.push_back(path.output);
    taps = std::max(taps, audible_taps(path.taps));
  }
  inputs_ = sorted_unique(inputs_);
  outputs_ = sorted_unique(outputs_);
  partitions_ = (taps + frames_ - 1) / frames_;
  head_taps_ = std::min(taps, frames_);

  const int ins = input_count();
  const int outs = output_count();
  head_.resize(count_of(ins, head_taps_, outs));
  filters_.resize(count_of(2 * frames_, partitions_, ins * outs));
  spectra_.resize(count_of(2 * frames_, partitions_, ins));
  windows_.resize(count_of(ins, window_stride()));
  products_.resize(count_of(outs, frames_));
  tails_.resize(count_of(outs, tail_stride()));
  direct_outputs_.resize(outputs_.size());
  design(paths, transform);

  // Rough costs; only their ratio matters, and only to speed.
  const double transformed_ns = frames_ * (0.75 * (ins + outs) + 0.1 * ins * outs);
  const double direct_ns_per_frame = head_taps_ * ins * outs / 45.0;
  const int most = partitions_ > 1 ? frames_ - 1 : frames_;  // a whole partition pays for its transforms anyway
  direct_limit_frames_ = static_cast<int>(std::min<double>(most, transformed_ns / direct_ns_per_frame));
}

void FirMatrix::Group::design(const std::vector<FirPath>& paths, Transform& transform) {
  const auto index_in = [](const std::vector<int>& sorted, int lane) {
    return static_cast<int>(std::lower_bound(sorted.begin(), sorted.end(), lane) - sorted.begin());
  };
  const int outs = output_count();
  const long chunk = static_cast<long>(partitions_) * input_count() * outs * cell;
  AlignedVector<float> padded(count_of(2 * frames_));
  AlignedVector<float> cells(padded.size());
  for (const FirPath& path : paths) {
    const int input = index_in(inputs_, path.input);
    const int output = index_in(outputs_, path.output);
    const auto taps = path.taps.first(static_cast<std::size_t>(audible_taps(path.taps)));
    for (std::size_t k = 0; k < taps.size() && k < static_cast<std::size_t>(head_taps_); ++k) {
      head_[(static_cast<std::size_t>(input * head_taps_) + k) * outputs_.size() + static_cast<std::size_t>(output)] +=
          taps[k];
    }
    for (int p = 0; p < partitions_; ++p) {
      const auto begin = std::min(count_of(p, frames_), taps.size());
      const auto part = taps.subspan(begin, std::min(count_of(frames_), taps.size() - begin));
      std::fill(padded.begin(), padded.end(), 0.0f);
      std::transform(part.begin(), part.end(), padded.begin(),
                     [&](float tap) { return tap / static_cast<float>(frames_); });
      transform.forward(padded.data(), cells.data(), cell);
      float* to = filters_.data() + ((static_cast<long>(p) * input_count() + input) * outs + output) * cell;
      for (int n = 0; n < 2 * frames_; ++n) to[n / cell * chunk + n % cell] += cells[static_cast<std::size_t>(n)];
    }
  }
}

void FirMatrix::Group::read(ConstAudioBlock in, int offset, int frames) noexcept {
  for (int i = 0; i < input_count(); ++i) {
    std::copy_n(in[inputs_[static_cast<std::size_t>(i)]] + offset, frames, window(i) + frames_ + filled_);
  }
}

void FirMatrix::Group::write(Transform& transform, AudioBlock out, int offset, int frames) noexcept {
  const bool is_direct = frames <= direct_limit_frames_;
  if (is_direct) {
    write_direct(transform, out, offset, frames);
  } else {
    write_transformed(transform, out, offset, frames);
  }
  filled_ += frames;
  if (filled_ < frames_) return;
  if (is_direct && partitions_ > 1) transform_windows(transform);
  next_partition();
}

void FirMatrix::Group::transform_windows(Transform& transform) noexcept {
  const long chunk = static_cast<long>(partitions_) * input_count() * cell;
  for (int i = 0; i < input_count(); ++i) {
    transform.forward(window(i), spectra_.data() + (static_cast<long>(slot_) * input_count() + i) * cell, chunk);
  }
}

void FirMatrix::Group::multiply(Transform& transform, int first, int last) noexcept {
  transform.loops->multiply({.inputs = spectra_.data(),
                             .filters = filters_.data(),
                             .products = reinterpret_cast<float*>(products_.data()),
                             .partition_frames = frames_,
                             .partitions = partitions_,
                             .slot = slot_,
                             .first = first,
                             .last = last,
                             .input_count = input_count(),
                             .output_count = output_count()});
}

void FirMatrix::Group::prepare_tail(Transform& transform) noexcept {
  if (tail_is_ready_ || partitions_ == 1) return;
  multiply(transform, 1, partitions_);
  for (int o = 0; o < output_count(); ++o)
    transform.backward(products_.data() + static_cast<long>(o) * frames_, tail(o));
  tail_is_ready_ = true;
}

void FirMatrix::Group::write_direct(Transform& transform, AudioBlock out, int offset, int frames) noexcept {
  prepare_tail(transform);
  for (std::size_t o = 0; o < outputs_.size(); ++o) direct_outputs_[o] = out[outputs_[o]] + offset;
  transform.loops->direct({.x = windows_.data() + frames_ + filled_,
                           .x_stride = window_stride(),
                           .taps = head_.data(),
                           .tap_count = head_taps_,
                           .start = tails_.data() + filled_,
                           .start_stride = tail_stride(),
                           .outputs = direct_outputs_.data(),
                           .frames = frames,
                           .input_count = input_count(),
                           .output_count = output_count()});
}

void FirMatrix::Group::write_transformed(Transform& transform, AudioBlock out, int offset, int frames) noexcept {
  const bool is_whole = frames == frames_;
  if (!is_whole) prepare_tail(transform);
  // Frames that are still to come hold what was there a partition ago; the head is causal and does not hear them.
  transform_windows(transform);
  multiply(transform, 0, is_whole ? partitions_ : 1);
  for (int o = 0; o < output_count(); ++o) {
    float* block = transform.block.data();
    transform.backward(products_.data() + static_cast<long>(o) * frames_, block);
    float* to = out[outputs_[static_cast<std::size_t>(o)]] + offset;
    if (is_whole) {
      std::copy_n(block, frames, to);
    } else {
      std::transform(block + filled_, block + filled_ + frames, tail(o) + filled_, to, std::plus<>());
    }
  }
}

void FirMatrix::Group::next_partition() noexcept {
  for (int i = 0; i < input_count(); ++i) std::copy_n(window(i) + frames_, frames_, window(i));
  slot_ = slot_ == 0 ? partitions_ - 1 : slot_ - 1;
  filled_ = 0;
  tail_is_ready_ = false;
}

void FirMatrix::Group::reset() noexcept {
  std::fill(windows_.begin(), windows_.end(), 0.0f);
  std::fill(spectra_.begin(), spectra_.end(), 0.0f);
  std::fill(tails_.begin(), tails_.end(), 0.0f);
  slot_ = 0;
  filled_ = 0;
  tail_is_ready_ = false;
}

FirMatrix::FirMatrix(int inputs, int outputs, std::span<const FirPath> paths, int partition_frames) {
  check(inputs, outputs, paths, partition_frames);
  int taps = 0;
  std::vector<bool> is_heard(count_of(outputs));
  for (const FirPath& path : paths) {
    const int audible = audible_taps(path.taps);
    taps = std::max(taps, audible);
    if (audible > 0) is_heard[static_cast<std::size_t>(path.output)] = true;
  }
  for (int o = 0; o < outputs; ++o) {
    if (!is_heard[static_cast<std::size_t>(o)]) silent_outputs_.push_back(o);
  }
  tail_frames_ = std::max(0, taps - 1);
  partition_frames_ = partition_frames != 0 ? partition_frames : default_partition_frames(taps);
  transform_ = std::make_unique<Transform>(partition_frames_);
  for (const auto& set : independent_sets(inputs, outputs, paths)) {
    groups_.push_back(std::make_unique<Group>(set, *transform_));
  }
}

FirMatrix::FirMatrix(FirMatrix&&) noexcept = default;
FirMatrix& FirMatrix::operator=(FirMatrix&&) noexcept = default;
FirMatrix::~FirMatrix() = default;

void FirMatrix::process(ConstAudioBlock in, AudioBlock out) noexcept {
  for (int done = 0; done < out.frames;) {
    const int frames = std::min(out.frames - done, partition_frames_ - position_);
    // Every group reads before any writes: outputs may share memory with inputs.
    for (const auto& group : groups_) group->read(in, done, frames);
    for (const auto& group : groups_) group->write(*transform_, out, done, frames);
    for (const int o : silent_outputs_) std::fill_n(out[o] + done, frames, 0.0f);
    position_ = (position_ + frames) % partition_frames_;
    done += frames;
  }
}

void FirMatrix::reset() noexcept {
  for (const auto& group : groups_) group->reset();
  position_ = 0;
}

}  // namespace forestage
