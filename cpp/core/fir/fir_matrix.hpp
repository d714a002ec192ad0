// A matrix of FIR filters, inputs x outputs, with no added latency: partitioned convolution.
//
//     in 0 ─▶ window ─▶ fold, FFT ─▶ ring of spectra ─┐
//     in 1 ─▶ window ─▶ fold, FFT ─▶ ring of spectra ─┴▶ multiply-accumulate ─▶ FFT⁻¹, unfold ─▶ out 0, 1, 2 ...
//
// One forward transform per input and one inverse per output and partition, shared by all paths (fir_partitions.hpp).
// A call that covers only part of a partition still gets every output at once: what past partitions add is known since
// the current one began; the first taps come in direct form for short calls, and for long ones from a transform of the
// partly filled window. Long filters have levels of ever longer partitions; their later taps are played by FirTail,
// which spreads its work evenly over the calls. All splits into blocks agree within rounding: for full-scale noise
// through filters of unit energy about -139 dB rms up to 1024 taps and -136 dB beyond, single frames 15 dB above that.
//
// Most filters are ready to be cut into partitions of several lengths. The first call after a reset decides: the
// longest that is no longer than it, as calls shorter than a partition pay for its transforms all the same.
//
// Independent blocks of the matrix (say, a diagonal one) are found and computed apart; silent paths, rows and columns
// cost nothing. Outputs may share memory with inputs, lane start on lane start. Thread: construct anywhere, process on
// one thread.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "blocks.hpp"
#include "fir_partitions.hpp"

namespace forestage {

class FirMatrix {
 public:
  static constexpr int usual_call_frames = 128;

  /// `partition_frames`: a power of two, 16 to 8192, for all taps; 0 chooses. Choices that are longer than
  /// `longest_call_frames` are left out: they take memory, and pay where all calls cover them. Blocks may be of any
  /// length all the same. `sample_rate`, in Hz: from 88.2 kHz on, filters of more than 0.1 s play their later taps at a
  /// lower rate, without what lies above 20 kHz (low_rate_tail.hpp); 0 leaves all as they are.
  /// Throws std::invalid_argument.
  FirMatrix(int inputs, int outputs, std::span<const FirPath> paths, int partition_frames = 0,
            int longest_call_frames = usual_call_frames, double sample_rate = 0.0);
  FirMatrix(FirMatrix&&) noexcept;
  FirMatrix& operator=(FirMatrix&&) noexcept;
  ~FirMatrix();

  /// Overwrites every lane of out.  [audio]
  void process(ConstAudioBlock in, AudioBlock out) noexcept FORESTAGE_NONBLOCKING;
  void reset() noexcept;

  int latency_frames() const noexcept { return 0; }
  /// How long the output may sound after the last input frame.
  int tail_frames() const noexcept { return tail_frames_; }
  /// Of the first level, as it is since the last reset.
  int partition_frames() const noexcept { return partition_frames_; }

 private:
  class Group;
  struct Layout {
    std::vector<std::unique_ptr<PartitionTransform>> transforms;  // one per level
    std::vector<std::unique_ptr<Group>> groups;
    int partition_frames() const noexcept { return transforms.front()->frames(); }
  };
  void choose_layout(int frames) noexcept;

  int tail_frames_ = 0;
  int partition_frames_ = 0;
  int position_ = 0;  // in the current partition
  bool is_fresh_ = true;
  std::vector<int> silent_outputs_;
  std::vector<FirMemory> memories_;  // of each group, in turn for all layouts
  std::vector<Layout> layouts_;      // by their partitions, the longest last
  std::size_t chosen_ = 0;
};

static_assert(Processor<FirMatrix>);

}  // namespace forestage
