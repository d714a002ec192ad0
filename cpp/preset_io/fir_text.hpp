// Taps as text: base64 of little-endian float32, or, for long filters of which every tap fits to the bit,
//
//     "flac<e>:"   base64 of FLAC with samples of 24 bits, full scale = 2^e, the least power above the largest tap
//     "f16p:"      base64 of float16, all low bytes and then all high ones: rooms of presets before schema 2
//
// "f16:" with the two in turn is read too: presets before had it. "" = no taps = silence.
#pragma once

#include <string>
#include <string_view>

#include "errors.hpp"
#include "preset.hpp"

namespace forestage::preset_detail {

inline constexpr std::size_t max_taps = 131072;  // 0.68 s at 192 kHz

std::string encode_fir(const Fir& taps);

/// Strict: base64 as decode_base64 wants it, whole floats, finite taps.
Fir decode_fir(std::string_view text, const Path& path);

}  // namespace forestage::preset_detail
