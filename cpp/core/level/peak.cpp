#include "peak.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "simd.hpp"

namespace forestage {
namespace {

FORESTAGE_INLINE float peak_body(const ConstAudioBlock& block) noexcept {
  constexpr std::int32_t magnitude = 0x7fffffff;
  std::int32_t found = 0;
  for (int c = 0; c < block.channels; ++c) {
    const float* lane = block[c];
    for (int n = 0; n < block.frames; ++n) found = std::max(found, std::bit_cast<std::int32_t>(lane[n]) & magnitude);
  }
  return std::bit_cast<float>(found);
}
float baseline_peak(const ConstAudioBlock& block) noexcept { return peak_body(block); }
FORESTAGE_AVX2 float avx2_peak(const ConstAudioBlock& block) noexcept { return peak_body(block); }

}  // namespace

float peak_of(ConstAudioBlock block) noexcept { return simd::best(&baseline_peak, &avx2_peak)(block); }

}  // namespace forestage
