// Rooms between sources and receivers that have no directivity: every image goes straight from the lattice into the
// response, without harmonics and without being sorted.
#pragma once

#include "room/image_model.hpp"

namespace forestage::room {

/// Adds a response [band][frames], as `add_responses` has it for patterns of 1 over all directions and the sum over the
/// mirrors whose bits are set in `mirrors_wanted`. Images that do not fit into `frames` are an error.  [any thread]
void add_omni(const Shoebox& room, const ImageOptions& options, unsigned mirrors_wanted, float* responses, long frames,
              const CancelFlag& cancel);

}  // namespace forestage::room
