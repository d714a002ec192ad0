#include "preset_io.hpp"

#include <fstream>
#include <system_error>

#include "json_tree.hpp"
#include "read_preset.hpp"
#include "write_preset.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

std::string read_text(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error)) throw PresetError("no such file");
  if (!std::filesystem::is_regular_file(file, error)) throw PresetError("is not a file");
  const auto bytes = std::filesystem::file_size(file, error);
  if (error) throw PresetError("cannot be read: " + error.message());
  check_size(bytes, preset_limits);
  std::string text(bytes, '\0');
  std::ifstream stream(file, std::ios::binary);
  if (!stream.read(text.data(), static_cast<std::streamsize>(bytes))) throw PresetError("cannot be read");
  return text;
}

}  // namespace

Preset parse_preset(std::string_view json) { return read_preset(parse_tree(json, preset_limits), Path()); }

Preset load_preset(const std::filesystem::path& file) {
  try {
    return parse_preset(read_text(file));
  } catch (const PresetError& error) {
    throw PresetError(file.string() + ": " + error.what());
  }
}

std::string write_preset(const Preset& preset) {
  TextWriter out;
  write(out, preset);
  out.raw("\n");
  std::string text = std::move(out).take();
  // The reader is the one place that knows what a preset may be, so it judges what is written, too.
  parse_preset(text);
  return text;
}

}  // namespace forestage
