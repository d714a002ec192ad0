// Image sources of a shoebox room, as seen from the receiver (Allen and Berkley 1979; frequency-dependent walls).
//
// Along axis n, image number v of the source stands at  2 ceil(v / 2) l + (-1)^v s  and its sound has met the far wall
// |floor((v + 1) / 2)| times and the near wall |floor((1 - v) / 2)| times. Images with the same parities of v form a
// "mirror" (8 of them): a regular lattice whose images are all mirrored in the same axes, so that a direction of
// arrival u means a direction of departure  -u  with those axes flipped.
//
// After `image_s`, statistical images take over: at the density that the model has reached, at random times, in random
// directions and with random signs, but with the wall hits of the lattice in that direction. Their energy therefore
// equals the model's in the mean, per band, direction and time, at a cost that no longer grows with the cube of time.
// They are the same wherever source and receiver are, but for their delays, which follow both as in the lattice: what
// two sources or two ears share of the tail then falls with their distance as in a diffuse field.
//
// What walls scatter leaves the lattice for a diffuse field, whose energy over time the caller gives. It sounds from
// the first reflection on, as statistical images from everywhere, beside the lattice and then within the tail.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "room/cancel.hpp"
#include "room/shoebox.hpp"

namespace forestage::room {

inline constexpr int mirrors = 8;
/// Statistical images of scattered sound are no sparser than this: too dense to be told apart.
inline constexpr double least_per_second = 10'000.0;

struct ImageOptions {
  double sample_rate;
  double image_s;     // images arrive before this
  double response_s;  // statistical images arrive before this; none when it is not above image_s
  int max_order;      // most wall hits; negative for any number
  double jitter_m;    // images other than the source itself are moved by up to this along each axis
  std::uint64_t seed;
};

/// What arrives, sorted by `frame`.
struct Images {
  int bands = 0;
  std::vector<float> x, y, z;    // unit vectors to where it comes from
  std::vector<int> frame;        // whole part of the delay in frames
  std::vector<double> fraction;  // the rest
  std::vector<float> gains;      // [image][band], 1 at 1 m; 1/distance included

  std::size_t count() const noexcept { return frame.size(); }
  const float* gains_of(std::size_t image) const { return gains.data() + image * static_cast<std::size_t>(bands); }
};

/// All images of one mirror: bit n of `mirror` is set where axis n is flipped.  [pure, any thread]
Images find_images(const Shoebox& room, const ImageOptions& options, int mirror, const CancelFlag& cancel);

}  // namespace forestage::room
