// Peaks of a signal between its frames, as a converter or a resampler will make them: ITU-R BS.1770, by interpolation
// to at least 176.4 kHz. Four times at 48 kHz, twice at 96 kHz, not at all where the frames are that close already.
#pragma once

#include <vector>

namespace forestage {

struct PeakKernels;

class TruePeak {
 public:
  static constexpr int half_taps = 6;  // frames on either side of what is interpolated

  explicit TruePeak(double sample_rate);

  /// peaks[n] becomes at least |x[n]|.  [audio]
  void raise_to_frames(const float* x, float* peaks, int frames) const noexcept;
  /// peaks[n] becomes at least the largest |value| between x[n - half_taps] and the frame after it; reads from
  /// x[1 - 2 half_taps] on.  [audio]
  void raise(const float* x, float* peaks, int frames) const noexcept;

  bool is_needed() const noexcept { return phases_ > 0; }
  /// What is found is at most this times the largest |frame|.
  float most_gain() const noexcept { return most_gain_; }

 private:
  const PeakKernels* kernels_;  // chosen here, since the first choice of a process may wait for another thread's
  int phases_;
  float most_gain_ = 1.0f;
  std::vector<float> taps_;  // [phase][frames back]
};

}  // namespace forestage
