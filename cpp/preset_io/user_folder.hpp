// Where a user keeps presets: the plugin, its window and Python look into the same folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace forestage {

/// $XDG_DATA_HOME/forestage/presets, on macOS and Windows the usual place of such data; empty where there is no home.
std::filesystem::path user_preset_folder();

struct UserPreset {
  std::string name;  // of the file, with the folders it is in: "car/front"
  std::filesystem::path file;
};

/// The *.json files in it by name, folders in it included, four deep; links to folders are not followed. No more than
/// the first ten thousand entries are looked at.
std::vector<UserPreset> user_presets();

/// Why there is a folder that cannot be looked into; empty where it can, or is not there yet.
std::string user_folder_problem();

}  // namespace forestage
