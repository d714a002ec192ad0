// Presets that instances hold, each once: sessions bring theirs whole, and most bring the same.
#pragma once

#include <memory>

#include "preset.hpp"

namespace forestage::plugin {

/// The preset, or the equal one that somebody holds.  [any but audio]
std::shared_ptr<const Preset> shared_preset(Preset preset);

}  // namespace forestage::plugin
