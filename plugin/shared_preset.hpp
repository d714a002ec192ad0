// Presets that instances hold, each once, with what hosts keep of it: sessions bring theirs whole, and most bring the
// same.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "preset.hpp"

namespace forestage::plugin {

/// The preset, or the equal one that somebody holds.  [any but audio]
std::shared_ptr<const Preset> shared_preset(std::shared_ptr<const Preset> preset);
/// The one that somebody holds with these packed bytes; null when nobody does.  [any but audio]
std::shared_ptr<const Preset> held_preset(std::string_view packed);
/// packed_preset() of what somebody holds, made once; with `packed`, these are the bytes.  [any but audio]
std::shared_ptr<const std::string> shared_packed(const std::shared_ptr<const Preset>& preset,
                                                 std::string_view packed = {});

}  // namespace forestage::plugin
