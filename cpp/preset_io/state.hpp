// What a host keeps of the plugin in its session: all parameters, and both slots with their presets whole, so that a
// session opens on a machine that has none of the preset files.
//
//     {"forestage_state": 1, "parameters": {"amount": 100, ...}, "slots": {"a": PRESET, "b": PRESET},
//      "headphone_eq": EQUALISER, "chosen": {"a": {"name": "my-laptop", "position": 19}},
//      "blind": [{"method": "ABX", "pair": "Slots A And B", "a": "laptop", "b": "my-laptop", "planned": 12,
//                 "x": "ABBA...", "answers": "XYYX..."}, ...]}
//
// An empty slot is absent. The equaliser is null for headphones without one; where the key is absent (sessions of
// before, presets for hosts), nothing is said about headphones, and who loads the state keeps the equaliser there is.
// "blind" holds blind trials: what X was, and which of X and Y was liked better or taken for A. It is absent where
// there were none.
// "chosen" says where a slot's preset came from; it is absent for presets that came from elsewhere than the list.
//
// Sessions outlive versions, in both directions. An older one is brought up to date (migrate.hpp). Of a newer one all
// is read that this version knows, and nothing is lost: what it is read from stays in `kept`, and is written back with
// no more changed than what was changed here.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blind_trials.hpp"
#include "headphone_eq.hpp"
#include "packed_text.hpp"
#include "preset_io.hpp"

namespace forestage {

inline constexpr int state_version = 1;

/// A preset as a host chooses it from the plugin's list, whose order may be another one when the state is read.
struct ChosenPreset {
  std::string name;
  int position = 0;
  bool operator==(const ChosenPreset&) const = default;
};

/// Blind trials, and what A and B were then.
struct BlindRecord {
  BlindRun run;
  std::array<std::string, 2> names;
  bool operator==(const BlindRecord&) const = default;
};

struct PluginState {
  std::map<std::string, float> parameters = {};  // id -> value; parse_state gives every id of the table but the status
  std::shared_ptr<const Preset> a = {};          // null: the slot is empty
  std::shared_ptr<const Preset> b = {};
  bool has_headphone_eq = false;                 // whether the state says anything about headphones
  std::optional<HeadphoneEq> headphone_eq = {};  // null: they have no equaliser
  std::string kept = {};                         // the text it was read from, where that holds more than the above
  std::vector<std::string> notes = {};           // what of it could not be read, or is not known: place and reason
  std::array<std::optional<ChosenPreset>, 2> chosen = {};  // of slot a and b
  std::vector<BlindRecord> blind = {};                     // the oldest first
};

/// Throws PresetError when what it writes is one that could not be read back.
///
/// With `kept`, that text, in which only those parameters, slots and equalisers are exchanged that are no longer as
/// they were read. A preset that could not be read moves to "replaced" when another takes its slot.
std::string write_state(const PluginState& state);

/// What hosts keep of a state: its text, packed, with the presets as parts, which are packed once and last while they
/// stay.
std::string packed_preset(const Preset& preset);
/// `state` without presets, and packed_preset() of slots a and b, empty for an empty slot; throws PresetError for
/// parameters and equalisers that could not be read back. What was kept is left aside.
std::string packed_state(const PluginState& state, const std::array<std::string_view, 2>& presets);

/// The bytes that hosts keep, for a text of write_state().
std::string packed_state(std::string_view text);
/// The text of a state, packed or not; throws PresetError where the bytes are damaged.
std::string unpacked_state(std::string_view state);

/// Throws PresetError when the text at all: not JSON, or without the number of its version. Else each part
/// is read by itself; what cannot be read is empty, or has its default, and a note with a path like /slots/a/filters/0.
///
/// - A newer version of state or preset is noted. The presets of a newer schema are not read; a newer state's are.
/// - Keys of presets and equalisers that are not known are noted and left aside, as what is read may lack something.
/// - Parameters that are missing take the default; unknown ones stay in `parameters`, or, if they are no numbers, in
///   `kept`; values out of range go to the nearest in range, choices to the default.
/// - Other keys that this version does not know are left aside: what an old reader must know raises `forestage_state`.
/// - Packed or as a text, as sessions were before they were packed.
PluginState parse_state(std::string_view state);

/// A preset that somebody holds, by its packed bytes; null when nobody does.
using FindPreset = std::function<std::shared_ptr<const Preset>(std::string_view packed)>;

/// A state, and the packed bytes that its presets came from, which lie in what was read; empty where there are none, or
/// where more was kept.
struct ReadState {
  PluginState state;
  std::array<std::string_view, 2> packed;
};

/// The same; presets that `find` knows are not read again.
ReadState read_state(std::string_view state, const FindPreset& find);

}  // namespace forestage
