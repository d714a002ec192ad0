// Smoothing in time: a parameter glides to its target in 20 ms; a source hands over to another by a cross-fade.
// Both are free of kinks, which would splash, and count frames, so that any split into blocks gives the same output.
#pragma once

#include <algorithm>
#include <cmath>
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
/// automation that moves all the time keeps its slope.  [audio, but for the constructor]
class Ramp {
 public:
  Ramp(double sample_rate, int max_block_frames)
      : length_(std::max<std::size_t>(1, static_cast<std::size_t>(ramp_frames(sample_rate) / 2))),
        first_(length_),
        second_(length_),
        values_(static_cast<std::size_t>(max_block_frames)) {}

  void snap(float value) noexcept {
    if (is_flat_ && left_ == 0 && value == target_) return;
    target_ = value;
    settle();
    hold();
  }

  void glide_to(float target) noexcept {
    if (target == target_) return;
    target_ = target;
    left_ = 2 * length_;
  }

  bool is_steady() const noexcept { return left_ == 0; }
  float value() const noexcept { return value_; }

  /// The next `frames` values; they hold until the next call.
  RampBlock advance(int frames) noexcept {
    if (left_ == 0) {
      if (!is_flat_) hold();
      return {values_.data(), true};
    }
    is_flat_ = false;
    for (std::size_t n = 0, all = static_cast<std::size_t>(frames); n < all;) n += move(values_.data() + n, all - n);
    return {values_.data(), false};
  }

 private:
  /// The next values, `most` at most: as many as lie behind each other in the windows. Returns how many.
  std::size_t move(float* to, std::size_t most) noexcept {
    if (left_ == 0) {
      std::fill_n(to, most, value_);
      return most;
    }
    const bool is_new = moved_ < length_;
    const std::size_t count = std::min({most, left_, length_ - position_, is_new ? length_ - moved_ : most});
    double* first = first_.data() + position_;
    double* second = second_.data() + position_;
    double first_sum = first_sum_, second_sum = second_sum_;  // stores would make compilers keep them in memory
    const double target = target_, settled = settled_;
    for (std::size_t n = 0; n < count; ++n) {
      const double average = push(target, is_new ? settled : first[n], first_sum);
      to[n] = static_cast<float>(push(average, is_new ? settled : second[n], second_sum));
      first[n] = target;
      second[n] = average;
    }
    first_sum_ = first_sum;
    second_sum_ = second_sum;
    position_ = (position_ + count) % length_;
    moved_ += count;
    left_ -= count;
    value_ = to[count - 1];
    if (left_ == 0) settle();
    to[count - 1] = value_;
    return count;
  }
  double push(double value, double oldest, double& sum) const noexcept {
    sum += value - oldest;
    return sum * share_;
  }
  /// Arrived: the value is the target to the bit, and rounding does not add up from one glide to the next.
  void settle() noexcept {
    value_ = settled_ = target_;
    left_ = moved_ = 0;
    first_sum_ = second_sum_ = static_cast<double>(target_) * static_cast<double>(length_);
  }
  void hold() noexcept {
    std::ranges::fill(values_, value_);
    is_flat_ = true;
  }

  std::size_t length_;
  double share_ = 1.0 / static_cast<double>(length_);  // of each value in an average
  std::size_t position_ = 0;
  std::size_t left_ = 0;
  std::size_t moved_ = 0;  // frames since it was settled: what the windows hold of before is not read
  float settled_ = 0.0f;
  float value_ = 0.0f;
  float target_ = 0.0f;
  double first_sum_ = 0.0;
  double second_sum_ = 0.0;
  bool is_flat_ = false;
  std::vector<double> first_;
  std::vector<double> second_;
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
