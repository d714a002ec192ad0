// The presets that a host chooses from: the factory presets, then the user's own by name, each at a position.
//
//     position   0 … f-1             f … f+u-1                         … 127
//                factory, in order   the user's *.json, sorted         127: a preset from elsewhere ("Custom")
//
// Hosts keep positions as numbers from 0 to 1, so there are as many in every version and on every machine. The user's
// files lie in user_preset_folder(); they are read when they are chosen.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "factory.hpp"
#include "preset.hpp"
#include "user_folder.hpp"

namespace forestage::plugin {

class PresetList {
 public:
  static constexpr int positions = 128;
  static constexpr int custom = positions - 1;

  PresetList();  // [main] looks into the user's folder

  /// How many can be loaded, from position 0 on.
  int count() const noexcept { return factory_->count() + static_cast<int>(user_presets_.size()); }
  int factory_count() const noexcept { return factory_->count(); }
  /// How many files of the user's have no position any more.
  std::size_t unlisted() const noexcept { return unlisted_; }
  /// Why the user's folder cannot be looked into; empty where it can, or is not there yet.
  const std::string& problem() const noexcept { return problem_; }
  /// What a new instance plays, in A and B; null where that is missing or broken.  [any but audio]
  std::array<std::shared_ptr<const Preset>, 2> first() const;
  /// What a host shows, also where there is nothing to load.
  std::string name(int position) const;
  /// Throws std::exception when the file cannot be read.  [any but audio]
  std::shared_ptr<const Preset> load(int position) const;
  /// Of what a slot holds: of a factory preset to the last tap, of any other by the name under which it was chosen.
  int position_of(const std::shared_ptr<const Preset>& preset, std::string_view chosen_name) const;

 private:
  std::shared_ptr<const FactoryPresets> factory_;
  std::vector<UserPreset> user_presets_;
  std::size_t unlisted_ = 0;
  std::string problem_;
};

}  // namespace forestage::plugin
