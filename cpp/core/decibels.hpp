// Levels.
#pragma once

#include <cmath>

namespace forestage {

/// Linear gain of a level in dB.
inline float from_db(float db) noexcept { return std::pow(10.0f, 0.05f * db); }

}  // namespace forestage
