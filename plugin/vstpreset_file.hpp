// Steinberg's .vstpreset container around the plugin's state (VST 3 SDK, "VST 3 preset file format").
#pragma once

#include <filesystem>

#include "state.hpp"

namespace forestage::plugin {

/// The state in a file of ours, as a host or `forestage export` saved it; throws std::exception that says what is
/// wrong.  [any but audio]
PluginState read_vstpreset(const std::filesystem::path& file);

}  // namespace forestage::plugin
