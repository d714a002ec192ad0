// The processing graph of one preset at one sample rate, to which preset_at_rate.hpp brings it.
//
//     L',R',C ─ pad ─ trim, solo ─┬─ L',R' ─ VirtualStereo ─┬─ DriverMatrix ─────── driver EQ ─ loudness ─┐
//                                 ├─ C ─────────────────────┘                                             │
//                                 └─ L'+C, R'+C ─ delay ─ plain routing ───────── driver EQ ─ amount ─────┴─ Monitors
//
// The pad makes all graphs of an engine equally late.
//
// Real-time contract
// | call                            | thread           | may allocate, lock, throw | meaning |
// |---------------------------------|------------------|---------------------------|---------|
// | at_rate(preset), Graph()        | main/worker      | yes; std::invalid_argument | sized for max_block_frames |
// | process(paths, out)             | audio            | no | 0..max frames; any split is equal |
// | reset()                         | audio or stopped | no | clears state, keeps coefficients; parameters snap |
// | follow(ParamStore, common)      | audio            | no | reads the targets; values glide inside |
// | forget_part()                   | audio            | no | a part of reset(), for a graph that nobody hears |
// | tail_frames()                   | any              | no | constant for the life of a graph |
#pragma once

#include <memory>
#include <vector>

#include "blocks.hpp"
#include "controls.hpp"
#include "delay.hpp"
#include "driver_matrix.hpp"
#include "headroom.hpp"
#include "lanes.hpp"
#include "monitors.hpp"
#include "param_store.hpp"
#include "preset.hpp"
#include "programme_match.hpp"
#include "upmix_switch.hpp"
#include "virtual_stereo.hpp"

namespace forestage {

struct GraphSpec {
  double sample_rate = 48000.0;
  int max_block_frames = 256;
  int output_channels = 2;
  int latency_frames = 0;  // from the paths to what is heard: padded to it, or as short as the preset allows
};

class Graph {
 public:
  /// `preset` as at_rate() makes it for this sample rate.
  Graph(const Preset& preset, const GraphSpec& spec);

  /// paths = L', R', C; overwrites every lane of out.
  void process(ConstAudioBlock paths, AudioBlock out) noexcept FORESTAGE_NONBLOCKING;
  void reset() noexcept;
  /// True while there is more to forget.  [audio]
  bool forget_part() noexcept;
  /// For a graph that nobody hears yet: its parts are set going one after the other, as their memory is cold. It is
  /// silent until the first block that begins start_frames later.  [audio]
  void start_by_parts() noexcept { started_frames_ = 0; }
  static constexpr int start_frames = 384;
  /// `common`: of the presets that are compared, so that all make the same room. `kept`: monitors that run although
  /// nobody hears them.
  void follow(const ParamStore& store, const Levels& common, MonitorSet kept = {}) noexcept;
  /// Of level_match = Programme; taken by the next follow().
  void set_match(const MatchGains& gains) noexcept { match_ = gains; }
  /// What the headphones monitors that are kept have played in the last block.
  EarBlocks kept_ears(int frames) noexcept { return monitors_.kept_ears(frames); }

  int tail_frames() const noexcept { return tail_frames_; }
  /// Frames until a graph started from silence sounds as if it had always run, with these parameters.  [audio]
  int warm_up_frames(const ParamStore& store) const noexcept;
  const Levels& levels() const noexcept { return levels_; }
  /// The same, as loud as plain stereo: what it is compared with.
  Levels matched_levels() const noexcept;
  /// The least gain of the limiter in the last block.
  float least_gain() noexcept { return monitors_.least_gain(); }
  bool plays_speakers() const noexcept { return monitors_.plays_speakers(); }
  bool can_play_speakers() const noexcept { return monitors_.can_play_speakers(); }
  bool has_room() const noexcept { return monitors_.has_room(); }

 private:
  Graph(const Preset& preset, const FilterSet& filters, const GraphSpec& spec);

  /// What targets of the controls are made of, besides constants.
  struct Followed {
    const ParamStore* params = nullptr;
    unsigned version = 0;
    Levels common;
    MatchGains match;
    bool operator==(const Followed&) const = default;
  };
  void follow_controls(const ParamStore& store, const Levels& common) noexcept;
  /// What the parameters ask for is driver feeds, and there are outputs for them.
  bool heard_as_speakers(const ParamStore& store) const noexcept;
  void take_paths(ConstAudioBlock paths) noexcept;
  void play_plain(int frames, bool is_heard) noexcept;
  void play_pair(int frames) noexcept;
  void play_designed(int frames) noexcept;
  void play_parts(ConstAudioBlock paths, AudioBlock out) noexcept;
  bool waits(int part, AudioBlock out) const noexcept;

  int drivers_;
  float processed_gain_;                         // Loudness::processed_db of the free field, as a gain
  float room_processed_gain_;                    // and of the room
  std::vector<std::vector<float>> plain_gains_;  // [driver][left, right]
  Controls controls_;
  Followed followed_;
  bool snap_ = true;
  bool is_guarded_ = true;
  MatchGains match_;

  int started_frames_ = start_frames;  // since the first part was set going, up to when all are
  int soiled_parts_ = 0;               // that sound went through since they were reset: the first ones

  Delay pad_;
  Delay plain_delay_;
  VirtualStereo virtual_stereo_;
  DriverMatrix driver_matrix_;
  std::unique_ptr<FirMatrix> plain_eq_;  // driver equalisation; null when the drivers are flat
  std::unique_ptr<FirMatrix> designed_eq_;
  Delay reference_delay_;
  Monitors monitors_;

  Lanes paths_;   // L', R', C
  Lanes stereo_;  // plain L, R
  Lanes plain_feeds_;
  Lanes designed_feeds_;
  Lanes feeds_;       // mixed by amount
  Lanes room_feeds_;  // the same at the room's loudness

  int tail_frames_ = 0;
  int warm_up_before_monitors_frames_ = 0;
  Levels levels_;
};

/// The rate in whole Hz; throws std::invalid_argument when no graph can run at it.
int checked_rate(double sample_rate);

/// Latency of a graph of a preset as at_rate() or delays_at_rate() makes it, without padding.  [main]
int graph_latency_frames(const Preset& preset);
/// The same with the upmix in front of it.  [main]
FramesByQuality natural_latency_frames(const Preset& preset);

}  // namespace forestage
