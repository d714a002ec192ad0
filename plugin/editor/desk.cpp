#include "desk.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "parameter_text.hpp"
#include "preset_io.hpp"
#include "vstpreset.hpp"

namespace forestage::plugin {
namespace {

constexpr float same = 1e-4f;  // hosts hold a value from 0 to 1, so that it comes back rounded
constexpr juce::int64 largest_file_bytes = 256 << 20;

juce::String text_of(std::string_view text) {
  return juce::String::fromUTF8(text.data(), static_cast<int>(text.size()));
}

}  // namespace

juce::String Desk::text(Param id, float plain) const {
  const auto& row = spec(id);
  const auto number = text_of(row, plain);
  if (!has_any_value(row)) return number;
  if (row.unit == "deg") return number + juce::String::fromUTF8("\u00b0");
  if (is_percent(row)) return number + " %";
  return row.unit.empty() ? number : number + " " + text_of(row.unit);
}

juce::String Desk::text(Param id) const { return text(id, value(id)); }

float Desk::value_of(Param id, const juce::String& typed) const {
  const ParamSpec& row = spec(id);
  return plugin::value_of(row, typed.replaceCharacter(',', '.')).value_or(value(id));
}

float Desk::usual(Param id) const {
  const auto playing = preset(slot());
  return playing != nullptr && spec(id).in_preset ? setting(*playing, spec(id)) : spec(id).default_value;
}

void Desk::begin(Param id) {
  gestures_.emplace(id, value(id));
  plugin_.begin(id);
}

void Desk::set(Param id, float plain) { plugin_.set(id, std::clamp(plain, spec(id).min_value, spec(id).max_value)); }

void Desk::end(Param id) {
  plugin_.end(id);
  const auto held = gestures_.extract(id);
  if (held.empty() || std::abs(held.mapped() - value(id)) < same) return;
  history_.add({std::string(spec(id).name), {{id, held.mapped(), value(id)}}, {}});
}

void Desk::change(Param id, float plain) {
  begin(id);
  set(id, plain);
  end(id);
}

std::shared_ptr<const Preset> Desk::preset(Slot slot) const {
  return plugin_.session().presets()[static_cast<std::size_t>(slot)];
}

juce::String Desk::name(Slot slot) const {
  const auto held = preset(slot);
  return held != nullptr ? text_of(held->name) : juce::String("Empty");
}

bool Desk::differs() const {
  const auto playing = preset(slot());
  if (playing == nullptr) return false;
  for (std::size_t i = 0; i < param_count; ++i) {
    const auto id = static_cast<Param>(i);
    const float range = params[i].max_value - params[i].min_value;
    if (params[i].in_preset && std::abs(value(id) - setting(*playing, params[i])) > same * range) return true;
  }
  return false;
}

const PresetCurves* Desk::curves(Slot slot) {
  auto& curves = curves_[static_cast<std::size_t>(slot)];
  const auto held = preset(slot);
  if (held == nullptr) curves = nullptr;
  if (held != nullptr && (curves == nullptr || curves->preset() != held)) curves = std::make_unique<PresetCurves>(held);
  return curves.get();
}

bool Desk::follow_knobs(ParamValues& seen) const {
  bool have_moved = false;
  for (std::size_t i = 0; i < param_count; ++i) {
    const float now = value(static_cast<Param>(i));
    have_moved |= params[i].in_preset && now != seen[i];
    seen[i] = now;
  }
  return have_moved;
}

void Desk::copy_knobs(ParamStore& to) const {
  for (std::size_t i = 0; i < param_count; ++i) to.set(static_cast<Param>(i), value(static_cast<Param>(i)));
}

void Desk::toggle_slot() { change(Param::slot, value(Param::slot) < 0.5f ? 1.0f : 0.0f); }

Desk::Knobs Desk::knobs() const {
  Knobs all;
  for (std::size_t i = 0; i < param_count; ++i) {
    if (is_kept(params[i])) all[static_cast<Param>(i)] = value(static_cast<Param>(i));
  }
  return all;
}

SlotContents Desk::slots() const {
  auto contents = plugin_.session().contents();
  return {std::move(contents.presets), std::move(contents.chosen)};
}

/// What goes wrong is said; what goes right is one step back.
void Desk::do_step(std::string text, const std::function<void()>& action) {
  const Knobs knobs_before = knobs();
  SlotContents before = slots();
  try {
    action();
  } catch (const std::exception& error) {
    say(text_of(error.what()));
    return;
  }
  say({});
  Step step{std::move(text), {}, Step::Slots{std::move(before), slots()}};
  for (const auto& [id, now] : knobs()) {
    if (knobs_before.at(id) != now) step.knobs.push_back({id, knobs_before.at(id), now});
  }
  history_.add(std::move(step));
}

void Desk::choose(int position) {
  const auto list = plugin_.presets();
  if (position < 0 || position >= list->count()) return;
  do_step("Preset " + list->name(position), [&] {
    plugin_.load(slot(), list->load(position), ChosenPreset{list->name(position), position});
  });
}

void Desk::step_preset(int steps) {
  const int count = plugin_.presets()->count();
  if (count == 0) return;
  const int now = plugin_.position();
  const int next = now < count ? now + steps : (steps > 0 ? 0 : count - 1);
  choose((next % count + count) % count);
}

void Desk::reload() {
  plugin_.reload_presets();
  const int now = plugin_.position();
  if (now >= plugin_.presets()->factory_count() && now < plugin_.presets()->count()) choose(now);
}

void Desk::open(const juce::File& file) {
  do_step("Open " + file.getFileName().toStdString(), [&] {
    if (file.getSize() > largest_file_bytes) {
      throw std::invalid_argument(file.getFileName().toStdString() +
                                  " is larger than any preset: " + std::to_string(file.getSize() >> 20) + " MiB");
    }
    const auto path = file.getFullPathName().toStdString();
    if (!file.hasFileExtension("vstpreset")) {
      return plugin_.load(slot(), std::make_shared<const Preset>(load_preset(path)), std::nullopt);
    }
    PluginState state = read_vstpreset(path);
    const bool is_b = state.parameters[param_id(spec(Param::slot))] >= 0.5f;
    const auto& found = (is_b && state.b) || !state.a ? state.b : state.a;
    if (!found) throw std::invalid_argument(file.getFileName().toStdString() + ": both slots are empty");
    Preset playing = *found;
    for (const ParamSpec& row : params) {
      if (row.in_preset) playing.parameters[param_id(row)] = state.parameters[param_id(row)];
    }
    plugin_.load(slot(), std::make_shared<const Preset>(std::move(playing)), std::nullopt);
  });
}

void Desk::save(const juce::File& file) {
  try {
    const auto playing = preset(slot());
    if (playing == nullptr) throw std::invalid_argument("The slot is empty, so there is nothing to save.");
    Preset kept = *playing;
    kept.name = file.getFileNameWithoutExtension().toStdString();
    for (std::size_t i = 0; i < param_count; ++i) {
      if (params[i].in_preset) kept.parameters[param_id(params[i])] = value(static_cast<Param>(i));
    }
    const juce::TemporaryFile whole(file);
    const auto written = file.getParentDirectory().createDirectory();
    if (written.failed() || !whole.getFile().replaceWithText(text_of(write_preset(kept)), false, false, "\n") ||
        !whole.overwriteTargetFileWithTemporary()) {
      throw std::runtime_error(file.getFullPathName().toStdString() + " cannot be written");
    }
    open(file);
  } catch (const std::exception& error) {
    say(text_of(error.what()));
  }
}

bool Desk::can_keep_match() const {
  return value(Param::level_match) == static_cast<float>(LevelMatch::programme) && value(Param::amount) == 100.0f &&
         preset(slot()) != nullptr;
}

void Desk::keep_match() {
  const auto playing = preset(slot());
  if (!can_keep_match()) return;
  do_step("Keep gain in " + std::string(1, "AB"[static_cast<std::size_t>(slot())]), [&] {
    auto kept = std::make_shared<Preset>(*playing);
    for (std::size_t i = 0; i < param_count; ++i) {
      if (params[i].in_preset) kept->parameters[param_id(params[i])] = value(static_cast<Param>(i));
    }
    kept->parameters[param_id(spec(Param::level_match))] = static_cast<float>(LevelMatch::calibrated);
    const bool in_room = value(Param::room) > 0.5f && kept->room;
    Loudness& loudness = in_room ? kept->room->loudness : kept->loudness;
    loudness = matched(loudness, plugin_.session().match_found().ears_db[static_cast<std::size_t>(slot())]);
    plugin_.load(slot(), std::move(kept), std::nullopt);
  });
}

void Desk::copy_to_other() {
  const Slot from = slot();
  const Slot to = from == Slot::a ? Slot::b : Slot::a;
  do_step(from == Slot::a ? "Copy A to B" : "Copy B to A", [&] {
    SlotContents next = slots();
    const auto a = static_cast<std::size_t>(from);
    const auto b = static_cast<std::size_t>(to);
    next.presets[b] = next.presets[a];
    next.chosen[b] = next.chosen[a];
    plugin_.put_back(next.presets, next.chosen);
  });
}

void Desk::swap() {
  do_step("Swap A and B", [&] {
    SlotContents next = slots();
    std::swap(next.presets[0], next.presets[1]);
    std::swap(next.chosen[0], next.chosen[1]);
    plugin_.put_back(next.presets, next.chosen);
  });
}

void Desk::take_back(const Step& step, bool is_undo) {
  try {
    if (step.slots) {
      const SlotContents& to = is_undo ? step.slots->before : step.slots->after;
      plugin_.put_back(to.presets, to.chosen);
    }
  } catch (const std::exception& error) {
    return say(text_of(error.what()));
  }
  for (const KnobChange& knob : step.knobs) {
    plugin_.begin(knob.id);
    set(knob.id, is_undo ? knob.before : knob.after);
    plugin_.end(knob.id);
  }
  say({});
}

void Desk::undo() {
  if (const Step* step = history_.undo()) take_back(*step, true);
}

void Desk::redo() {
  if (const Step* step = history_.redo()) take_back(*step, false);
}

}  // namespace forestage::plugin
