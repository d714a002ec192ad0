// Sound to a sample rate that is lower by a power of two R, and back, for what nobody hears above 20 kHz.
//
//     frames   ... [ R m ... R m + R - 1 ] ...
//     u[m]                             ^ is made of all frames up to here, and is heard from here on
//
// Both ways have the same low-pass: linear phase, flat up to 20 kHz, 100 dB down from where it would fold back to less.
// What lies between 20 kHz and there is weaker by both, and its aliases stay above 20 kHz. Whatever the split into
// blocks, the same comes out to the bit.
#pragma once

#include <vector>

#include "delay.hpp"
#include "fft.hpp"

namespace forestage {

/// For a sample rate, and the lower one that still holds 20 kHz.
class RateLowPass {
 public:
  explicit RateLowPass(double sample_rate);

  /// R: 1 below 88.2 kHz, where there is no lower rate.
  int divisor() const noexcept { return 1 << shift_; }
  int shift() const noexcept { return shift_; }
  /// At the sample rate; there and back takes twice that, and nothing more.
  int delay_frames() const noexcept { return static_cast<int>(taps_.size()) / 2; }
  /// Their sum is 1, as their response up to 20 kHz, to 0.0001 dB.
  const std::vector<float>& taps() const noexcept { return taps_; }

 private:
  int shift_ = 0;
  std::vector<float> taps_{1.0f};
};

/// `phase`, in what follows: frames modulo R that came before the call.
class Decimator {
 public:
  Decimator(const RateLowPass& low_pass, int lanes, int max_frames);

  /// Writes the (phase + frames) / R frames at the low rate that are complete with these.  [audio]
  void process(int lane, const float* from, int frames, int phase, float* to) noexcept;
  void reset() noexcept;

 private:
  int shift_;
  AlignedVector<float> taps_;  // zeros, then the low-pass
  std::vector<History> lanes_;
};

class Interpolator {
 public:
  Interpolator(const RateLowPass& low_pass, int lanes, int max_frames);

  /// Adds `frames` frames of what (phase + frames) / R more at the low rate, and those before, sound like.  [audio]
  void process(int lane, const float* from, int frames, int phase, float* to) noexcept;
  void reset() noexcept;

 private:
  int shift_;
  int tap_count_;
  AlignedVector<float> taps_;   // R times the low-pass, zeros around it
  std::vector<History> lanes_;  // at the low rate
};

}  // namespace forestage
