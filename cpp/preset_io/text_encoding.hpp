// Text of Windows editors and shells -> UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace forestage {

/// The text in UTF-8 when it is UTF-16 of either byte order, else nothing. UTF-16 is known by its mark, or by the zero
/// beside its first character, which is ASCII in all that is read here. A surrogate alone, and half a unit at the end,
/// become bytes that are no UTF-8, for the reader to refuse.
std::optional<std::string> utf8_from_utf16(std::string_view bytes);

}  // namespace forestage
