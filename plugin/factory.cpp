#include "factory.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <string_view>
#include <system_error>
#include <utility>

#include "preset_io.hpp"
#include "shared_preset.hpp"

namespace forestage::plugin {
namespace {

namespace fs = std::filesystem;

// From the binary: the resources of a VST3 bundle, or a folder beside it, as in an LV2 bundle.
constexpr std::array<std::string_view, 2> folders{"../Resources/factory", "factory"};

// A new instance plays the first program, with the second in slot B; the rest by file name.
constexpr std::array<std::string_view, 2> first_files{"smart-speaker.json", "laptop.json"};

void log(const std::string& message) { std::cerr << "Forestage: " + message + "\n"; }

fs::path own_folder() {
  static const char here = 0;
  Dl_info binary{};
  if (dladdr(&here, &binary) == 0) return {};
  std::error_code error;
  const auto file = fs::canonical(binary.dli_fname, error);  // what a link in a plugin folder leads to
  return (error ? fs::path(binary.dli_fname) : file).parent_path();
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  const auto rank = [](const fs::path& file) {
    return std::ranges::find(first_files, file.filename().string()) - first_files.begin();
  };
  std::ranges::sort(files, {}, [&](const fs::path& file) { return std::pair(rank(file), file.filename()); });
  return files;
}

fs::path bundled_folder() {
  std::string tried;
  for (const auto place : folders) {
    auto folder = (own_folder() / place).lexically_normal();
    if (!files_in(folder).empty()) return folder;
    tried += (tried.empty() ? "" : " and ") + folder.string();
  }
  log("no factory presets in " + tried);
  return {};
}

}  // namespace

FactoryPresets::FactoryPresets() : FactoryPresets(bundled_folder()) {}

FactoryPresets::FactoryPresets(const fs::path& folder) {
  for (auto& file : files_in(folder)) {
    try {
      auto name = preset_name(file);
      all_.push_back({std::move(file), std::move(name), {}});
    } catch (const std::exception& error) {
      log(std::string("left out of the programs: ") + error.what());
    }
  }
}

std::shared_ptr<const Preset> FactoryPresets::load(int index) const {
  const std::lock_guard guard(mutex_);
  const auto& entry = all_[static_cast<std::size_t>(index)];
  auto preset = entry.in_use.lock();
  if (preset == nullptr) {
    preset = shared_preset(std::make_shared<const Preset>(load_preset(entry.file)));
    entry.in_use = preset;
    if (std::cmp_less(index, first_count)) first_[static_cast<std::size_t>(index)] = preset;
  }
  return preset;
}

int FactoryPresets::index_of(const std::shared_ptr<const Preset>& preset) const {
  for (int index = 0; preset != nullptr && index < count(); ++index) {
    if (preset->name != name(index)) continue;
    try {
      const auto own = load(index);
      if (own == preset || *own == *preset) return index;
    } catch (const std::exception& error) {
      log(error.what());
    }
  }
  return count();
}

}  // namespace forestage::plugin
