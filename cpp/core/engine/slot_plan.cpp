#include "slot_plan.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "preset_at_rate.hpp"

namespace forestage {
namespace {

constexpr double most_kept_rate = 50000.0;  // up to here a converted preset is no larger than its source

}  // namespace

SlotPreset SlotPlanner::at_engine_rate(std::shared_ptr<const Preset> source) const {
  if (source == nullptr) return {};
  auto converted = shared_at_rate(source, checked_rate(spec_.sample_rate));
  const int latency_frames = graph_latency_frames(*converted);
  return {std::move(source), std::move(converted), latency_frames};
}

EarFirs SlotPlanner::firs_of(const std::optional<HeadphoneEq>& eq) const {
  return eq ? headphone_firs(*eq, checked_rate(spec_.sample_rate)) : EarFirs{};
}

SlotPlan SlotPlanner::plan(std::array<SlotPreset, 2> wanted, std::array<bool, 2> is_new, EarFirs eq,
                           const ParamStore& store, const Levels& common) const {
  SlotPlan next{{std::move(wanted), std::move(eq), 0}, is_new, {}};
  SlotContents& contents = next.contents;
  for (const SlotPreset& slot : contents.slots) {
    const int longest = slot.latency_frames + std::ranges::max(upmix_latency_frames(spec_.sample_rate));
    if (longest > most_latency_frames_) {
      throw std::invalid_argument("preset \"" + slot.source->name + "\" has a latency of " + std::to_string(longest) +
                                  " frames; at most half a second would be right");
    }
    contents.latency_frames = std::max(contents.latency_frames, slot.latency_frames);
  }
  const bool all_move = contents.latency_frames != held_.latency_frames || contents.headphone_eq != held_.headphone_eq;
  for (std::size_t s = 0; s < contents.slots.size(); ++s) {
    const SlotPreset& slot = contents.slots[s];
    if (slot.source == nullptr) continue;
    next.is_new[s] = next.is_new[s] || all_move;
    if (!next.is_new[s]) continue;
    const auto preset = slot.at_rate ? slot.at_rate : shared_at_rate(slot.source, checked_rate(spec_.sample_rate));
    next.graphs[s] = build(*preset, contents);
    next.graphs[s]->follow(store, common);
    next.graphs[s]->reset();
  }
  return next;
}

std::unique_ptr<Graph> SlotPlanner::build(const Preset& preset, const SlotContents& among) const {
  GraphSpec spec = spec_;
  spec.latency_frames = among.latency_frames;
  if (among.headphone_eq == EarFirs{}) return std::make_unique<Graph>(preset, spec);
  return std::make_unique<Graph>(equalised(preset, among.headphone_eq), spec);
}

void SlotPlanner::keep(SlotContents contents) {
  held_ = std::move(contents);
  if (spec_.sample_rate <= most_kept_rate) return;
  for (SlotPreset& slot : held_.slots) slot.at_rate = nullptr;
}

}  // namespace forestage
