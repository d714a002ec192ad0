// A whole file in memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace forestage::preset_detail {

/// Throws PresetError when it is not there, no file, or larger than `most`, before anything is allocated for it.
std::string file_bytes(const std::filesystem::path& file, std::size_t most);

}  // namespace forestage::preset_detail
