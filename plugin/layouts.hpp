// Channel layouts for hosts that cannot ask for one: beside the plugin itself (stereo to stereo, or what a VST3 host
// asks for) there is a variant for each of these numbers of outputs, a plugin of its own.
#pragma once

#include <algorithm>
#include <array>
#include <string>

namespace forestage::plugin {

inline constexpr std::array variant_outputs{3, 4, 5, 8, 16};  // append only: hosts know each by an id of its own

/// The plugin itself, and its variants.
inline constexpr auto all_outputs = [] {
  std::array<int, 1 + variant_outputs.size()> all{2};
  std::ranges::copy(variant_outputs, all.begin() + 1);
  return all;
}();

/// As hosts list it.
inline std::string plugin_name(int outputs) {
  return outputs == 2 ? "Forestage" : "Forestage " + std::to_string(outputs) + " Drivers";
}

}  // namespace forestage::plugin
