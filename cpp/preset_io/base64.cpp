#include "base64.hpp"

#include <algorithm>

namespace forestage::preset_detail {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 255;

}  // namespace

std::string encode_base64(const std::vector<std::uint8_t>& bytes) {
  std::string text(base64_chars(bytes.size()), '=');
  char* to = text.data();
  const auto put = [&](unsigned first, unsigned second, unsigned third, unsigned count) {
    const unsigned bits = first << 16U | second << 8U | third;
    for (unsigned k = 0; k < count; ++k) *to++ = alphabet[(bits >> (18U - 6U * k)) & 63U];
  };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) put(bytes[i], bytes[i + 1], bytes[i + 2], 4);
  if (bytes.size() - i == 1) put(bytes[i], 0, 0, 2);
  if (bytes.size() - i == 2) put(bytes[i], bytes[i + 1], 0, 3);
  return text;
}

std::vector<std::uint8_t> decode_base64(std::string_view text, std::string_view what, const Path& path) {
  if (text.size() % 4 != 0) {
    fail(path, "has " + std::to_string(text.size()) + " characters; base64 has a multiple of 4 (truncated?)");
  }
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view body = text.substr(0, text.size() - padding);
  std::vector<std::uint8_t> bytes(body.size() * 6 / 8);
  std::uint8_t* to = bytes.data();
  const auto digit_at = [&](std::size_t at) -> std::uint32_t {
    return base64_digits[static_cast<unsigned char>(body[at])];
  };
  std::size_t done = 0;
  for (; done + 4 <= body.size(); done += 4) {  // whole groups; what is wrong with one is found below
    const std::uint32_t a = digit_at(done), b = digit_at(done + 1), c = digit_at(done + 2), d = digit_at(done + 3);
    if (std::max({a, b, c, d}) == no_digit) break;
    const std::uint32_t group = a << 18U | b << 12U | c << 6U | d;
    for (const unsigned shift : {16U, 8U, 0U}) *to++ = static_cast<std::uint8_t>(group >> shift);
  }
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (std::size_t i = done; i < body.size(); ++i) {
    const std::uint8_t digit = base64_digits[static_cast<unsigned char>(body[i])];
    if (digit == no_digit) {
      fail(path, "character " + std::to_string(i) + " is " + describe(std::string(1, body[i])) +
                     "; base64 has A-Z, a-z, 0-9, + and /");
    }
    bits = (bits << 6U) | digit;
    held += 6;
    if (held >= 8) {
      held -= 8;
      *to++ = static_cast<std::uint8_t>(bits >> held);
    }
  }
  if ((bits & ((1U << held) - 1U)) != 0) {
    fail(path, "ends in bits that belong to no byte; not the base64 of " + std::string(what));
  }
  return bytes;
}

}  // namespace forestage::preset_detail
