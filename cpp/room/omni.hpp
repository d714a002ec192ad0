// Rooms between sources and receivers that have no directivity: every image goes straight from the lattice into the
// response, without harmonics and without being sorted.
#pragma once

#include <span>

#include "room/image_model.hpp"

namespace forestage::room {

/// Responses [receiver][band][frames] from frame `first` on, each as `add_responses` has it for patterns of 1 over all
/// directions and the sum over the mirrors whose bits are set in `mirrors_wanted`.  [any thread]
void omni(Shoebox room, std::span<const Vector> receivers_m, const ImageOptions& options, unsigned mirrors_wanted,
          long first, long frames, float* responses, const CancelFlag& cancel);

}  // namespace forestage::room
