// What a host keeps of the plugin in its session: all parameters, and both slots with their presets whole, so that a
// session opens on a machine that has none of the preset files.
//
//     {"forestage_state": 1, "parameters": {"amount": 100, ...}, "slots": {"a": PRESET, "b": PRESET},
//      "headphone_eq": EQUALISER}
//
// An empty slot is absent. The equaliser is null for headphones without one; where the key is absent (sessions of
// before, presets for hosts), nothing is said about headphones, and who loads the state keeps the equaliser there is.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "headphone_eq.hpp"
#include "preset_io.hpp"

namespace forestage {

inline constexpr int state_version = 1;

struct PluginState {
  std::map<std::string, float> parameters;  // id -> value; parse_state gives every id of the table but the status
  std::optional<Preset> a;
  std::optional<Preset> b;
  bool has_headphone_eq = false;            // whether the state says anything about headphones
  std::optional<HeadphoneEq> headphone_eq;  // null: they have no equaliser
};

/// Throws PresetError when a preset in it is one that could not be read back.
std::string write_state(const PluginState& state);

/// All or nothing: throws PresetError with paths like /slots/a/filters/0, and the caller keeps the state it has.
///
/// Presets are as strict as in files. The parameters around them are not, because sessions outlive versions, in both
/// directions:
/// - ids that are missing (the session is older than the parameter) take the default;
/// - ids that this version does not know (the session is newer) stay in `parameters`, so that a plugin that writes back
/// what
///   it read loses nothing;
/// - values out of range (a later version widened it) go to the nearest in range, choices to the default;
/// - other keys that this version does not know are skipped; what an old reader must not skip raises `forestage_state`.
PluginState parse_state(std::string_view json);

}  // namespace forestage
