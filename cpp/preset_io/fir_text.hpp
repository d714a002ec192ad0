// Taps as text: base64 (RFC 4648) of little-endian float32. "" = no taps = silence.
#pragma once

#include <string>
#include <string_view>

#include "errors.hpp"
#include "preset.hpp"

namespace forestage::preset_detail {

inline constexpr std::size_t max_taps = 131072;  // 0.68 s at 192 kHz
inline constexpr float max_tap = 1000.0f;        // 60 dB: past any filter, so the text is damaged or not float32

std::string encode_fir(const Fir& taps);

/// Strict: no line breaks, padding where it belongs and nowhere else, whole floats, finite taps.
Fir decode_fir(std::string_view text, const Path& path);

}  // namespace forestage::preset_detail
