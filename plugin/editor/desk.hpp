// What the window does with the plugin: knobs, presets, undo, and what there is to say about them. No components here.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "curves.hpp"
#include "history.hpp"
#include "plugin_model.hpp"

namespace forestage::plugin {

class Desk {
 public:
  explicit Desk(PluginModel& plugin) : plugin_(plugin) {}

  PluginModel& plugin() noexcept { return plugin_; }

  float value(Param id) const { return plugin_.value(id); }
  /// As a host shows it, with its unit.
  juce::String text(Param id) const;
  juce::String text(Param id, float plain) const;
  /// What somebody typed, in the parameter's unit; the value as it is when that says nothing.
  float value_of(Param id, const juce::String& typed) const;
  /// What a double click goes back to: the playing preset's wish, or the default.
  float usual(Param id) const;
  /// One gesture is one step of the history.
  void begin(Param id);
  void set(Param id, float plain);
  void end(Param id);
  void change(Param id, float plain);

  Slot slot() const { return static_cast<Slot>(static_cast<int>(value(Param::slot))); }
  std::shared_ptr<const Preset> preset(Slot slot) const;
  juce::String name(Slot slot) const;
  /// Whether knobs are not as the playing preset has them.
  bool differs() const;

  /// The evaluator of what a slot holds, made when it is first asked for; null for an empty slot.
  const PresetCurves* curves(Slot slot);
  /// Whether knobs that presets hold have moved since `seen`, which becomes what they are.
  bool follow_knobs(ParamValues& seen) const;
  /// All knobs as they are, as the evaluator takes them.
  void copy_knobs(ParamStore& to) const;

  void toggle_slot();
  /// Each loads the playing slot; what is wrong becomes the notice, and the slot keeps what it has.
  void choose(int position);
  void step_preset(int steps);
  /// Looks into the user's folder again, and reads what plays again where that came from the list.
  void reload();
  void open(const juce::File& file);
  void save(const juce::File& file);
  /// Programme has found a gain for the slot that plays, whole: preset and knobs can have it for Calibrated to play.
  bool can_keep_match() const;
  void keep_match();
  void copy_to_other();
  void swap();

  void undo();
  void redo();
  const Step* undoable() const { return history_.last_done(); }
  const Step* redoable() const { return history_.last_undone(); }

  /// Stays until it is dismissed, or something goes right.
  const juce::String& notice() const noexcept { return notice_; }
  void say(juce::String notice) { notice_ = std::move(notice); }

 private:
  using Knobs = std::map<Param, float>;
  Knobs knobs() const;
  SlotContents slots() const;
  void do_step(std::string text, const std::function<void()>& action);
  void take_back(const Step& step, bool is_undo);

  PluginModel& plugin_;
  History history_;
  std::array<std::unique_ptr<PresetCurves>, 2> curves_;
  std::map<Param, float> gestures_;  // knobs that are held, as they were
  juce::String notice_;
};

}  // namespace forestage::plugin
