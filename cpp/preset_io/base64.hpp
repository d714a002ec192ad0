// Bytes as text (RFC 4648).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "errors.hpp"

namespace forestage::preset_detail {

/// What each character stands for; 255 is no digit.
inline constexpr std::array<std::uint8_t, 256> base64_digits = [] {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<std::uint8_t, 256> table{};
  table.fill(255);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

/// Characters that so many bytes take.
constexpr std::size_t base64_chars(std::size_t bytes) { return (bytes + 2) / 3 * 4; }

std::string encode_base64(const std::vector<std::uint8_t>& bytes);

/// Strict: no line breaks, padding where it belongs and nowhere else. Errors speak of `what` the text holds.
std::vector<std::uint8_t> decode_base64(std::string_view text, std::string_view what, const Path& path);

}  // namespace forestage::preset_detail
