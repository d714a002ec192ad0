// Smoothing in time: a parameter glides to its target in 20 ms; a source hands over to another by a cross-fade.
// Both are free of kinks, which would splash, and count frames, so that any split into blocks gives the same output.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace forestage {

inline constexpr double ramp_s = 0.020;

inline int ramp_frames(double sample_rate) noexcept { return static_cast<int>(std::lround(ramp_s * sample_rate)); }

/// S-curve from 0 to 1 (cubic, flat at both ends).
inline float s_curve(float t) noexcept { return t * t * (3.0f - 2.0f * t); }

/// A value for each frame of a block.
struct RampBlock {
  const float* values;
  bool is_steady;

  operator const float*() const noexcept { return values; }  // NOLINT: it is an array that knows a little more
  bool is(float value) const noexcept { return is_steady && values[0] == value; }
};

/// A value that follows its target through two moving averages of 10 ms each: a step becomes an S-curve of 20 ms, and
/// automation that moves all the time keeps its slope. It bends by newest - 2 turned + arrived, the target now, and 10
/// and 20 ms ago; a parabola lies between two frames where one of these changes. Sums of whole numbers hold it, so that
/// no error is left however long it moves.  [audio, but for the constructor]
class Ramp {
 public:
  Ramp(double sample_rate, int max_block_frames)
      : length_(static_cast<std::uint32_t>(std::max(1, ramp_frames(sample_rate) / 2))),
        scale_(std::exp2(exact_bits - std::ceil(2.0 * std::log2(length_)))),
        share_(1.0 / (scale_ * length_ * length_)),
        steps_(2 * static_cast<std::size_t>(length_) + 1),
        values_(static_cast<std::size_t>(max_block_frames)) {}

  void snap(float value) noexcept {
    if (is_flat_ && is_steady() && value == target_) return;
    target_ = value_ = value;
    arriving_ = turning_ = end_ = 0;
    hold();
  }

  void glide_to(float target) noexcept {
    if (target != target_ && std::isfinite(target)) step_to(target);
  }

  bool is_steady() const noexcept { return arriving_ == end_; }
  float value() const noexcept { return value_; }

  /// The next `frames` values; they hold until the next call.
  RampBlock advance(int frames) noexcept {
    if (is_steady()) {
      if (!is_flat_) hold();
      return {values_.data(), true};
    }
    is_flat_ = false;
    for (int n = 0; n < frames;) n += move(values_.data() + n, frames - n);
    return {values_.data(), false};
  }

 private:
  using Exact = std::int64_t;
  // Of a target of 1 times length_^2: sums, and parabolas between any two targets, fit 64 bits.
  static constexpr double exact_bits = 51.0;
  static constexpr float most_exact = 1024.0f;
  static constexpr std::uint32_t first_frame = 0xffffff00;  // so that the counter wraps soon, not after a day
  struct Step {
    std::uint32_t frame;
    float target;
  };
  struct Segment {
    std::uint32_t past_frames, left_frames;
    float start, slope, half_bend;
  };

  void step_to(float target) noexcept;
  int move(float* to, int most) noexcept;
  void begin_segment() noexcept;
  void end_segment() noexcept;
  Exact exact(float target) const noexcept;
  std::size_t behind(std::size_t step) const noexcept { return step + 1 < steps_.size() ? step + 1 : 0; }
  void hold() noexcept {
    std::ranges::fill(values_, value_);
    is_flat_ = true;
  }

  std::uint32_t length_;  // frames of an average
  double scale_;          // of exact numbers
  double share_;          // of a sum of them in the value
  float target_ = 0.0f;
  float value_ = 0.0f;
  bool is_flat_ = false;
  std::vector<Step> steps_;  // of the target, as a ring: the oldest is the next to arrive
  std::size_t arriving_ = 0;
  std::size_t turning_ = 0;
  std::size_t end_ = 0;
  std::uint32_t frame_ = 0;
  Exact newest_ = 0, turned_ = 0, arrived_ = 0;
  Segment segment_{};
  Exact sum_ = 0, slope_ = 0, bend_ = 0;  // where it begins
  std::vector<float> values_;
};

/// Hand-over from one source to the next: the next one runs unheard until its history is full, then fades in over
/// 20 ms.
template <class Source>
class HandOver {
 public:
  HandOver(double sample_rate, int max_block_frames)
      : fade_frames_(ramp_frames(sample_rate)), weights_(static_cast<std::size_t>(max_block_frames)) {}

  void jump_to(Source source) noexcept {
    current_ = next_ = source;
    warm_left_ = fade_left_ = 0;
  }

  void start(Source next, int warm_up_frames) noexcept {
    next_ = next;
    warm_left_ = warm_up_frames;
    fade_left_ = fade_frames_;
  }

  bool is_active() const noexcept { return fade_left_ > 0; }
  /// Nothing of another source has been heard yet, so that a third one may still take its place.
  bool may_turn() const noexcept { return !is_active() || warm_left_ > 0; }
  /// Where it is going, or what plays.
  Source goal() const noexcept { return is_active() ? next_ : current_; }
  Source current() const noexcept { return current_; }
  Source next() const noexcept { return next_; }

  /// Weight of the next source for each frame; after the last frame of the fade it becomes the current one.
  const float* advance(int frames) noexcept {
    for (int n = 0; n < frames; ++n) {
      if (warm_left_ > 0) {
        --warm_left_;
        weights_[static_cast<std::size_t>(n)] = 0.0f;
      } else {
        fade_left_ = std::max(0, fade_left_ - 1);
        weights_[static_cast<std::size_t>(n)] =
            s_curve(1.0f - static_cast<float>(fade_left_) / static_cast<float>(fade_frames_));
      }
    }
    if (fade_left_ == 0) current_ = next_;
    return weights_.data();
  }

 private:
  int fade_frames_;
  int warm_left_ = 0;
  int fade_left_ = 0;
  Source current_{};
  Source next_{};
  std::vector<float> weights_;
};

}  // namespace forestage
