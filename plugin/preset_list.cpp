#include "preset_list.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <system_error>

#include "preset_io.hpp"
#include "shared_preset.hpp"

namespace forestage::plugin {
namespace {

/// Instances share what they play, as long as there is one.
std::shared_ptr<const FactoryPresets> shared_factory() {
  static std::mutex mutex;
  static std::weak_ptr<const FactoryPresets> last;
  const std::lock_guard guard(mutex);
  auto factory = last.lock();
  if (factory == nullptr) last = factory = std::make_shared<const FactoryPresets>();
  return factory;
}

std::vector<std::filesystem::path> json_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (auto entry = std::filesystem::directory_iterator(folder, none); entry != std::filesystem::directory_iterator();
       entry.increment(none)) {
    if (entry->path().extension() == ".json" && entry->is_regular_file(none)) files.push_back(entry->path());
    if (none) break;
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

std::filesystem::path user_preset_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value != nullptr && *value == '/' ? value : "";  // XDG: what is not absolute is invalid
  };
  std::filesystem::path data = variable("XDG_DATA_HOME");
  if (data.empty() && !variable("HOME").empty()) data = variable("HOME") / ".local" / "share";
  return data.empty() ? data : data / "forestage" / "presets";
}

PresetList::PresetList() : factory_(shared_factory()) {
  if (const auto folder = user_preset_folder(); !folder.empty()) user_files_ = json_files(folder);
  const auto room = static_cast<std::size_t>(std::max(custom - factory_->count(), 0));
  if (user_files_.size() > room) user_files_.resize(room);
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
  const std::string own = user_files_[static_cast<std::size_t>(position - factory_->count())].stem().string();
  for (int i = 0; i < factory_->count(); ++i)
    if (factory_->name(i) == own) return own + " (yours)";
  return own;
}

std::shared_ptr<const Preset> PresetList::load(int position) const {
  if (position < factory_->count()) return factory_->load(position);
  return shared_preset(load_preset(user_files_.at(static_cast<std::size_t>(position - factory_->count()))));
}

int PresetList::position_of(const std::shared_ptr<const Preset>& preset, std::string_view chosen_name) const {
  if (const int position = factory_->index_of(preset); position < factory_->count()) return position;
  for (int position = factory_->count(); position < count(); ++position)
    if (!chosen_name.empty() && name(position) == chosen_name) return position;
  return custom;
}

}  // namespace forestage::plugin
