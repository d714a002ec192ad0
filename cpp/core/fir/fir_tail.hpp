// The later taps of a matrix of filters, in long partitions of B frames, without adding latency: taps from 2 B on.
//
//     frames       [ k B ... )          [ (k+1) B ... )                 [ (k+2) B ... )
//     partition k  comes in             is convolved, a share per call  sounds
//
// A plan made once says after how many frames of the period each task is done, so that all calls do their part: forward
// transforms, slices of the multiply-accumulate, inverse transforms. The tasks do not depend on the split into blocks:
// what comes out is the same to the bit.
#pragma once

#include <span>
#include <vector>

#include "fir_partitions.hpp"

namespace forestage {

/// Partition lengths of the levels of filters with so many taps, the first one's in front. Another level pays when at
/// least half of the taps go there. Partitions of 8192 would save a fifth at 96 000 taps, but each of their transforms
/// takes as long as three blocks of 128.
std::vector<int> partition_levels(int first_frames, int taps);

class FirTail {
 public:
  /// First tap that a tail of these partitions can play.
  static constexpr int first_tap(int partition_frames) noexcept { return 2 * partition_frames; }

  /// `paths` without their first first_tap() taps. `transform` and `memory` outlive this. `cycle_frames`: a partition
  /// of the matrix in front, over which the work is dealt out.
  FirTail(int inputs, int outputs, std::span<const FirPath> paths, PartitionTransform& transform, FirMemory& memory,
          int cycle_frames = 128);

  // [audio] A call reads every input, adds to every output and then advances, within a partition.
  void read(int input, const float* from, int frames) noexcept;
  void add_to(int output, float* to, int frames) const noexcept;
  void advance(int frames) noexcept;
  void reset() noexcept;

 private:
  enum class Work { transform, multiply, take };
  struct Task {
    Work work;
    int first;           // input, first bin, output
    double cost;         // only ratios matter
    int due_frames = 0;  // of the period
  };
  std::vector<Task> plan(int cycle_frames) const;
  void run(const Task& task) noexcept;
  void next_period() noexcept;

  /// Two partitions of an input that are being convolved, 0 and 1, and the one that comes in, 2.
  float* partition(int input, int age) noexcept {
    return windows_.data() + (3L * input + (first_ + age) % 3) * frames_;
  }
  long sums_at(int half, int output) const noexcept {
    return (static_cast<long>(half) * matrix_.outputs() + output) * frames_;
  }

  FirPartitions matrix_;
  int frames_;  // of a partition
  std::vector<Task> plan_;
  std::size_t next_task_ = 0;
  int position_ = 0;              // in the period
  int heard_ = 0;                 // partitions that came in whole since the reset, up to two: those before are silent
  int half_ = 0;                  // of the sums that sounds; the other one is being made
  int first_ = 0;                 // in the rings of windows
  AlignedVector<float> windows_;  // [input]: rings of three partitions
  AlignedVector<float> sums_;     // [half][output]
};

}  // namespace forestage
