// The later taps of a matrix of filters at a rate that is lower by a power of two, without adding latency.
//
//     in ── low-pass, every R-th frame ── FirTails ── low-pass between the frames ── added to out
//
// Up to 20 kHz the sum with the taps before it is that of the whole filters, errors 95 dB below what is heard; late
// sound above 20 kHz gets weaker and is gone at the low rate less 20 kHz. What these taps wait for anyway hides the
// delay of both low-passes, and what the cut in front of them rings at the low rate.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fir_partitions.hpp"
#include "fir_tail.hpp"
#include "preset.hpp"
#include "rate_change.hpp"

namespace forestage {

class LowRateTail {
 public:
  /// First tap that it can play, at the sample rate.
  static int first_tap(const RateLowPass& low_pass) noexcept;
  /// How much longer than the filters it sounds, at the sample rate.
  static int ringing_frames(const RateLowPass& low_pass) noexcept;

  /// `paths` without their first first_tap() taps. Calls have up to `max_frames` frames and, as a partition of the
  /// matrix in front, none lies across a multiple of that.
  LowRateTail(int inputs, int outputs, std::span<const FirPath> paths, const RateLowPass& low_pass, int max_frames);

  // [audio] A call reads every input, adds to every output and then advances.
  void read(int input, const float* from, int frames) noexcept;
  void add_to(int output, float* to, int frames) noexcept;
  void advance(int frames) noexcept;
  void reset() noexcept;

 private:
  int low_frames(int frames) const noexcept { return (phase_ + frames) >> shift_; }

  int shift_;
  int phase_ = 0;
  Decimator decimator_;
  Interpolator interpolator_;
  std::shared_ptr<const std::vector<Fir>> firs_;  // at the low rate
  std::vector<std::unique_ptr<PartitionTransform>> transforms_;
  FirMemory memory_;
  std::vector<FirTail> tails_;
  AlignedVector<float> low_;  // of one lane in one call
};

}  // namespace forestage
