// What the two slots of an engine hold, and the graphs that play it: built on the main thread before any is handed
// over.
#pragma once

#include <array>
#include <memory>

#include "graph.hpp"
#include "headphone_eq.hpp"
#include "param_store.hpp"
#include "preset.hpp"

namespace forestage {

/// What a slot holds, to build again when the latency moves; empty without a source.
struct SlotPreset {
  std::shared_ptr<const Preset> source;
  std::shared_ptr<const Preset> at_rate;  // null where it would be larger than the source: it is converted again
  int latency_frames = 0;                 // of a graph without padding
};

/// Both slots, which share one latency and one equaliser.
struct SlotContents {
  std::array<SlotPreset, 2> slots;
  EarFirs headphone_eq;    // at the engine's rate; empty = none
  int latency_frames = 0;  // of all graphs
};

/// Contents, and what has to be handed over for them.
struct SlotPlan {
  SlotContents contents;
  std::array<bool, 2> is_new{};
  std::array<std::unique_ptr<Graph>, 2> graphs{};  // null for a slot that falls empty
};

class SlotPlanner {
 public:
  /// `spec` as for a graph, without its latency.
  SlotPlanner(const GraphSpec& spec, int most_latency_frames)
      : spec_(spec), most_latency_frames_(most_latency_frames) {}

  SlotPreset at_engine_rate(std::shared_ptr<const Preset> source) const;
  EarFirs firs_of(const std::optional<HeadphoneEq>& eq) const;
  /// Builds what is new, and what has to move. Parameters stand where they will: nothing is left for the first block.
  /// Throws std::invalid_argument with a message that a user can act on.
  SlotPlan plan(std::array<SlotPreset, 2> wanted, std::array<bool, 2> is_new, EarFirs eq, const ParamStore& store,
                const Levels& common) const;
  /// What the next plan is measured against.
  void keep(SlotContents contents);
  const std::array<SlotPreset, 2>& slots() const noexcept { return held_.slots; }
  const EarFirs& headphone_eq() const noexcept { return held_.headphone_eq; }

 private:
  std::unique_ptr<Graph> build(const Preset& preset, const SlotContents& among) const;

  GraphSpec spec_;
  int most_latency_frames_;
  SlotContents held_;
};

}  // namespace forestage
