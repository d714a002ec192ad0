// The upmix in each quality, of which one plays: a change warms the other up, unheard, and cross-fades. What comes
// after it knows nothing of qualities, as both are padded to the latency that is asked for.
//
//     L,R ─┬─ Upmix, Low Latency ── pad ─┐
//          └─ Upmix, High Quality ─ pad ─┴─ one of them, or a cross-fade ─ L', R', C
//
// The pad comes after the upmix, so that two slots cut the same frames.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "lanes.hpp"
#include "params.hpp"
#include "ramp.hpp"
#include "upmix.hpp"

namespace forestage {

using FramesByQuality = std::array<int, std::size(param_detail::qualities)>;

class UpmixSwitch {
 public:
  UpmixSwitch(double sample_rate, const FramesByQuality& pad_frames, int max_block_frames);

  void select(UpmixQuality quality) noexcept;   // takes effect with a cross-fade
  void jump_to(UpmixQuality quality) noexcept;  // at once
  /// As Upmix::process().  [audio]
  void process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept;
  /// Forgets what went through one of those that nobody hears, if any has to.  [audio]
  void reset_idle() noexcept;
  void reset() noexcept;

  int tail_frames() const noexcept;  // the longest
  /// How long past sound goes on to matter.
  int memory_frames(UpmixQuality quality) const noexcept { return paths_[index(quality)].memory_frames(); }

 private:
  struct Path {
    Upmix upmix;
    Delay pad;
    bool is_clean = true;

    void process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept;
    void reset() noexcept;
    int tail_frames() const noexcept { return upmix.tail_frames() + pad.latency_frames(); }
    int memory_frames() const noexcept { return tail_frames() + upmix.memory_frames(); }
  };
  static std::size_t index(UpmixQuality quality) noexcept { return static_cast<std::size_t>(quality); }

  std::vector<Path> paths_;  // by quality
  HandOver<UpmixQuality> hand_over_;
  Lanes next_in_;  // out may be where in is
  Lanes next_out_;
};

}  // namespace forestage
