// A dense matrix of filters cut into partitions of B taps, and the ring of input spectra that it meets: uniformly
// partitioned overlap-save without a schedule. FirMatrix runs it at once, FirTail over the blocks in between.
//
//     window (2B) ─▶ fold, FFT ─▶ ring of spectra ─▶ multiply-accumulate ─▶ products ─▶ FFT⁻¹, unfold ─▶ B frames
//
// The transform of 2B real frames x is the right-angle form: the B-point complex FFT of (x[n] - i x[n + B]) w[n],
// w[n] = e^{-i pi n / 2B}: x as a polynomial modulo z^B + i, evaluated at the B roots of -i. For real x that determines
// x modulo z^2B + 1, so products of spectra are negacyclic convolutions of length 2B, and the half that wraps is the
// one that overlap-save throws away. A real FFT of 2B would cost more and has DC and Nyquist bins to treat apart.
// Matrices with the same taps share the spectra of their filters, and transforms of one length their plans and factors.
// Thread: construct anywhere, the rest on one thread, without allocations.
#pragma once

#include <complex>
#include <memory>
#include <span>
#include <vector>

#include "fft.hpp"
#include "fir_kernels.hpp"

namespace forestage {

/// One filter from an input to an output. Two paths between the same pair add up; an absent path is silence.
struct FirPath {
  int input = 0;
  int output = 0;
  std::span<const float> taps;  // copied by whoever convolves with it
};

/// Product of counts, for the sizes of arrays.
inline std::size_t count_of(int a, int b = 1, int c = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

/// Taps [begin, end) of every path; those that have none are left out.
std::vector<FirPath> cut(std::span<const FirPath> paths, int begin, int end);

/// Taps of the longest path.
int longest(std::span<const FirPath> paths) noexcept;

/// The transform of one partition length, with scratch memory: matrices that share it take turns.
class PartitionTransform {
 public:
  explicit PartitionTransform(int partition_frames);
  int frames() const noexcept { return frames_; }
  const fir_kernels::Table& loops() const noexcept { return *loops_; }

  /// Twice B frames, one after the other in time, to B interleaved bins.
  void forward(const float* earlier, const float* later, float* bins) noexcept;
  /// B interleaved bins to the second half of the window they stand for.
  void backward(const std::complex<float>* product, float* to) noexcept;

 private:
  struct Constants {
    explicit Constants(int frames);
    ComplexFft fft;
    AlignedVector<float> w_re;
    AlignedVector<float> w_im;
  };
  static std::shared_ptr<const Constants> constants(int frames);

  const fir_kernels::Table* loops_ = &fir_kernels::best();
  int frames_;
  std::shared_ptr<const Constants> constants_;
  AlignedVector<std::complex<float>> folded_;
};

/// Memory for sound, in which several ways to cut the same filters take turns.
class FirMemory {
 public:
  /// The next piece, and after rewind() the first one again; it may grow until all have what they ask for.
  AlignedVector<float>& piece(std::size_t floats);
  void rewind() noexcept { next_ = 0; }

 private:
  std::vector<std::unique_ptr<AlignedVector<float>>> pieces_;
  std::size_t next_ = 0;
};

class FirPartitions {
 public:
  /// Every input and every output has a path. `transform` and `memory` outlive this.
  FirPartitions(int inputs, int outputs, std::span<const FirPath> paths, PartitionTransform& transform,
                FirMemory& memory);

  using Products = AlignedVector<float>;  // complex, [output][bin]

  int frames() const noexcept { return transform_->frames(); }
  int partitions() const noexcept { return partitions_; }
  int inputs() const noexcept { return inputs_; }
  int outputs() const noexcept { return outputs_; }

  /// The newest window of an input, the previous partition and the current one, in two steps: its transform, which
  /// waits where multiply() will write, and bins [first_bin, last_bin) of all inputs, whole chunks, to their places in
  /// the ring, which lie far apart.
  void transform(int input, const float* previous, const float* current) noexcept;
  void store(int first_bin, int last_bin) noexcept;
  /// The inputs from this one on are silent, and their spectra zero, until another count is set.
  void set_active_inputs(int count) noexcept { active_inputs_ = count; }
  /// Products of all outputs for bins [first_bin, last_bin), whole chunks: sum over all partitions.
  void multiply(int first_bin, int last_bin) noexcept;
  /// The same of all bins, in two steps: what past partitions add, which holds until advance(), and the newest one.
  void multiply_past(Products& past) noexcept;
  void multiply_newest(const Products& past) noexcept;
  /// B frames of what products say.
  void take(const Products& products, int output, float* to) noexcept;
  void take(int output, float* to) noexcept { take(*products_, output, to); }
  /// The windows that come are those of the next partition.
  void advance() noexcept;
  void reset() noexcept;

 private:
  struct Part {
    int first, last;  // partitions [first, last)
    int first_bin, last_bin;
  };

  void multiply(const Part& part, const Products* start, Products& products) noexcept;
  AlignedVector<float> design(std::span<const FirPath> paths) const;
  std::shared_ptr<const AlignedVector<float>> shared_filters(std::span<const FirPath> paths) const;

  PartitionTransform* transform_;
  int inputs_;
  int outputs_;
  int active_inputs_ = inputs_;
  int partitions_;
  int slot_ = 0;   // of the current partition in the ring of spectra
  int heard_ = 1;  // slots that hold sound since the reset; the others count as silence
  std::shared_ptr<const AlignedVector<float>> filters_;  // layout: fir_kernels.hpp
  AlignedVector<float>* spectra_;
  Products* products_;
};

}  // namespace forestage
