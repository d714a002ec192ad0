#include "state.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "json_tree.hpp"
#include "migrate.hpp"
#include "packed_text.hpp"
#include "params.hpp"
#include "read_preset.hpp"
#include "write_preset.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

constexpr std::array<Step, state_version - 1> state_steps{};
static_assert(is_whole(state_steps), "every version of a state needs a step to the next");

constexpr std::array<std::string_view, 6> keys{"forestage_state", "parameters", "slots",
                                               "headphone_eq",    "chosen",     "blind"};
constexpr std::array<std::string_view, 2> slot_keys{"a", "b"};
constexpr std::string_view slots_key = "\"slots\"";
// What parameters lose on their way through a host, as a share of their range
constexpr float rounding = 1e-5f;

// -- reading ----------------------------------------------------------------------------------------------------------

float sane_value(const ParamSpec& param, float value) {
  const float nearest = std::clamp(value, param.min_value, param.max_value);
  if (param.kind == ParamKind::linear) return nearest;
  return nearest == value && value == std::floor(value) ? value : param.default_value;
}

/// What is read of a state, and whether there is more to it.
struct Reading {
  PluginState state;
  bool has_more = false;
};

/// Runs what reads a part; what is wrong there becomes a note.
template <class Read>
void attempt(PluginState& state, Read read) {
  try {
    read();
  } catch (const PresetError& error) {
    state.notes.emplace_back(error.what());
  }
}

void read_value(const json& parameters, const ParamSpec& param, const Path& path, Reading& reading) {
  const std::string id = param_id(param);
  float& value = reading.state.parameters.try_emplace(id, param.default_value).first->second;
  const auto item = parameters.find(id);
  if (item != parameters.end() && !item->is_number()) fail_type(Path(path, id), *item, "a number");
  const float sane = sane_value(param, value);
  reading.has_more = reading.has_more || sane != value;
  value = sane;
}

void read_parameters(const json& node, const Path& path, Reading& reading) {
  for (const auto& [id, item] : node.items()) {
    if (!item.is_number()) {
      reading.has_more = true;
      continue;
    }
    constexpr double largest = std::numeric_limits<float>::max();
    reading.state.parameters[id] = static_cast<float>(std::clamp(item.get<double>(), -largest, largest));
  }
  for (const ParamSpec& param : params) {
    if (!is_kept(param)) {
      reading.state.parameters.erase(param_id(param));
    } else {
      attempt(reading.state, [&] { read_value(node, param, path, reading); });
    }
  }
}

/// The presets of a packed state: in its tree each is a number, which counts them.
struct PackedPresets {
  std::span<const std::string_view> parts;
  const FindPreset& find;
  std::array<std::string_view, 2> of_slots{};

  bool has(const json& node) const { return node.is_number_unsigned() && node.get<std::uint64_t>() < parts.size(); }

  std::shared_ptr<const Preset> read(std::size_t slot, const json& node, const Path& path) {
    of_slots[slot] = parts[node.get<std::size_t>()];
    if (auto found = find ? find(of_slots[slot]) : nullptr) return found;
    const json tree = parse_tree(unpack_part(of_slots[slot], state_limits.bytes), state_limits);
    return std::make_shared<const Preset>(read_preset(tree, path));
  }
};

std::shared_ptr<const Preset> read_slot(const json& slots, std::size_t slot, const Path& path, PackedPresets& packed) {
  const auto found = slots.find(slot_keys[slot]);
  if (found == slots.end()) return nullptr;
  const Path place(path, slot_keys[slot]);
  if (packed.has(*found)) return packed.read(slot, *found, place);
  return std::make_shared<const Preset>(read_preset(*found, place));
}

void read_slots(const json& node, const Path& path, PackedPresets& packed, Reading& reading) {
  for (const auto& [key, item] : node.items()) {
    reading.has_more = reading.has_more || std::ranges::find(slot_keys, key) == slot_keys.end();
  }
  attempt(reading.state, [&] { reading.state.a = read_slot(node, 0, path, packed); });
  attempt(reading.state, [&] { reading.state.b = read_slot(node, 1, path, packed); });
}

/// An object under a key; a state that lacks it has an empty one there, and a note.
json object_at(const json& tree, std::string_view key, const Path& root, PluginState& state) {
  json node = json::object();
  attempt(state, [&] { node = object(member(tree, key, root), Path(root, key)); });
  return node;
}

