// How much of a time-frequency tile belongs to the centre. Pure functions of what is known about the tile.
//
// Model: mid = centre + panned + diffuse sound, side = panned + diffuse sound, all uncorrelated but mid and side of one
// panned source. The side predicts t side of the mid, t = Phi_ms / Phi_ss: that is the panned sound. What is left of
// the side, (1 - coherence^2) Phi_ss, is diffuse, and the mid holds about as much of it. So with the residual
//
//     E = mid - a side,   a = share * clip(t, +-1),   Phi_EE = Phi_mm - (2 t - a) a Phi_ss
//     rest = min(t^2, t_max^2) Phi_ss - (2 t - a) a Phi_ss + diffuse_weight (1 - coherence^2) Phi_ss
//
// the centre is g E, with a real gain g by one of the rules. a is real and clipped because reverberation has a random
// phase, which a complex a would follow, and because short averages overestimate it.
#pragma once

#include <algorithm>
#include <cmath>

namespace forestage {

enum class GainRule {
  wiener,                // 1 / (1 + (rest / (threshold Phi_EE))^4): parametric Wiener filter (Lim & Oppenheim 1979)
  magnitude_difference,  // 1 - |side| / |mid| of the tile alone, at least 0
};

/// What is known about one tile: the powers of the tile itself, and averages over time.
struct TilePowers {
  float tile_mid;
  float tile_side;
  float mid;    // Phi_mm
  float side;   // Phi_ss
  float cross;  // Phi_ms, real part
};

/// Constants of the estimate; every value comes from a search over mixes that the evidence does not use.
struct CenterModel {
  float projection_share;
  float widest_tilt;  // t_max: sound panned nearer to the centre than this cannot be told from it
  float diffuse_weight;
  float threshold;
};

/// The centre is gain (mid - tilt side).
struct CenterWeights {
  float gain;
  float tilt;
};

template <GainRule rule>
inline CenterWeights center_weights(const TilePowers& tile, const CenterModel& model) noexcept {
  constexpr float silence_power = 1e-20f;  // -200 dBFS: keeps the ratios finite, far below any sound
  const float mid = tile.mid + silence_power;
  const float side = tile.side + silence_power;
  const float tilt = tile.cross / side;
  const float a = model.projection_share * std::min(1.0f, std::max(-1.0f, tilt));
  const float removed = (2.0f * tilt - a) * a * side;
  if constexpr (rule == GainRule::magnitude_difference) {
    const float ratio = std::sqrt((tile.tile_side + silence_power) / (tile.tile_mid + silence_power));
    return {std::max(0.0f, 1.0f - ratio), a};
  }
  const float tilt2 = tilt * tilt;
  const float panned = std::min(tilt2, model.widest_tilt * model.widest_tilt) * side;
  const float diffuse = model.diffuse_weight * std::max(0.0f, side - tilt2 * side * side / mid);
  const float rest = std::max(0.0f, panned - removed + diffuse);
  const float residual = std::max(1e-6f * mid, mid - removed);
  const float ratio = std::min(1e6f, rest / (model.threshold * residual));
  const float square = ratio * ratio;
  return {1.0f / (1.0f + square * square), a};
}

}  // namespace forestage
