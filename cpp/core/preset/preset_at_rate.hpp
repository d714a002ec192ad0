// A preset at the rate of a graph: converted once, for all graphs that are built of it.
#pragma once

#include <memory>

#include "preset.hpp"

namespace forestage {

/// The preset with one set of filters, and with its ears, at the rate: its own filters, or those of the nearest higher
/// rate, or of the highest there is, resampled. What is only drawn or read is left out. Throws std::invalid_argument
/// when there are no filters at all.  [main; allocates]
Preset at_rate(const Preset& preset, int sample_rate);

/// What of it says how late it plays, quickly: its filters, and the delay of its ears.  [main; allocates]
Preset delays_at_rate(const Preset& preset, int sample_rate);

/// The whole, once for all that hold it: engines that play one preset share it.  [main; allocates]
std::shared_ptr<const Preset> shared_at_rate(const std::shared_ptr<const Preset>& preset, int sample_rate);

/// Whether the preset has filters of its own for the rate.
bool has_rate(const Preset& preset, int sample_rate);

}  // namespace forestage