/// A hint for hosts, so what is wrong with it is no reason to refuse the state.
std::optional<ChosenPreset> read_chosen(const json& tree, std::string_view slot) {
  const auto all = tree.find("chosen");
  if (all == tree.end() || !all->is_object()) return std::nullopt;
  const auto found = all->find(slot);
  if (found == all->end() || !found->is_object()) return std::nullopt;
  const auto name = found->find("name");
  const auto position = found->find("position");
  if (name == found->end() || !name->is_string() || position == found->end() || !position->is_number_unsigned())
    return std::nullopt;
  constexpr std::uint64_t last_position = 65535;
  if (position->get<std::uint64_t>() > last_position) return std::nullopt;
  return ChosenPreset{name->get<std::string>(), position->get<int>()};
}

/// Letters as often as trials, of two kinds; true for the first kind.
std::vector<bool> read_letters(const json& node, std::string_view key, std::string_view kinds, const Path& path) {
  const json& item = member(node, key, path);
  if (!item.is_string()) fail_type(Path(path, key), item, "a text");
  std::vector<bool> letters;
  for (const char letter : item.get_ref<const std::string&>()) {
    if (kinds.find(letter) == std::string_view::npos) {
      fail(Path(path, key), "has \"" + std::string(1, letter) + "\"; must have " + std::string(1, kinds[0]) + " and " +
                                std::string(1, kinds[1]) + " only");
    }
    letters.push_back(letter == kinds[0]);
  }
  return letters;
}

template <class Enum>
Enum read_choice(const json& node, std::string_view key, const ParamSpec& row, const Path& path) {
  const json& item = member(node, key, path);
  const auto found =
      item.is_string() ? std::ranges::find(row.choices, item.get_ref<const std::string&>()) : row.choices.end();
  if (found == row.choices.end()) fail(Path(path, key), "must be one of the texts of " + param_id(row));
  return static_cast<Enum>(found - row.choices.begin());
}

BlindRecord read_record(const json& node, const Path& path) {
  object(node, path);
  BlindRecord record;
  BlindRun& run = record.run;
  run.method = read_choice<Blind>(node, "method", spec(Param::blind), path);
  run.pair = read_choice<BlindPair>(node, "pair", spec(Param::blind_pair), path);
  const json& planned = member(node, "planned", path);
  if (!planned.is_number_integer() || planned < 1 || planned > BlindTrials::most_trials) {
    fail(Path(path, "planned"), "must be a whole number from 1 to " + std::to_string(BlindTrials::most_trials));
  }
  run.planned = planned.get<int>();
  const auto x = read_letters(node, "x", "AB", path);
  const auto answers = read_letters(node, "answers", "XY", path);
  if (x.size() != answers.size() || x.size() > static_cast<std::size_t>(run.planned)) {
    fail(Path(path, "answers"), "must be as long as x, and no longer than planned");
  }
  for (std::size_t i = 0; i < x.size(); ++i) run.trials.push_back({x[i], answers[i]});
  for (std::size_t i = 0; i < record.names.size(); ++i) {
    const json& name = member(node, slot_keys[i], path);
    if (!name.is_string()) fail_type(Path(path, slot_keys[i]), name, "a text");
    record.names[i] = name.get<std::string>();
  }
  return record;
}

void read_records(const json& tree, const Path& root, PluginState& state) {
  const auto found = tree.find("blind");
  if (found == tree.end()) return;
  const Path path(root, "blind");
  attempt(state, [&] {
    if (!found->is_array()) fail_type(path, *found, "a list");
    for (std::size_t i = 0; i < found->size(); ++i) {
      state.blind.push_back(read_record((*found)[i], Path(path, i)));
    }
  });
}

