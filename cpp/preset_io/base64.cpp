#include "base64.hpp"

#include <array>

namespace forestage::preset_detail {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 255;

constexpr std::array<std::uint8_t, 256> digits = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

}  // namespace

std::string encode_base64(const std::vector<std::uint8_t>& bytes) {
  std::string text;
  text.reserve(base64_chars(bytes.size()));
  std::uint32_t bits = 0;
  unsigned held = 0;
  const auto put = [&] { text += alphabet[(bits >> (held -= 6)) & 63U]; };
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8U) | byte;
    held += 8;
    while (held >= 6) put();
  }
  if (held > 0) {
    bits <<= 6 - held;
    held = 6;
    put();
  }
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::vector<std::uint8_t> decode_base64(std::string_view text, std::string_view what, const Path& path) {
  if (text.size() % 4 != 0) {
    fail(path, "has " + std::to_string(text.size()) + " characters; base64 has a multiple of 4 (truncated?)");
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view body = text.substr(0, text.size() - padding);
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const std::uint8_t digit = digits[static_cast<unsigned char>(body[i])];
    if (digit == no_digit) {
      fail(path, "character " + std::to_string(i) + " is " + describe(std::string(1, body[i])) +
                     "; base64 has A-Z, a-z, 0-9, + and /");
    }
    bits = (bits << 6U) | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> held));
    }
  }
  if ((bits & ((1U << held) - 1U)) != 0) {
    fail(path, "ends in bits that belong to no byte; not the base64 of " + std::string(what));
  }
  return bytes;
}

}  // namespace forestage::preset_detail
