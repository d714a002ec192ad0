// Preset files: JSON text <-> Preset. The only parser; plugin and Python share it.
//
//     text ── json_tree (size, depth, UTF-8, duplicate keys) ── read (preset_fields.hpp) ── checks ── Preset
//
// Strict: unknown keys, wrong types, values out of range and NaN are errors. All calls: [main or worker], allocate,
// throw. Safe on hostile input: time and memory are bounded by the limits in json_tree.hpp, whatever the text.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "preset.hpp"
#include "preset_error.hpp"

namespace forestage {

Preset parse_preset(std::string_view json);

/// parse_preset of a file; messages begin with its path.
Preset load_preset(const std::filesystem::path& file);

/// The name alone: reads no further than there, so that a list of presets costs next to nothing. Throws PresetError.
std::string preset_name(const std::filesystem::path& file);

/// Throws PresetError, too, so that whatever this returns can be read back.
std::string write_preset(const Preset& preset);

/// Taps as the text that a preset has for them, and back.
std::string write_fir(const Fir& taps);
Fir parse_fir(std::string_view text);

/// JSON Schema, draft 2020-12, of what parse_preset reads. Checks across fields (counts that must agree) are not in it.
std::string preset_schema_json();

}  // namespace forestage
