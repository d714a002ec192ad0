// What is loaded: the engine, the presets in its two slots and the equaliser of the headphones. Every call but `engine()` takes a mutex that the audio
// thread never takes. `prepare` replaces the engine, so the host must not be processing; JUCE's callback lock, which
// the format wrappers hold around each block anyway, guards the swap against hosts that are.
#pragma once

#include <juce_core/juce_core.h>

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine.hpp"
#include "parameters.hpp"
#include "preset.hpp"
#include "state.hpp"

namespace forestage::plugin {

using SlotPresets = std::array<std::shared_ptr<const Preset>, 2>;  // A, B; null = empty

struct Contents {
  SlotPresets presets;
  std::optional<HeadphoneEq> headphone_eq;
  std::map<std::string, float> unknown_parameters = {};  // of a later version; written back as they are
  std::string kept = {};                                 // as in PluginState
  std::vector<std::string> notes = {};                   // as in PluginState
};

/// What a host keeps of it.
PluginState state_of(const Contents& contents, std::map<std::string, float> parameters);

class Session {
 public:
  /// Sizes the engine and loads what the slots hold; throws std::exception and then has no engine.  [main, audio
  /// stopped]
  void prepare(const EngineSpec& spec, const juce::CriticalSection& callback_lock);
  /// Loads one slot; on a throw all stays as it was.  [any but audio]
  void load(Slot slot, std::shared_ptr<const Preset> preset);
  /// Loads both slots and the equaliser, or on a throw nothing.  [any but audio]
  void load(Contents contents);
  /// On a throw all stays as it was.  [any but audio]
  void set_headphone_eq(std::optional<HeadphoneEq> eq);

  Contents contents() const;                                                          // [any but audio]
  std::optional<std::string> headphone_eq_name() const;                               // [any but audio]
  std::vector<std::string> notes() const;                                             // [any but audio]
  Engine* engine() const noexcept { return engine_.get(); }                           // [audio] may be null
  int latency_frames(const HostParameters& parameters) const;                         // [any but audio]
  Status status(const HostParameters& parameters) const;                              // [any but audio]
  float measured(Param id) const;                                                     // [any but audio] a read-only row
  double tail_s() const noexcept { return tail_s_.load(std::memory_order_relaxed); }  // [any]

 private:
  void note_tail();

  mutable std::mutex mutex_;
  Contents contents_;
  std::unique_ptr<Engine> engine_;
  std::atomic<double> tail_s_{0.0};
};

}  // namespace forestage::plugin
