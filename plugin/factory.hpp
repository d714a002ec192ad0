// The factory presets, the plugin's programs: a folder of files beside the plugin's binary, so that a package holds
// them once. Only the names are read until somebody plays one, and instances share what is being played. What every new
// instance plays stays: hosts make one to look at it, and another one to play.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "preset.hpp"

namespace forestage::plugin {

class FactoryPresets {
 public:
  /// Says on stderr what is missing or broken, and does without it.  [main]
  FactoryPresets();
  explicit FactoryPresets(const std::filesystem::path& folder);

  int count() const noexcept { return static_cast<int>(all_.size()); }
  const std::string& name(int index) const { return all_[static_cast<std::size_t>(index)].name; }
  /// Reads the file unless an instance holds the preset; throws PresetError.  [any but audio]
  std::shared_ptr<const Preset> load(int index) const;
  /// Which factory preset this is, to the last tap; count() if it is none of them.  [any but audio]
  int index_of(const std::shared_ptr<const Preset>& preset) const;

 private:
  struct Entry {
    std::filesystem::path file;
    std::string name;
    mutable std::weak_ptr<const Preset> in_use;
  };
  static constexpr std::size_t first_count = 2;

  mutable std::mutex mutex_;  // of in_use and first_
  std::vector<Entry> all_;
  mutable std::array<std::shared_ptr<const Preset>, first_count> first_;
};

}  // namespace forestage::plugin
