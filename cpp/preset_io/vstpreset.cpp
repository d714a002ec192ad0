#include "vstpreset.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "file_bytes.hpp"

namespace forestage {
namespace {

constexpr std::size_t header_bytes = 48;  // 'VST3', version, class id as 32 hex digits, where the list of chunks is
constexpr std::size_t list_bytes = 8;     // 'List', number of entries
constexpr std::size_t entry_bytes = 20;   // id, offset, size
constexpr std::size_t largest_bytes = 256 << 20;
constexpr std::string_view juce_private = "JUCEPrivateData";  // ends what JUCE appends to a state, after its length

/// Little-endian.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::string class_id() {
  std::string id = "ABCDEF019182FAEB";
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char letter : std::string_view(FORESTAGE_MANUFACTURER_CODE FORESTAGE_PLUGIN_CODE)) {
    id += digits[static_cast<unsigned char>(letter) >> 4];
    id += digits[static_cast<unsigned char>(letter) & 15];
  }
  return id;
}

std::string_view without_juce_data(std::string_view state) {
  if (!state.ends_with(juce_private) || state.size() < juce_private.size() + 8) return state;
  const std::size_t end = state.size() - juce_private.size() - 8;
  const auto size = number_at(state, end, 8);
  return size <= end ? state.substr(0, end - size) : state;
}

}  // namespace

std::string_view state_of_vstpreset(std::string_view bytes) {
  if (!bytes.starts_with("VST3") || bytes.size() < header_bytes) {
    throw std::invalid_argument("not a VST3 preset: it does not begin with VST3");
  }
  const std::string owner(bytes.substr(8, 32));
  std::string upper = owner;
  std::ranges::transform(upper, upper.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper != class_id()) {
    throw std::invalid_argument("a preset of another plugin: class " + owner + ", not " + class_id());
  }
  const auto list = number_at(bytes, 40, 8);
  if (list >= header_bytes && list <= bytes.size() - list_bytes && bytes.substr(list).starts_with("List")) {
    auto left = static_cast<std::int32_t>(number_at(bytes, list + 4, 4));
    for (std::size_t at = list + list_bytes; left > 0 && at + entry_bytes <= bytes.size(); at += entry_bytes, --left) {
      const auto offset = number_at(bytes, at + 4, 8);
      const auto size = number_at(bytes, at + 12, 8);
      const bool is_inside = offset <= bytes.size() && size <= bytes.size() - offset;
      if (bytes.substr(at, 4) == "Comp" && is_inside) return without_juce_data(bytes.substr(offset, size));
    }
  }
  throw std::invalid_argument("not a whole VST3 preset: the state of the plugin is missing");
}

PluginState read_vstpreset(const std::filesystem::path& file) {
  const std::string bytes = preset_detail::file_bytes(file, largest_bytes);
  try {
    return parse_state(state_of_vstpreset(bytes));
  } catch (const std::exception& error) {
    throw std::invalid_argument(file.filename().string() + ": " + error.what());
  }
}

}  // namespace forestage
