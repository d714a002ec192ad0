#include "ramp.hpp"

namespace forestage {

Ramp::Exact Ramp::exact(float target) const noexcept {
  const double scaled = scale_ * std::clamp(target, -most_exact, most_exact);
  return static_cast<Exact>(scaled + std::copysign(0.5, scaled));
}

void Ramp::step_to(float target) noexcept {
  if (is_steady()) {
    arriving_ = turning_ = end_ = 0;
    frame_ = first_frame;
    segment_.past_frames = 0;
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
  const int count = std::min(most, static_cast<int>(segment_.left_frames));
  const auto begin = static_cast<float>(segment_.past_frames + 1);
  const float start = segment_.start, slope = segment_.slope, half_bend = segment_.half_bend;
  for (int n = 0; n < count; ++n) {
    const float frames = begin + static_cast<float>(n);
    to[n] = start + frames * (slope + frames * half_bend);
  }
  frame_ += static_cast<std::uint32_t>(count);
  segment_.past_frames += static_cast<std::uint32_t>(count);
  segment_.left_frames -= static_cast<std::uint32_t>(count);
  value_ = to[count - 1];
  if (segment_.left_frames == 0) end_segment();
  if (is_steady()) to[count - 1] = value_ = target_;
  return count;
}

/// A target turns, or arrives, or both.
void Ramp::end_segment() noexcept {
  if (turning_ != end_ && steps_[turning_].frame + length_ == frame_) {
    turned_ = exact(steps_[turning_].target);
    turning_ = behind(turning_);
  }
  if (steps_[arriving_].frame + 2 * length_ == frame_) {
    arrived_ = exact(steps_[arriving_].target);
    arriving_ = behind(arriving_);
  }
  begin_segment();
}

void Ramp::begin_segment() noexcept {
  const Exact past = segment_.past_frames;
  sum_ += past * slope_ + past * (past + 1) / 2 * bend_;
  slope_ += past * bend_;
  bend_ = newest_ - 2 * turned_ + arrived_;
  const std::uint32_t to_arrival = steps_[arriving_].frame + 2 * length_ - frame_;
  segment_ = {
      .past_frames = 0,
      .left_frames = turning_ == end_ ? to_arrival : std::min(to_arrival, steps_[turning_].frame + length_ - frame_),
      .start = static_cast<float>(share_ * static_cast<double>(sum_)),
      .slope = static_cast<float>(share_ * (static_cast<double>(slope_) + 0.5 * static_cast<double>(bend_))),
      .half_bend = static_cast<float>(0.5 * share_ * static_cast<double>(bend_))};
}

}  // namespace forestage
