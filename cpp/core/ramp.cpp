#include "ramp.hpp"

namespace forestage {

Ramp::Exact Ramp::exact(float target) const noexcept {
  return static_cast<Exact>(scale_ * std::clamp(target, -most_exact, most_exact));
}

void Ramp::step_to(float target) noexcept {
  if (is_steady()) {
    arriving_ = turning_ = end_ = 0;
    frame_ = segment_frames_ = 0;
    newest_ = turned_ = arrived_ = exact(target_);
    sum_ = newest_ * length_ * length_;
    slope_ = 0;
  }
  Step* last = end_ == turning_ ? nullptr : &steps_[(end_ > 0 ? end_ : steps_.size()) - 1];
  if (!last || last->frame != frame_) {
    last = &steps_[end_];
    end_ = behind(end_);
  }
  *last = {frame_, target};
  target_ = target;
  newest_ = exact(target);
  begin_segment();
}

/// The next values up to the end of the parabola, `most` at most. Returns how many.
int Ramp::move(float* to, int most) noexcept {
  if (is_steady()) {
    std::fill_n(to, most, value_);
    return most;
  }
  const auto left = [&](std::size_t step, std::uint32_t frames) {
    return step == end_ ? most : static_cast<int>(steps_[step].frame + frames - frame_);
  };
  const int count = std::min({most, left(turning_, length_), left(arriving_, 2 * length_)});
  const auto start = static_cast<float>(share_ * static_cast<double>(sum_));
  const auto slope = static_cast<float>(share_ * static_cast<double>(slope_));
  const auto half_bend = static_cast<float>(0.5 * share_ * static_cast<double>(bend_));
  const auto begin = static_cast<float>(segment_frames_ + 1);
  for (int n = 0; n < count; ++n) {
    const float frames = begin + static_cast<float>(n);
    to[n] = start + frames * (slope + (frames + 1.0f) * half_bend);
  }
  frame_ += static_cast<std::uint32_t>(count);
  segment_frames_ += static_cast<std::uint32_t>(count);
  const bool turns = left(turning_, length_) == 0;
  const bool arrives = left(arriving_, 2 * length_) == 0;
  if (turns) turned_ = exact(steps_[turning_].target);
  if (arrives) arrived_ = exact(steps_[arriving_].target);
  if (turns) turning_ = behind(turning_);
  if (arrives) arriving_ = behind(arriving_);
  if (turns || arrives) begin_segment();
  if (is_steady()) to[count - 1] = target_;
  value_ = to[count - 1];
  return count;
}

void Ramp::begin_segment() noexcept {
  const Exact frames = segment_frames_;
  sum_ += frames * slope_ + frames * (frames + 1) / 2 * bend_;
  slope_ += frames * bend_;
  bend_ = newest_ - 2 * turned_ + arrived_;
  segment_frames_ = 0;
}

}  // namespace forestage
