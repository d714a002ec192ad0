// Presets as menus show them: those of the factory by device and variant, a user's by folder.
#pragma once

#include <string>
#include <vector>

#include "preset_list.hpp"

namespace forestage::plugin {

/// One preset, or several under a title.
struct PresetNode {
  std::string title;
  int position = -1;  // in the list; -1 where it only holds others
  std::vector<PresetNode> nodes = {};
};

/// A name that begins with another one's words is a variant of it: "TV Close" of "TV".
std::vector<PresetNode> presets_by_device(const PresetList& list);
std::vector<PresetNode> presets_by_folder(const PresetList& list);

}  // namespace forestage::plugin
