// Numbers for messages and files.
#pragma once

#include <charconv>
#include <iterator>
#include <string>

namespace forestage {

/// Shortest text that reads back as the same number; its decimal mark is a point in every locale.
template <class Number>
std::string number_text(Number value) {
  char buffer[32];
  const auto result = std::to_chars(std::begin(buffer), std::end(buffer), value);
  return std::string(buffer, result.ptr);
}

}  // namespace forestage
