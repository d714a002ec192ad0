#include "file_bytes.hpp"

#include <fstream>
#include <system_error>

#include "preset_error.hpp"

namespace forestage::preset_detail {

std::string file_bytes(const std::filesystem::path& file, std::size_t most) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) throw PresetError("no such file");
  if (!std::filesystem::is_regular_file(file, error)) throw PresetError("is not a file");
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) throw PresetError("cannot be read: " + error.message());
  if (bytes > most) {
    throw PresetError("has " + std::to_string(bytes) + " bytes; at most " + std::to_string(most) + " are read");
  }
  std::string text(bytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(text.data(), static_cast<std::streamsize>(bytes))) throw PresetError("cannot be read");
  return text;
}

}  // namespace forestage::preset_detail
