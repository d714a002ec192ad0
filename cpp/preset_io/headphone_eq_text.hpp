// Parametric equalisers as AutoEq and Equalizer APO write them:
//
//     # comments and blank lines are skipped
//     Preamp: -6.4 dB
//     Filter 1: ON LSC Fc 105 Hz Gain 6.4 dB Q 0.70         (or Filter: ON ...; filters that are OFF are skipped)
//     Filter 2: ON PK Fc 2500.5 Hz Gain -2.1 dB Q 1.42
//     Filter 3: ON HSC Fc 10000 Hz Gain -3 dB Q 0.70
//
// LS and HS are read as LSC and HSC, whose frequency is halfway up the shelf: programs that write them with a Q mean
// that, as AutoEq did until 2023, though Equalizer APO would take the frequency for a corner. Nothing else is read and
// nothing is skipped silently, so that what plays is the whole file or an error.
#pragma once

#include <string>
#include <string_view>

#include "headphone_eq.hpp"

namespace forestage {

/// Throws std::invalid_argument with the number of the line, what is there and what would be right. Safe on any bytes.
HeadphoneEq parse_parametric_eq(std::string_view text, std::string_view name);

/// A name that fits into a state: what is too long is cut, what is no text is replaced.
std::string headphone_eq_name(std::string_view text);

}  // namespace forestage
