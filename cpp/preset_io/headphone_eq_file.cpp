#include "headphone_eq_file.hpp"

#include <stdexcept>
#include <string>

#include "file_bytes.hpp"
#include "headphone_eq_line.hpp"
#include "headphone_eq_text.hpp"
#include "headphone_eq_wav.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

constexpr std::size_t max_wav_bytes = std::size_t{16} << 20U;  // half a second of anything, and its tags

}  // namespace

HeadphoneEq load_headphone_eq(const std::filesystem::path& file) {
  const std::string extension = lower(file.extension().string());
  const std::string name = file.stem().string();
  if (extension == ".txt") return parse_parametric_eq(file_bytes(file, max_eq_text_bytes), name);
  if (extension == ".wav") return parse_eq_wav(file_bytes(file, max_wav_bytes), name);
  throw std::invalid_argument("an equaliser as text (.txt) or impulse responses (.wav) would be right");
}

}  // namespace forestage
