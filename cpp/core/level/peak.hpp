// Largest magnitudes.
#pragma once

#include "blocks.hpp"

namespace forestage {

/// Largest magnitude in a block; NaN and Inf are larger than any number, as their bits are.  [audio]
float peak_of(ConstAudioBlock block) noexcept;

}  // namespace forestage
