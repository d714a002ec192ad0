// A small preset made in code, so that the C++ checks need no files.
#pragma once

#include "headphone_eq.hpp"
#include "preset.hpp"

namespace forestage {

/// Two sides and a centre driver, `taps` noise taps per filter around a main tap, all six rates; ears at 48 kHz, also
/// in a room when that has taps.
Preset make_check_preset(unsigned seed, int taps, int room_taps = 0);

/// An equaliser with a bass that rings for long.
HeadphoneEq make_check_eq();

}  // namespace forestage
