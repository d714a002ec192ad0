// What is heard: driver feeds for real loudspeakers, or one of three binaural previews, all with the same latency.
//
//     Speakers              feeds ── gain ── limiter, delay (E together) ──▶ N outputs
//     Headphones            feeds ── device ears (delay E inside), gain, limiter ──▶ 2
//     Headphones Plain      plain feeds ── device ears, gain, limiter ─────────────▶ 2
//     Headphones Reference  stereo ── reference ears, gain, limiter ───────────────▶ 2
//
// There are ears in the free field and, when the preset has them, ears in a room. Only what sounds is computed; a
// change warms the next one up and cross-fades. Headphones and Headphones Plain hear through the same ears with a
// memory each, as either is to be in full sound as soon as it is heard; what is only read they share, unless most
// drivers are silent in plain stereo.
#pragma once

#include <array>
#include <bitset>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "ear_path.hpp"
#include "lanes.hpp"
#include "limiter.hpp"
#include "params.hpp"
#include "preset.hpp"
#include "programme_match.hpp"
#include "ramp.hpp"

namespace forestage {

/// Everything a monitor may be fed with, for one block.
struct MonitorInputs {
  AudioBlock feeds;        // N lanes
  AudioBlock room_feeds;   // N lanes, as loud as the room's headphones want them; read while hears_room()
  AudioBlock plain_feeds;  // N lanes, read while hears_plain()
  AudioBlock stereo;       // 2 lanes
  std::array<RampBlock, monitor_count> gains;  // of each monitor, in front of its limiter
  bool is_guarded;
};

/// Some of the monitors, by their number.
using MonitorSet = std::bitset<monitor_count>;

/// A monitor, and where its headphones listen.
struct Listening {
  Monitor monitor = Monitor::headphones;
  bool in_room = false;
  bool operator==(const Listening&) const = default;
};

/// The listener's ears in one place, behind whatever the headphones monitors play.
class MonitorEars {
 public:
  /// `ears` at the sample rate of the graph; `plays_plain`: of each driver, whether plain stereo plays it.
  MonitorEars(const Ears& ears, const std::vector<bool>& plays_plain, const Loudness& loudness, int max_block_frames);

  EarPath& path(Monitor monitor) noexcept;
  int tail_frames() const noexcept;
  /// Resets the first path that sound went through, but those of `running`; false when there is none.
  bool reset_one_but(MonitorSet running) noexcept;

 private:
  EarPath device_;
  EarPath plain_;
  EarPath reference_;
};

class Monitors {
 public:
  /// The first place is the free field, the second, if there is one, the room.
  Monitors(std::vector<MonitorEars> places, int ears_delay_frames, int drivers, int output_channels, double sample_rate,
           int max_block_frames);

  void select(Listening listening) noexcept;                       // takes effect with a cross-fade
  void jump_to(Listening listening) noexcept;                      // at once
  void process(const MonitorInputs& in, AudioBlock out) noexcept;  // overwrites out
  /// These run, heard or not: they can be measured, and are heard at once when they are selected.
  void keep(MonitorSet kept, bool in_room) noexcept;
  /// What those of the headphones that are kept have played in the last block.
  EarBlocks kept_ears(int frames) noexcept;
  /// Forgets what went through one of those that nobody hears, if any has to.  [audio]
  void reset_idle() noexcept;
  /// Forgets a part; true while there may be more.  [audio]
  bool forget_part() noexcept;

  bool can_play_speakers() const noexcept { return output_channels_ >= drivers_; }
  /// What is heard now is driver feeds, and nothing else.
  bool plays_speakers() const noexcept {
    return !hand_over_.is_active() && hand_over_.current().monitor == Monitor::speakers;
  }
  bool has_room() const noexcept { return places_.size() > 1; }
  bool hears_plain() const noexcept {
    return kept_[static_cast<std::size_t>(Monitor::headphones_plain)] ||
           hand_over_.current().monitor == Monitor::headphones_plain ||
           hand_over_.next().monitor == Monitor::headphones_plain;
  }
  bool hears_room() const noexcept {
    return (kept_.any() && kept_in_room_) || hand_over_.current().in_room || hand_over_.next().in_room;
  }
  int latency_frames() const noexcept { return limiter_.latency_frames() + speakers_delay_.latency_frames(); }
  int tail_frames() const noexcept;                            // the longest
  int tail_frames(const Listening& listening) const noexcept;  // of what is chosen
  /// What the limiter did in the last block to what is heard.
  float least_gain() noexcept;

 private:
  Listening playable(Listening listening) const noexcept;
  EarPath& ears(const Listening& listening) noexcept {
    return places_[listening.in_room ? 1 : 0].path(listening.monitor);
  }
  float least_gain(const Listening& listening) noexcept;
  void reset(const Listening& listening) noexcept;
  void reset_speakers() noexcept;
  MonitorSet running(bool in_room) const noexcept;
  bool is_sounding(const Listening& listening) const noexcept {
    return listening == hand_over_.current() || (hand_over_.is_active() && listening == hand_over_.next());
  }
  bool is_kept(const Listening& listening) const noexcept;
  AudioBlock kept_lanes(const Listening& listening, int frames) noexcept {
    return kept_out_[static_cast<std::size_t>(listening.monitor)].block(frames);
  }
  void play(const Listening& listening, const MonitorInputs& in, AudioBlock out) noexcept;
  void render(const Listening& listening, const MonitorInputs& in, AudioBlock out) noexcept;

  int drivers_;
  int output_channels_;
  std::vector<MonitorEars> places_;
  Limiter limiter_;
  bool speakers_are_clean_ = true;
  Delay speakers_delay_;  // what the ears' delay leaves of the look-ahead
  Lanes next_out_;
  HandOver<Listening> hand_over_;
  MonitorSet kept_;
  bool kept_in_room_ = false;
  std::array<int, monitor_count> kept_frames_{};  // since when
  std::array<Lanes, monitor_count> kept_out_;
};

}  // namespace forestage
