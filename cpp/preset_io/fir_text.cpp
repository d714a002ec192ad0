#include "fir_text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

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

std::vector<std::uint8_t> decode_base64(std::string_view text, const Path& path) {
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
  if ((bits & ((1U << held) - 1U)) != 0)
    fail(path, "ends in bits that belong to no byte; not the base64 of float32 taps");
  return bytes;
}

void check_taps(const Fir& taps, const Path& path) {
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const std::string tap = "tap " + std::to_string(i) + " is ";
    if (std::isnan(taps[i])) fail(path, tap + "NaN; taps must be finite");
    if (std::isinf(taps[i])) fail(path, tap + "infinite; taps must be finite");
    if (std::abs(taps[i]) > max_tap) {
      fail(path, tap + number_text(taps[i]) + "; taps must be within +-" + number_text(max_tap));
    }
  }
}

}  // namespace

std::string encode_fir(const Fir& taps) {
  std::string text;
  text.reserve((taps.size() * 4 + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  const auto put = [&] { text += alphabet[(bits >> (held -= 6)) & 63U]; };
  for (const float tap : taps) {
    const auto word = std::bit_cast<std::uint32_t>(tap);
    for (unsigned shift = 0; shift < 32; shift += 8) {
      bits = (bits << 8U) | ((word >> shift) & 255U);
      held += 8;
      while (held >= 6) put();
    }
  }
  if (held > 0) {
    bits <<= 6 - held;
    held = 6;
    put();
  }
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

Fir decode_fir(std::string_view text, const Path& path) {
  if (text.size() > (max_taps * 4 + 2) / 3 * 4) {
    fail(path, "has " + std::to_string(text.size()) + " characters; a filter has at most " + std::to_string(max_taps) +
                   " taps");
  }
  const std::vector<std::uint8_t> bytes = decode_base64(text, path);
  if (bytes.size() % 4 != 0) {
    fail(path, "holds " + std::to_string(bytes.size()) + " bytes; float32 taps take a multiple of 4");
  }
  Fir taps(bytes.size() / 4);
  for (std::size_t i = 0; i < taps.size(); ++i) {
    std::uint32_t word = 0;
    for (std::size_t k = 4; k-- > 0;) word = (word << 8U) | bytes[4 * i + k];
    taps[i] = std::bit_cast<float>(word);
  }
  check_taps(taps, path);
  return taps;
}

}  // namespace forestage::preset_detail
