// Levels.
#pragma once

#include <algorithm>
#include <cmath>

namespace forestage {

/// Linear gain of a level in dB; 0, as most are, costs nothing.
inline float from_db(float db) noexcept { return db == 0.0f ? 1.0f : std::pow(10.0f, 0.05f * db); }

/// Level in dB of a magnitude; that of silence is finite.
inline float to_db(float magnitude) noexcept { return 20.0f * std::log10(std::max(magnitude, 1e-15f)); }

}  // namespace forestage
