#include "lv2_state_text.hpp"

#include <charconv>
#include <cstddef>
#include <stdexcept>

namespace forestage::plugin {
namespace {

constexpr std::string_view digits = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+";

constexpr std::size_t digits_for(std::size_t bytes) { return (8 * bytes + 5) / 6; }

unsigned value_of(char digit) {
  const auto value = digits.find(digit);
  if (value == std::string_view::npos) throw std::runtime_error("the text of the state has a character of no meaning");
  return static_cast<unsigned>(value);
}

}  // namespace

std::string to_state_text(std::string_view bytes) {
  std::string text = std::to_string(bytes.size()) + ".";
  unsigned bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits |= static_cast<unsigned>(static_cast<unsigned char>(byte)) << count;
    for (count += 8; count >= 6; count -= 6, bits >>= 6U) text += digits[bits & 63U];
  }
  if (count > 0) text += digits[bits & 63U];
  return text;
}

std::string from_state_text(std::string_view text) {
  std::size_t size = 0;
  const auto [point, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const auto start = static_cast<std::size_t>(point - text.data()) + 1;
  if (error != std::errc() || start > text.size() || *point != '.' || size > text.size() ||
      text.size() - start < digits_for(size))
    throw std::runtime_error("the text of the state is cut, or none");
  std::string bytes;
  bytes.reserve(size);
  unsigned bits = 0;
  int count = 0;
  for (std::size_t i = start; bytes.size() < size; ++i) {
    bits |= value_of(text[i]) << count;
    if ((count += 6) < 8) continue;
    bytes += static_cast<char>(bits & 255U);
    bits >>= 8U;
    count -= 8;
  }
  return bytes;
}

}  // namespace forestage::plugin
