#include "preset_io.hpp"

#include "file_bytes.hpp"
#include "fir_text.hpp"
#include "json_tree.hpp"
#include "read_preset.hpp"
#include "write_preset.hpp"

namespace forestage {

using namespace preset_detail;

Preset parse_preset(std::string_view json) { return read_preset(parse_tree(json, preset_limits), Path()); }

Preset load_preset(const std::filesystem::path& file) {
  try {
    return parse_preset(file_bytes(file, preset_limits.bytes));
  } catch (const PresetError& error) {
    throw PresetError(file.string() + ": " + error.what());
  }
}

std::string write_fir(const Fir& taps) { return encode_fir(taps); }

Fir parse_fir(std::string_view text) { return decode_fir(text, Path()); }

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
