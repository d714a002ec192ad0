// Channel layouts for hosts that cannot ask for one: beside the plugin itself (stereo to stereo, or what a VST3 host
// asks for) there is a variant for each of these numbers of outputs, a plugin of its own.
#pragma once

#include <array>

namespace forestage::plugin {

inline constexpr std::array variant_outputs{3, 4, 5, 8, 16};  // append only: hosts know each by an id of its own

}  // namespace forestage::plugin
