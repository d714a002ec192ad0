// A small preset made in code, so that the C++ checks need no files.
#pragma once

#include "preset.hpp"

namespace forestage {

/// Two sides and a centre driver, `taps` noise taps per filter around a main tap, all six rates; ears at 48 kHz.
Preset make_check_preset(unsigned seed, int taps, int ear_taps = 256);

}  // namespace forestage
