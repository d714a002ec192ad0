// Impulse responses of headphone equalisers from WAV files: the one reader of plugin and Python.
//
// Read: RIFF, RF64 and BW64; PCM of 8 to 32 bits, floats of 32 and 64; extensible headers; sound of unknown length, as
// programs write it that cannot seek (a length of 0, or of 2 GiB and more than there is). Every number is checked
// before it sizes anything. What is something else (FLAC under the name of a WAV, A-law, ...) is refused by its name.
#pragma once

#include <cstddef>
#include <string_view>

#include "headphone_eq.hpp"

namespace forestage {

/// Throws std::invalid_argument with what is there and what would be right. Safe on any bytes.
HeadphoneEq parse_eq_wav(std::string_view bytes, std::string_view name);

}  // namespace forestage