Reading read_tree(const json& tree, PackedPresets& packed) {
  Reading reading;
  PluginState& state = reading.state;
  const Path root(state.notes);
  attempt(state, [&] { check_version(tree.at("forestage_state"), state_version, Path(root, "forestage_state")); });
  for (const auto& [key, item] : tree.items()) {
    reading.has_more = reading.has_more || std::ranges::find(keys, key) == keys.end();
  }
  read_parameters(object_at(tree, "parameters", root, state), Path(root, "parameters"), reading);
  read_slots(object_at(tree, "slots", root, state), Path(root, "slots"), packed, reading);
  if (const auto eq = tree.find("headphone_eq"); eq != tree.end()) {
    state.has_headphone_eq = true;
    attempt(state, [&] {
      if (!eq->is_null()) state.headphone_eq = read_headphone_eq(*eq, Path(root, "headphone_eq"));
    });
  }
  read_records(tree, root, state);
  for (std::size_t slot = 0; slot < slot_keys.size(); ++slot) state.chosen[slot] = read_chosen(tree, slot_keys[slot]);
  reading.has_more = reading.has_more || !state.notes.empty();
  return reading;
}

/// All of it is in the tree.
Reading read_tree(const json& tree) {
  PackedPresets none{{}, {}};
  return read_tree(tree, none);
}

json state_tree(std::string_view text) {
  const Path root;
  json tree = parse_tree(text, state_limits);
  check_is_version(member(tree, "forestage_state", root), state_version, Path(root, "forestage_state"));
  migrate(tree, "forestage_state", state_steps);
  return tree;
}

// -- writing ----------------------------------------------------------------------------------------------------------

constexpr std::string_view file_data_key = "\"data\"";

/// Provenance without the bytes of measured files, which a session has no use for. Names and hashes stay.
std::string without_file_data(const std::string& design_json) {
  json design = parse_tree(design_json, preset_limits);
  if (const auto files = design.find("files"); files != design.end() && files->is_object()) {
    for (json& file : *files) {
      if (file.is_object()) file.erase("data");
    }
  }
  return design.dump();
}

void write_chosen(TextWriter& out, const PluginState& state) {
  json tree = json::object();
  for (std::size_t slot = 0; slot < slot_keys.size(); ++slot) {
    if (const auto& chosen = state.chosen[slot])
      tree[std::string(slot_keys[slot])] = {{"name", chosen->name}, {"position", chosen->position}};
  }
  if (tree.empty()) return;
  out.key("chosen");
  out.raw(tree.dump());
}

json tree_of(const BlindRecord& record) {
  const BlindRun& run = record.run;
  std::string x, answers;
  for (const BlindTrial& trial : run.trials) {
    x += trial.x_is_first ? 'A' : 'B';
    answers += trial.answer_is_x ? 'X' : 'Y';
  }
  const auto text = [](Param id, auto choice) { return spec(id).choices[static_cast<std::size_t>(choice)]; };
  return {{"method", text(Param::blind, run.method)},
          {"pair", text(Param::blind_pair, run.pair)},
          {"a", record.names[0]},
          {"b", record.names[1]},
          {"planned", run.planned},
          {"x", x},
          {"answers", answers}};
}

void write_records(TextWriter& out, const std::vector<BlindRecord>& records) {
  if (records.empty()) return;
  json tree = json::array();
  for (const BlindRecord& record : records) tree.push_back(tree_of(record));
  out.key("blind");
  out.raw(tree.dump());
}

void write_preset_of_state(TextWriter& out, const Preset& preset) {
  if (preset.design_json.find(file_data_key) == std::string::npos) return write(out, preset);
  Preset kept = preset;
  kept.design_json = without_file_data(kept.design_json);
  write(out, kept);
}

/// All of a state but what is kept, as a text of this version; nobody has judged it.
/// `has_parts`: which slots have a mark in the place of their preset.
std::string unread_text_of(const PluginState& state, const std::array<bool, 2>& has_parts) {
  TextWriter out;
  out.begin('{');
  out.key("forestage_state");
  out.raw(std::to_string(state_version));
  out.key("parameters");
  write(out, state.parameters);
  out.key("slots");
  out.begin('{');
  for (std::size_t slot = 0; slot < slot_keys.size(); ++slot) {
    const auto& preset = slot == 0 ? state.a : state.b;
    if (!preset && !has_parts[slot]) continue;
    out.key(slot_keys[slot]);
    if (has_parts[slot]) {
      out.raw(std::string_view(&part_mark, 1));
    } else {
      write_preset_of_state(out, *preset);
    }
  }
  out.end();
  if (state.has_headphone_eq) {
    out.key("headphone_eq");
    if (state.headphone_eq) {
      write(out, *state.headphone_eq);
    } else {
      out.raw("null");
    }
  }
  write_chosen(out, state);
  write_records(out, state.blind);
  out.end();
  out.raw("\n");
  return std::move(out).take();
}

