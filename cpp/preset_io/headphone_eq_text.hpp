// Equalisers as text, as AutoEq, Equalizer APO, Peace and Room EQ Wizard (REW) write them, and as people edit them:
//
//     # comments, blank lines, and titles before the first command are skipped
//     Preamp: -6.4 dB                                       (several add up)
//     Filter 1: ON LSC Fc 105 Hz Gain 6.4 dB Q 0.70         (the number may be missing; OFF and None are skipped)
//     Filter 2: ON PK Fc 2500.5 Hz Gain -2.1 dB BW Oct 1.4
//     Channel: L                                            (what follows is for one ear; all, or L R, for both)
//     GraphicEQ: 20 -1.2; 25 -0.9; 20000 3.0                (straight between the points, over log frequency)
//
// | type        | what it is        | width                                                                     |
// |-------------|-------------------|---------------------------------------------------------------------------|
// | PK PEQ Modal| peak              | Q or BW Oct                                                               |
// | LSC HSC     | shelf             | Q or a slope ("LSC 12 dB"); 10.8 dB when neither is there; Fc is halfway   |
// | LS HS       | the same          | with a slope, Fc is the corner, as Equalizer APO has it; with a Q it is    |
// |             |                   | halfway: programs that write it so mean that, as AutoEq did until 2023     |
// | LSQ HSQ     | the same          | Q; Fc is halfway                                                          |
// | LP HP LPQ.. | pass, 12 dB/octave| Q or BW Oct; 0.707 when neither is there                                   |
// | BP NO AP    | band pass, notch, | Q or BW Oct; 0.707 for a band pass and 30 for a notch when neither is there|
// |             | all-pass          |                                                                           |
//
// Any case, any order, units stuck to numbers or missing, kHz, any line ends, UTF-8, UTF-16 and Windows-1252; numbers
// as headphone_eq_numbers.hpp has them. A Q that was rounded to 0.00 is read as the 0.005 that it was at most. Nothing
// is skipped that would be heard: what plays is the whole file or an error.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "headphone_eq.hpp"

namespace forestage {

inline constexpr std::size_t max_eq_text_bytes = std::size_t{1} << 20U;

/// Throws std::invalid_argument with the number of the line, what is there and what would be right. Safe on any bytes.
HeadphoneEq parse_parametric_eq(std::string_view text, std::string_view name);

/// A name that fits into a state: what is too long is cut, what is no text is replaced.
std::string headphone_eq_name(std::string_view text);

}  // namespace forestage
