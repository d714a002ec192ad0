// Trees of older versions become trees of the newest, one step a version, so that readers know the newest alone.
//
//     {"schema": 1, ...} ── steps[0] ──▶ {"schema": 2, ...} ── steps[1] ──▶ {"schema": 3, ...}
//
// A new version of a format is its number, a step where it is read, and a golden file of the release before in
// tests/golden/states.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

#include "errors.hpp"

namespace forestage::preset_detail {

/// From one version to the next, but for the number.  [pure]
using Step = void (*)(json& tree);

/// Whether there is a step for every version.
constexpr bool is_whole(std::span<const Step> steps) {
  return std::ranges::none_of(steps, [](Step step) { return step == nullptr; });
}

/// Takes all steps from the version that the tree has under `key`, which is a whole number from 1, and notes the newest
/// there. What is newer stays as it is.
void migrate(json& tree, std::string_view key, std::span<const Step> steps);

}  // namespace forestage::preset_detail
