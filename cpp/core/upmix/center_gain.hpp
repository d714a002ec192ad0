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
// V: a float, or a vector of simd.hpp with a tile in each element.
#pragma once

#include "simd.hpp"

namespace forestage {

enum class GainRule {
  wiener,                // 1 / (1 + (rest / (threshold Phi_EE))^4): parametric Wiener filter (Lim & Oppenheim 1979)
  magnitude_difference,  // 1 - |side| / |mid| of the tile alone, at least 0
};

/// What is known about one tile: the powers of the tile itself, and averages over time.
template <class V>
struct TilePowers {
  V tile_mid;
  V tile_side;
  V mid;    // Phi_mm
  V side;   // Phi_ss
  V cross;  // Phi_ms, real part
};

/// Constants of the estimate; every value comes from a search over mixes that the evidence does not use.
struct CenterModel {
  float projection_share;
  float widest_tilt;  // t_max: sound panned nearer to the centre than this cannot be told from it
  float diffuse_weight;
  float threshold;
};

/// The centre is gain (mid - tilt side).
template <class V>
struct CenterWeights {
  V gain;
  V tilt;
};

template <GainRule rule, class V>
FORESTAGE_INLINE void find_center_weights(const TilePowers<V>& tile, const CenterModel& model,
                                          CenterWeights<V>& found) {
  constexpr float silence_power = 1e-20f;  // -200 dBFS: keeps the ratios finite, far below any sound
  const V zero{};
  const V one = zero + 1.0f;
  const V mid = tile.mid + silence_power;
  const V side = tile.side + silence_power;
  const V tilt = tile.cross / side;
  found.tilt = simd::clamp<V>(tilt, -one, one) * model.projection_share;
  const V removed = (2.0f * tilt - found.tilt) * found.tilt * side;
  if constexpr (rule == GainRule::magnitude_difference) {
    const V ratio = simd::sqrt<V>((tile.tile_side + silence_power) / (tile.tile_mid + silence_power));
    found.gain = simd::max<V>(zero, 1.0f - ratio);
  } else {
    const V tilt2 = tilt * tilt;
    const V panned = simd::min<V>(tilt2, zero + model.widest_tilt * model.widest_tilt) * side;
    const V diffuse = model.diffuse_weight * simd::max<V>(zero, side - tilt2 * side * side / mid);
    const V rest = simd::max<V>(zero, panned - removed + diffuse);
    const V residual = simd::max<V>(1e-6f * mid, mid - removed);
    const V ratio = simd::min<V>(zero + 1e6f, rest / (model.threshold * residual));
    const V square = ratio * ratio;
    found.gain = 1.0f / (1.0f + square * square);
  }
}

}  // namespace forestage
