// Undo and redo of what was done in the window: knobs and what the slots hold. What a host automates is not in it.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "session.hpp"

namespace forestage::plugin {

/// What the two slots hold, and by which choice.
struct SlotContents {
  SlotPresets presets;
  std::array<std::optional<ChosenPreset>, 2> chosen;
};

struct KnobChange {
  Param id;
  float before, after;
};

struct Step {
  std::string text;  // what was done, as the buttons' tips say it
  std::vector<KnobChange> knobs;
  struct Slots {
    SlotContents before, after;
  };
  std::optional<Slots> slots;
};

class History {
 public:
  static constexpr std::size_t most_steps = 200;

  void add(Step step);
  /// The step to take back, or to do again; null when there is none. It stays the history's.
  const Step* undo();
  const Step* redo();
  const Step* last_done() const { return done_.empty() ? nullptr : &done_.back(); }
  const Step* last_undone() const { return undone_.empty() ? nullptr : &undone_.back(); }

 private:
  std::deque<Step> done_;
  std::deque<Step> undone_;
};

}  // namespace forestage::plugin
