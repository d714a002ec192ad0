#include "automation.hpp"

#include <algorithm>
#include <cmath>

namespace forestage::plugin {
namespace {

constexpr int line_step_frames = 32;  // a line is a staircase of such steps; the engine glides over them

}  // namespace

void AutomationCurve::begin_block(float value_before) noexcept {
  count_ = 0;
  next_ = 0;
  before_ = {-1, value_before};
}

void AutomationCurve::add(int frame, float value, int block_frames) noexcept {
  if (count_ == max_points) --count_;
  const Point point{std::clamp(frame, 0, block_frames - 1), value};
  int place = count_++;
  for (; place > 0 && points_[index(place - 1)].frame > point.frame; --place)
    points_[index(place)] = points_[index(place - 1)];
  points_[index(place)] = point;
}

void AutomationCurve::end_points(bool is_stepped, int block_frames) noexcept {
  const int last_frame = block_frames - 1;
  is_stepped_ = is_stepped;
  is_line_from_before_ = is_drawn_to_end_ || (count_ > 0 && points_[0].frame == last_frame);
  is_drawn_to_end_ = count_ > 0 && points_[index(count_ - 1)].frame == last_frame;
}

float AutomationCurve::value_at(int frame) noexcept {
  while (next_ < count_ && points_[index(next_)].frame <= frame) before_ = points_[index(next_++)];
  if (next_ == count_ || !is_line_to(next_)) return before_.value;
  const Point& to = points_[index(next_)];
  const float share = static_cast<float>(frame - before_.frame) / static_cast<float>(to.frame - before_.frame);
  return before_.value + share * (to.value - before_.value);
}

int AutomationCurve::next_change(int frame) const noexcept {
  Point from = before_;
  for (int i = next_; i < count_; from = points_[index(i++)]) {
    const Point& to = points_[index(i)];
    if (to.value == from.value) continue;
    return is_line_to(i) ? std::min(to.frame, std::max(from.frame, frame) + line_step_frames) : to.frame;
  }
  return never;
}

}  // namespace forestage::plugin
