// What is heard: driver feeds for real loudspeakers, or one of three binaural previews, all with the same latency.
//
//     Speakers              feeds ── headroom ── guard ── delay E ──▶ N outputs
//     Headphones            feeds ── device ears (delay E inside) ──▶ 2
//     Headphones Plain      plain feeds ── device ears ─────────────▶ 2
//     Headphones Reference  stereo ── reference ears ───────────────▶ 2
//
// Only the monitor that sounds is computed; a change warms the next one up and cross-fades.
#pragma once

#include "blocks.hpp"
#include "delay.hpp"
#include "fir_matrix.hpp"
#include "lanes.hpp"
#include "params.hpp"
#include "peak_guard.hpp"
#include "preset.hpp"
#include "ramp.hpp"

namespace forestage {

/// Everything a monitor may be fed with, for one block.
struct MonitorInputs {
  AudioBlock feeds;            // N lanes
  AudioBlock plain_feeds;      // N lanes
  AudioBlock stereo;           // 2 lanes
  const float* headroom_gain;  // per frame, Speakers only
  bool guard_is_on;
};

class Monitors {
 public:
  /// `ears` at the sample rate of the graph.
  Monitors(const Ears& ears, const Loudness& loudness, int drivers, int output_channels, double sample_rate,
           int max_block_frames);

  void select(Monitor monitor) noexcept;                           // takes effect with a cross-fade
  void jump_to(Monitor monitor) noexcept;                          // at once
  void process(const MonitorInputs& in, AudioBlock out) noexcept;  // overwrites out
  void reset() noexcept;

  bool can_play_speakers() const noexcept { return output_channels_ >= drivers_; }
  int latency_frames() const noexcept { return speakers_delay_.latency_frames(); }
  int tail_frames() const noexcept { return tail_frames_; }

 private:
  Monitor honest(Monitor monitor) const noexcept;
  void reset(Monitor monitor) noexcept;
  void render(Monitor monitor, const MonitorInputs& in, AudioBlock out) noexcept;

  int drivers_;
  int output_channels_;
  int tail_frames_ = 0;
  FirMatrix device_ears_;
  FirMatrix plain_ears_;
  FirMatrix reference_ears_;
  PeakGuard guard_;
  Delay speakers_delay_;
  Lanes next_out_;
  HandOver<Monitor> hand_over_;
};

}  // namespace forestage
