// Steinberg's .vstpreset container around the plugin's state (VST 3 SDK, "VST 3 preset file format").
#pragma once

#include <filesystem>
#include <string_view>

#include "state.hpp"

namespace forestage {

/// The state in a file of ours, as a host or `forestage export` saved it; throws std::invalid_argument that says what
/// is wrong. It is a part of `bytes`.
std::string_view state_of_vstpreset(std::string_view bytes);

/// parse_state of what is in a file; messages begin with its name.  [any but audio]
PluginState read_vstpreset(const std::filesystem::path& file);

}  // namespace forestage