std::string text_of(const PluginState& state) {
  std::string text = unread_text_of(state, {});
  // The reader is the one place that knows what a state may be, so it judges what is written, too.
  if (const Reading again = read_tree(state_tree(text)); !again.state.notes.empty()) {
    throw PresetError(again.state.notes.front());
  }
  return text;
}

/// The member of an object, made when it is missing; null when that cannot be.
json* object_in(json& tree, std::string_view key) {
  json& node = tree.emplace(std::string(key), json::object()).first.value();
  return node.is_object() ? &node : nullptr;
}

bool is_same_value(const std::string& id, float value, float before) {
  const auto* const param = std::ranges::find(params, id, [](const ParamSpec& spec) { return param_id(spec); });
  const float range = param != std::end(params) ? param->max_value - param->min_value : 0.0f;
  return std::abs(value - before) <= rounding * range;
}

void change_parameters(json& tree, const PluginState& state, const PluginState& before, const json& now) {
  for (const auto& [id, value] : state.parameters) {
    const auto was = before.parameters.find(id);
    if (was != before.parameters.end() && is_same_value(id, value, was->second)) continue;
    if (json* const parameters = object_in(tree, "parameters")) (*parameters)[id] = now.at("parameters").at(id);
  }
}

void change_slot(json& tree, const std::string& key, const std::shared_ptr<const Preset>& preset,
                 const std::shared_ptr<const Preset>& before, const json& now) {
  if (preset == before || (preset && before && *preset == *before)) return;
  json* const slots = object_in(tree, "slots");
  if (slots == nullptr) return;
  if (!before && slots->contains(key)) {  // one that could not be read
    if (json* const replaced = object_in(tree, "replaced")) replaced->emplace(key, (*slots)[key]);
  }
  slots->erase(key);
  if (preset) (*slots)[key] = now.at("slots").at(key);
}

/// What was kept, with what has changed since.
std::string changed_text(const PluginState& state) {
  json tree = state_tree(state.kept);
  const PluginState before = read_tree(tree).state;
  const json now = state_tree(text_of(state));
  change_parameters(tree, state, before, now);
  change_slot(tree, "a", state.a, before.a, now);
  change_slot(tree, "b", state.b, before.b, now);
  if (state.has_headphone_eq && !(before.has_headphone_eq && state.headphone_eq == before.headphone_eq)) {
    tree["headphone_eq"] = now.at("headphone_eq");
  }
  tree.erase("chosen");
  if (state.blind != before.blind) tree["blind"] = now.at("blind");
  if (const auto chosen = now.find("chosen"); chosen != now.end()) tree["chosen"] = *chosen;
  TextWriter out;
  out.tree(tree);
  out.raw("\n");
  return std::move(out).take();
}

}  // namespace

std::string packed_preset(const Preset& preset) {
  TextWriter out;
  write_preset_of_state(out, preset);
  return pack(std::move(out).take());
}

std::string packed_state(const PluginState& state, const std::array<std::string_view, 2>& presets) {
  text_of(state);  // judges it
  std::vector<std::string_view> parts(presets.begin(), presets.end());
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  return join(unread_text_of(state, {!presets[0].empty(), !presets[1].empty()}), parts);
}

std::string packed_state(std::string_view text) { return join(text, {}); }

std::string unpacked_state(std::string_view state) {
  return is_packed(state) ? unpack(state, state_limits.bytes) : std::string(state);
}

std::string write_state(const PluginState& state) { return state.kept.empty() ? text_of(state) : changed_text(state); }

ReadState read_state(std::string_view state, const FindPreset& find) {
  const PackedText packed = is_packed(state) ? split(state, state_limits.bytes) : PackedText{};
  const std::string text = with_parts(packed, [](std::size_t k) { return std::to_string(k); });
  PackedPresets presets{packed.parts, find};
  Reading reading = read_tree(state_tree(is_packed(state) ? text : state), presets);
  if (!reading.has_more) return {std::move(reading.state), presets.of_slots};
  reading.state.kept = unpacked_state(state);
  return {std::move(reading.state), {}};
}

PluginState parse_state(std::string_view state) { return read_state(state, {}).state; }

}  // namespace forestage
