#include "preset_list.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <iostream>

#include "preset_io.hpp"
#include "shared_preset.hpp"

namespace forestage::plugin {
namespace {

std::shared_ptr<const FactoryPresets> shared_factory() {
  static const auto factory = std::make_shared<const FactoryPresets>();
  return factory;
}

}  // namespace

PresetList::PresetList() : factory_(shared_factory()), user_presets_(user_presets()), problem_(user_folder_problem()) {
  const auto room = static_cast<std::size_t>(std::max(custom - factory_->count(), 0));
  if (user_presets_.size() <= room) return;
  unlisted_ = user_presets_.size() - room;
  user_presets_.resize(room);
}

std::array<std::shared_ptr<const Preset>, 2> PresetList::first() const {
  std::array<std::shared_ptr<const Preset>, 2> presets;
  for (const int position : {0, 1}) {
    if (position >= factory_->count()) continue;
    try {
      presets[static_cast<std::size_t>(position)] = factory_->load(position);
    } catch (const std::exception& error) {
      std::cerr << "Forestage: preset not loaded: " + std::string(error.what()) + "\n";
    }
  }
  return presets;
}

std::string PresetList::name(int position) const {
  if (position >= 0 && position < factory_->count()) return factory_->name(position);
  if (position == custom) return "Custom";
  if (position < 0 || position >= count()) return "Unused " + std::to_string(position);
  const std::string& own = user_presets_[static_cast<std::size_t>(position - factory_->count())].name;
  for (int i = 0; i < factory_->count(); ++i)
    if (factory_->name(i) == own) return own + " (yours)";
  return own;
}

std::shared_ptr<const Preset> PresetList::load(int position) const {
  if (position < factory_->count()) return factory_->load(position);
  const auto& own = user_presets_.at(static_cast<std::size_t>(position - factory_->count()));
  return shared_preset(std::make_shared<const Preset>(load_preset(own.file)));
}

int PresetList::position_of(const std::shared_ptr<const Preset>& preset, std::string_view chosen_name) const {
  if (const int position = factory_->index_of(preset); position < factory_->count()) return position;
  for (int position = factory_->count(); position < count(); ++position)
    if (!chosen_name.empty() && name(position) == chosen_name) return position;
  return custom;
}

}  // namespace forestage::plugin
