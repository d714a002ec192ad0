// The upmix in each quality, of which one plays: a change warms the other up, unheard, and cross-fades. What comes
// after it knows nothing of qualities, but that one is later than the other.
//
//     L,R ─┬─ Upmix, Low Latency ──┐
//          └─ Upmix, High Quality ─┴─ one of them, or a cross-fade ─ L', R', C
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "blocks.hpp"
#include "lanes.hpp"
#include "params.hpp"
#include "ramp.hpp"
#include "upmix.hpp"

namespace forestage {

using FramesByQuality = std::array<int, std::size(param_detail::qualities)>;

/// [pure, any thread]
FramesByQuality upmix_latency_frames(double sample_rate) noexcept;

class UpmixSwitch {
 public:
  UpmixSwitch(double sample_rate, int max_block_frames);

  void select(UpmixQuality quality) noexcept;   // takes effect with a cross-fade
  void jump_to(UpmixQuality quality) noexcept;  // at once
  /// As Upmix::process().  [audio]
  void process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept;
  /// Forgets a part of what went through one that nobody hears, if any has to.  [audio]
  void reset_idle() noexcept;
  void reset() noexcept;

  int tail_frames() const noexcept;  // the longest

 private:
  struct Path {
    Upmix upmix;
    int parts_to_reset = 0;

    void process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept;
    void reset_part() noexcept;
    void reset() noexcept;
  };
  static std::size_t index(UpmixQuality quality) noexcept { return static_cast<std::size_t>(quality); }

  std::vector<Path> paths_;  // by quality
  HandOver<UpmixQuality> hand_over_;
  Lanes next_in_;  // out may be where in is
  Lanes next_out_;
};

}  // namespace forestage
