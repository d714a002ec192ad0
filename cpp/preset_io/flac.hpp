// Samples of 24 bits as FLAC, one channel at a nominal 48 kHz: linear prediction and Rice codes, by libFLAC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace forestage::preset_detail {

inline constexpr int flac_bits = 24;

/// The same on one machine; on another one libFLAC may choose other predictors for the same samples.
std::vector<std::uint8_t> encode_flac(std::span<const std::int32_t> samples);

/// None where the bytes are no such stream, are damaged or cut, or have more than `max_samples`.
std::optional<std::vector<std::int32_t>> decode_flac(std::span<const std::uint8_t> bytes, std::size_t max_samples);

}  // namespace forestage::preset_detail
