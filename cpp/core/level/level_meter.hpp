// What a host shows of levels: written by the audio thread, read by any.
#pragma once

#include <algorithm>
#include <atomic>

namespace forestage {

/// The largest value of the last second, and the largest since the last reset.
class PeakMeter {
 public:
  explicit PeakMeter(double sample_rate) : hold_frames_(static_cast<int>(sample_rate)) {}

  void push(float value, int frames) noexcept {  // [audio]
    left_ -= frames;
    if (left_ <= 0 || value >= recent_.load(std::memory_order_relaxed)) {
      recent_.store(value, std::memory_order_relaxed);
      left_ = hold_frames_;
    }
    if (value > most_.load(std::memory_order_relaxed)) most_.store(value, std::memory_order_relaxed);
  }
  void reset() noexcept {  // [audio]
    left_ = 0;
    recent_.store(0.0f, std::memory_order_relaxed);
    most_.store(0.0f, std::memory_order_relaxed);
  }

  float recent() const noexcept { return recent_.load(std::memory_order_relaxed); }  // [any]
  float most() const noexcept { return most_.load(std::memory_order_relaxed); }      // [any]

 private:
  int hold_frames_;
  int left_ = 0;
  std::atomic<float> recent_{0.0f};
  std::atomic<float> most_{0.0f};
};

}  // namespace forestage
