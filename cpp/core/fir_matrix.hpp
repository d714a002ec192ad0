// A matrix of FIR filters, inputs x outputs, with no added latency: partitioned convolution.
//
//     in 0 ─▶ window ─▶ fold, FFT ─▶ ring of spectra ─┐
//     in 1 ─▶ window ─▶ fold, FFT ─▶ ring of spectra ─┴▶ multiply-accumulate ─▶ FFT⁻¹, unfold ─▶ out 0, 1, 2 ...
//
// Uniformly partitioned overlap-save: one forward transform per input and one inverse per output and partition, shared
// by all paths. The transform of 2B real frames x is the right-angle form: the B-point complex FFT of
// (x[n] - i x[n + B]) w[n], w[n] = e^{-i pi n / 2B}: x as a polynomial modulo z^B + i, evaluated at the B roots of -i.
// For real x that determines x modulo z^2B + 1, so products of spectra are negacyclic convolutions of length 2B, and
// the half that wraps is the one that overlap-save throws away. A real FFT of 2B would cost more and has DC and Nyquist
// bins to treat apart.
//
// A call that covers only part of a partition still gets every output at once: the tail (partitions 1, 2, ...) is known
// since the partition began; the head comes in direct form for short calls, and for long ones from a transform of the
// partly filled window. All splits into blocks agree within rounding: for full-scale noise through filters of unit
// energy about -139 dB rms, single frames up to -124 dB.
//
// Independent blocks of the matrix (say, a diagonal one) are found and computed apart; silent paths, rows and columns
// cost nothing. Outputs may share memory with inputs, lane start on lane start. Thread: construct anywhere, process on
// one thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "blocks.hpp"

namespace forestage {

/// One filter from an input to an output. Two paths between the same pair add up; an absent path is silence.
struct FirPath {
  int input = 0;
  int output = 0;
  std::span<const float> taps;  // copied by the matrix
};

class FirMatrix {
 public:
  /// `partition_frames`: a power of two, 16 to 8192; 0 chooses from the tap count. Blocks may be of any length.
  /// Throws std::invalid_argument.
  FirMatrix(int inputs, int outputs, std::span<const FirPath> paths, int partition_frames = 0);
  FirMatrix(FirMatrix&&) noexcept;
  FirMatrix& operator=(FirMatrix&&) noexcept;
  ~FirMatrix();

  /// Overwrites every lane of out.  [audio]
  void process(ConstAudioBlock in, AudioBlock out) noexcept FORESTAGE_NONBLOCKING;
  void reset() noexcept;

  int latency_frames() const noexcept { return 0; }
  /// How long the output may sound after the last input frame.
  int tail_frames() const noexcept { return tail_frames_; }
  int partition_frames() const noexcept { return partition_frames_; }

 private:
  struct Transform;
  class Group;

  int tail_frames_ = 0;
  int partition_frames_ = 0;
  int position_ = 0;  // in the current partition
  std::vector<int> silent_outputs_;
  std::unique_ptr<Transform> transform_;
  std::vector<std::unique_ptr<Group>> groups_;
};

static_assert(Processor<FirMatrix>);

}  // namespace forestage
