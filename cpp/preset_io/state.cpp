#include "state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "json_tree.hpp"
#include "params.hpp"
#include "read_preset.hpp"
#include "write_preset.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

float sane_value(const ParamSpec& param, float value) {
  const float nearest = std::clamp(value, param.min_value, param.max_value);
  if (param.kind == ParamKind::linear) return nearest;
  return nearest == value && value == std::floor(value) ? value : param.default_value;
}

std::map<std::string, float> read_parameters(const json& node, const Path& path) {
  std::map<std::string, float> values;
  for (const auto& [id, item] : object(node, path).items()) {
    if (!item.is_number()) fail_type(Path(path, id), item, "a number");
    constexpr double largest = std::numeric_limits<float>::max();
    values[id] = static_cast<float>(std::clamp(item.get<double>(), -largest, largest));
  }
  for (const ParamSpec& param : params) {
    const std::string id = param_id(param);
    if (param.kind == ParamKind::status) {
      values.erase(id);
    } else {
      const auto slot = values.try_emplace(id, param.default_value).first;
      slot->second = sane_value(param, slot->second);
    }
  }
  return values;
}

std::optional<Preset> read_slot(const json& slots, std::string_view key, const Path& path) {
  const auto found = slots.find(key);
  if (found == slots.end()) return std::nullopt;
  return read_preset(*found, Path(path, key));
}

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

void write_slot(TextWriter& out, std::string_view key, const std::optional<Preset>& preset) {
  if (!preset) return;
  Preset kept = *preset;
  if (!kept.design_json.empty()) kept.design_json = without_file_data(kept.design_json);
  out.key(key);
  write(out, kept);
}

}  // namespace

std::string write_state(const PluginState& state) {
  TextWriter out;
  out.begin('{');
  out.key("forestage_state");
  out.raw(std::to_string(state_version));
  out.key("parameters");
  write(out, state.parameters);
  out.key("slots");
  out.begin('{');
  write_slot(out, "a", state.a);
  write_slot(out, "b", state.b);
  out.end();
  if (state.has_headphone_eq) {
    out.key("headphone_eq");
    if (state.headphone_eq) {
      write(out, *state.headphone_eq);
    } else {
      out.raw("null");
    }
  }
  out.end();
  out.raw("\n");
  std::string text = std::move(out).take();
  parse_state(text);
  return text;
}

PluginState parse_state(std::string_view json_text) {
  const Path root;
  const json tree = parse_tree(json_text, state_limits);
  const Path version(root, "forestage_state");
  check_version(member(tree, "forestage_state", root), state_version, version);
  PluginState state;
  state.parameters = read_parameters(member(tree, "parameters", root), Path(root, "parameters"));
  const Path slots_path(root, "slots");
  const json& slots = object(member(tree, "slots", root), slots_path);
  state.a = read_slot(slots, "a", slots_path);
  state.b = read_slot(slots, "b", slots_path);
  if (const auto eq = tree.find("headphone_eq"); eq != tree.end()) {
    state.has_headphone_eq = true;
    if (!eq->is_null()) state.headphone_eq = read_headphone_eq(*eq, Path(root, "headphone_eq"));
  }
  return state;
}

}  // namespace forestage
