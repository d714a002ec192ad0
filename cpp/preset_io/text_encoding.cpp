#include "text_encoding.hpp"

#include <cstdint>

namespace forestage {

namespace {

constexpr char not_utf8 = '\xFF';

bool is_big_endian(std::string_view bytes) { return bytes.starts_with("\xFE\xFF") || bytes[0] == '\0'; }

bool is_utf16(std::string_view bytes) {
  return bytes.size() >= 2 &&
         (bytes.starts_with("\xFE\xFF") || bytes.starts_with("\xFF\xFE") || (bytes[0] == '\0') != (bytes[1] == '\0'));
}

void append(std::string& text, std::uint32_t point) {
  const auto byte = [&](std::uint32_t lead, std::uint32_t shift, std::uint32_t mask) {
    text += static_cast<char>(lead | ((point >> shift) & mask));
  };
  if (point < 0x80U) {
    byte(0U, 0U, 0x7FU);
  } else if (point < 0x800U) {
    byte(0xC0U, 6U, 0x1FU);
    byte(0x80U, 0U, 0x3FU);
  } else if (point < 0x10000U) {
    byte(0xE0U, 12U, 0x0FU);
    byte(0x80U, 6U, 0x3FU);
    byte(0x80U, 0U, 0x3FU);
  } else {
    byte(0xF0U, 18U, 0x07U);
    byte(0x80U, 12U, 0x3FU);
    byte(0x80U, 6U, 0x3FU);
    byte(0x80U, 0U, 0x3FU);
  }
}

}  // namespace

std::optional<std::string> utf8_from_utf16(std::string_view bytes) {
  if (!is_utf16(bytes)) return std::nullopt;
  const std::size_t high = is_big_endian(bytes) ? 0 : 1;
  const auto unit = [&](std::size_t k) -> std::uint32_t {
    if (2 * k + 1 >= bytes.size()) return 0U;
    return (static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[2 * k + high])) << 8U) |
           static_cast<unsigned char>(bytes[2 * k + 1 - high]);
  };
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t k = unit(0) == 0xFEFFU ? 1 : 0; k < bytes.size() / 2; ++k) {
    const std::uint32_t first = unit(k);
    const std::uint32_t second = unit(k + 1);
    if (first < 0xD800U || first > 0xDFFFU) {
      append(text, first);
    } else if (first < 0xDC00U && second >= 0xDC00U && second <= 0xDFFFU) {
      append(text, 0x10000U + ((first - 0xD800U) << 10U) + (second - 0xDC00U));
      ++k;
    } else {
      text += not_utf8;
    }
  }
  if (bytes.size() % 2 != 0) text += not_utf8;
  return text;
}

}  // namespace forestage
