// How large a driver feed can become.
#pragma once

#include "preset.hpp"

namespace forestage {

/// Bounds of |feed| over all drivers, for any input within +-1, before the loudness gain.
struct Peaks {
  float plain = 1.0f;
  float designed = 1.0f;
};

/// At the preset's own settings: the L1 norm of the impulse responses, over everything a broadband upmix can steer to
/// (C = 0, C = L, C = R and what lies between, by convexity).  [main]
Peaks find_peaks(const Preset& preset, const FilterSet& filters);

}  // namespace forestage
