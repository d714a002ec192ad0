// JSON text -> tree, with limits that hold while the text is read, so that hostile input costs little.
#pragma once

#include <cstddef>
#include <string_view>

#include "errors.hpp"

namespace forestage::preset_detail {

struct Limits {
  std::size_t bytes;   // of the text, checked before anything is read
  std::size_t values;  // nodes of the tree: a byte of text can cost 16 bytes of tree
  std::size_t depth;   // the top level is 1
};

// Shipped presets have up to 1.7 MB, a few thousand values and 6 levels.
inline constexpr Limits preset_limits{std::size_t{64} << 20U, std::size_t{1} << 20U, 32};
// Room for two whole presets, two levels down, and for an equaliser.
inline constexpr Limits state_limits{2 * preset_limits.bytes + (std::size_t{8} << 20U),
                                     2 * preset_limits.values + 32768, preset_limits.depth + 2};

/// Throws PresetError on text that is not JSON in UTF-8 or UTF-16 (with a byte order mark or without), has a key twice
/// in an object, or exceeds a limit.
json parse_tree(std::string_view text, const Limits& limits);

}  // namespace forestage::preset_detail
