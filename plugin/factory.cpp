#include "factory.hpp"

#include <factory_data.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "preset_io.hpp"

namespace forestage::plugin {
namespace {

// A new instance plays the first program, with the second in slot B; the rest by file name.
constexpr std::array<std::string_view, 2> first_files{"smart-speaker.json", "laptop.json"};

std::ptrdiff_t rank(std::string_view file) { return std::ranges::find(first_files, file) - first_files.begin(); }

std::vector<std::pair<std::string_view, std::string_view>> embedded_files() {
  std::vector<std::pair<std::string_view, std::string_view>> files;
  for (int i = 0; i < factory_data::namedResourceListSize; ++i) {
    int bytes = 0;
    const char* data = factory_data::getNamedResource(factory_data::namedResourceList[i], bytes);
    files.emplace_back(factory_data::originalFilenames[i], std::string_view(data, static_cast<std::size_t>(bytes)));
  }
  std::ranges::sort(files, {}, [](const auto& file) { return std::pair(rank(file.first), file.first); });
  return files;
}

}  // namespace

FactoryPresets::FactoryPresets() {
  for (const auto& [name, text] : embedded_files()) {
    all_.push_back(std::make_shared<const Preset>(parse_preset(text)));
  }
}

int FactoryPresets::index_of(const Preset& preset) const {
  const auto same = std::ranges::find_if(all_, [&](const auto& own) { return *own == preset; });
  return static_cast<int>(same - all_.begin());
}

}  // namespace forestage::plugin
