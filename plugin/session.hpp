// What is loaded: the engine, the presets in its two slots and the equaliser of the headphones, and the state that
// hosts keep of it. Every call but `engine()` takes a mutex that the audio thread never takes. `prepare` replaces the
// engine, so the host must not be processing; `AudioLock` guards the swap against hosts that are. Before the first
// `prepare` there is no engine, and latency and status are those of a likely rate, latency those of the host's where it
// has set one: hosts ask for them when they load.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine.hpp"
#include "preset.hpp"
#include "state.hpp"

namespace forestage::plugin {

using SlotPresets = std::array<std::shared_ptr<const Preset>, 2>;          // A, B; null = empty
using ParamValues = std::array<float, param_count>;                        // in the unit of the table
using AudioLock = std::function<void(const std::function<void()>& swap)>;  // runs `swap` while the audio thread is out

struct Contents {
  SlotPresets presets;
  std::array<std::optional<ChosenPreset>, 2> chosen;
  std::optional<HeadphoneEq> headphone_eq;
  std::map<std::string, float> unknown_parameters = {};  // of a later version; written back as they are
  std::string kept = {};                                 // as in PluginState
  std::vector<std::string> notes = {};                   // as in PluginState
  std::vector<BlindRecord> blind = {};                   // as in PluginState
};

/// What a host keeps of it.
PluginState state_of(const Contents& contents, std::map<std::string, float> parameters);

class Session {
 public:
  /// Sizes the engine and loads what the slots hold, or resets the engine that is as wanted; throws std::exception and
  /// then has no engine.  [main, audio stopped]
  void prepare(const EngineSpec& spec, const AudioLock& lock);
  /// Loads one slot; on a throw all stays as it was.  [any but audio]
  void load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen);
  /// Loads both slots and the equaliser, or on a throw nothing.  [any but audio]
  void load(Contents contents);
  /// Has the slots hold these; empty ones, and those that are there already, are left. True for those that were loaded.
  /// [any but audio]
  std::array<bool, 2> put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen);
  /// Loads a state and returns its parameters; on a throw all stays as it was.  [any but audio]
  ParamValues load_state(std::string_view text);
  /// On a throw all stays as it was.  [any but audio]
  void set_headphone_eq(std::optional<HeadphoneEq> eq);

  struct StateText {
    std::string text;     // packed; when a state cannot be written, the last one that could
    std::string problem;  // why it could not
  };
  StateText state(const ParamValues& values);  // [any but audio]
  struct BlindNow {
    bool is_running = false;
    BlindTaken taken;
  };
  MatchFound match_found() const;  // [any but audio]
  BlindNow blind() const;          // [any but audio]
  /// Keeps what is answered of the engine's blind trials; true for something new.  [any but audio]
  bool note_blind();
  std::vector<BlindRecord> blind_records() const;            // [any but audio]
  Contents contents() const;                                 // [any but audio]
  SlotPresets presets() const;                               // [any but audio]
  std::optional<std::string> headphone_eq_name() const;      // [any but audio]
  std::vector<std::string> notes() const;                    // [any but audio]
  Engine* engine() const noexcept { return engine_.get(); }  // [audio] may be null
  /// At the sample rate that a host has set, 0 where it has set none, also before it prepares.  [any but audio]
  int latency_frames(UpmixQuality quality, double sample_rate) const;
  Status status(Slot slot, Monitor monitor, bool in_room) const;                      // [any but audio]
  Status playing_status(Slot slot, Monitor monitor, bool in_room) const noexcept;     // [audio]
  float measured(Param id) const;                                                     // [any but audio] a read-only row
  double tail_s() const noexcept { return tail_s_.load(std::memory_order_relaxed); }  // [any]

 private:
  void note_contents();
  Status with_notes(Status status) const noexcept;
  bool take_blind_run();
  std::array<std::string, 2> compared_names(BlindPair pair) const;

  mutable std::mutex mutex_;
  Contents contents_;
  std::unique_ptr<Engine> engine_;
  bool is_prepared_ = false;
  std::string last_state_;
  bool is_blind_left_ = true;  // what there is of the engine's run is of before this session
  unsigned blind_number_ = 0;  // of the engine's run that is the last of the records
  std::atomic<double> tail_s_{0.0};
  std::atomic<bool> has_notes_{false};
};

}  // namespace forestage::plugin
