// The input as it is: late by the latency of what plays, and in its place when the engine is bypassed.
#pragma once

#include <array>

#include "blocks.hpp"
#include "delay.hpp"
#include "lanes.hpp"
#include "ramp.hpp"

namespace forestage {

class DryPath {
 public:
  DryPath(double sample_rate, int max_block_frames);

  int most_latency_frames() const noexcept { return history_[0].past_frames(); }

  // [audio]
  /// Takes the first two lanes; a new latency takes over with a cross-fade.
  void push(ConstAudioBlock in, int latency_frames) noexcept;
  /// What push() took, that much later, until apply_bypass().
  AudioBlock block(int frames) noexcept { return dry_.block(frames); }
  /// How much of it is heard, 0 or 1, and how loud. At once, or by a cross-fade.
  void set_bypass(float share, float gain) noexcept;
  void snap_bypass(float share, float gain) noexcept;
  /// Puts it in the place of what plays, as far as it is heard; more lanes than two fall silent.
  void apply_bypass(AudioBlock io) noexcept;
  void jump_to(int latency_frames) noexcept { delay_.jump_to(latency_frames); }
  void reset() noexcept;

 private:
  Ramp bypass_;
  Ramp gain_;
  Lanes dry_;
  Lanes next_dry_;
  HandOver<int> delay_;
  std::array<LongHistory, 2> history_;
};

}  // namespace forestage
