// Bytes as the text in LV2 sessions, which JUCE's LV2 client used to write: the count, a point, then 6 bits a character
// from the low end on.
#pragma once

#include <string>
#include <string_view>

namespace forestage::plugin {

std::string to_state_text(std::string_view bytes);

/// Throws std::runtime_error where the text is no such thing.
std::string from_state_text(std::string_view text);

}  // namespace forestage::plugin
