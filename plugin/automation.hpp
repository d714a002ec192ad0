// The automation inside one block: per parameter a curve through the points that the host gave, read at rising times.
//
// VST3 draws a straight line from one point to the next, and from the value before the block (at frame -1) to the first
// point (pluginterfaces/vst/ivstparameterchanges.h). A jump is then two points; many hosts send only the second one.
// So the line from before the block is drawn where the host is seen to draw lines: its first point is on the last
// frame, or the block before ended with one. Any other first point is a jump. Toggles and choices only ever jump.
//
// Threads: constructed on any, all calls [audio]; nothing allocates.
#pragma once

#include <array>
#include <limits>

namespace forestage::plugin {

class AutomationCurve {
 public:
  static constexpr int max_points = 512;  // hosts with more are read at every second, third ... point
  static constexpr int never = std::numeric_limits<int>::max();

  void forget() noexcept { is_drawn_to_end_ = false; }  // the next block follows none
  void begin_block(float value_before) noexcept;
  /// A frame outside of the block is moved to its nearest end. Points may come in any order.
  void add(int frame, float value, int block_frames) noexcept;
  /// No more points come.
  void end_points(bool is_stepped, int block_frames) noexcept;

  bool is_empty() const noexcept { return count_ == 0; }
  float final_value() const noexcept { return count_ > 0 ? points_[index(count_ - 1)].value : before_.value; }
  /// Rising frames only.
  float value_at(int frame) noexcept;
  /// When the value is next another one; `never` when it stays.
  int next_change(int frame) const noexcept;

 private:
  struct Point {
    int frame = 0;
    float value = 0.0f;
  };

  static std::size_t index(int point) noexcept { return static_cast<std::size_t>(point); }
  bool is_line_to(int point) const noexcept { return !is_stepped_ && (point > 0 || is_line_from_before_); }

  std::array<Point, max_points> points_{};
  int count_ = 0;
  int next_ = 0;  // the first point that is still to come
  Point before_;  // the last one that was passed
  bool is_stepped_ = false;
  bool is_line_from_before_ = false;
  bool is_drawn_to_end_ = false;  // of this block, and until the points of the next are in, of the one before
};

}  // namespace forestage::plugin
