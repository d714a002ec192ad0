// How much of a time-frequency tile belongs to the centre. Pure functions of what is known about the tile.
//
// The centre is g (mid - a side). a = clip(Phi_ms / Phi_ss, +-1) takes out what the side predicts; it is real and
// clipped because reverberation has a random phase, which a complex a would follow, and it counts as far as the two are
// coherent, because short averages overestimate it where they are not.
//
// The gain g knows two things of a tile: phi, how far from the centre the axis lies on which most of its power is,
// tan 2 phi = 2 Phi_ms / (Phi_mm - Phi_ss), and spread, how much of the side lies beside that axis,
// (1 - coherence^2) Phi_ss / Phi_mm. It falls smoothly with both, so that a sound leaves the centre by degrees as its
// pan grows, and what is loudest at one side alone has none. Where much lies beside the axis g has a floor, as falls
// without end are heard as noise; in high quality it falls in 12 ms, too.
//
// How narrow the fall is, k, depends on the pans in use: where sources are near the centre they must be kept from it,
// but between hard-panned ones a tile that is a little aside is most often one that they share with the centre. Tiles
// in which one source is clear tell how much of what is panned is panned narrowly; that share, lately and in
// neighbouring bins, sets k.
//
// What such a centre has in common with the side over a longer time cannot be the centre's, as that is in no side: high
// quality takes it out too, as far as the side is loud enough to tell.
//
// V: a float, or a vector of simd.hpp with a tile in each element.
#pragma once

#include "simd.hpp"

namespace forestage {

enum class GainRule {
  principal_axis,        // 1 / ((1 + k tan^2(2 phi) / 4) (1 + spread (near_spread + far_spread spread)))^2
  magnitude_difference,  // 1 - |side| / |mid| of the tile alone, at least 0: for comparisons
};

/// What is known about one tile: the powers of the tile itself, and averages over time; silence_power is in each of
/// mid and side.
template <class V>
struct TilePowers {
  V tile_mid;
  V tile_side;
  V mid;    // Phi_mm
  V side;   // Phi_ss
  V cross;  // Phi_ms, real part
};

/// Power of what is not in the centre, by its pan.
template <class V>
struct PanPowers {
  V panned;
  V narrow;  // part of it: less than about halfway to one side alone
  V all;     // of the mid, whatever is known about its pan
};

/// Constants of the estimate; every value comes from a search over mixes that the evidence does not use.
struct CenterModel {
  float sure_projection;   // share of a that counts without any coherence
  float least_narrowness;  // k where all pans are wide
  float most_narrowness;   // what is added to it where all are narrow
  float near_spread;
  float far_spread;
  float floor;                 // of the gain where all is beside the axis
  float clear;                 // a source is clear where spread is less than the inverse of this
  float narrow_unless_known;   // share that is taken for narrow where little is known
  float doubt = 0.003f;        // how little, of the mid
  float central_pan2 = 0.12f;  // tan^2(2 phi) / 4 beyond which sound is panned
  float wide_pan2 = 3.0f;      // and panned widely
  float leak_ridge = 1.5f;     // of the centre's power beside the side's
};

/// The centre is gain (mid - tilt side).
template <class V>
struct CenterWeights {
  V gain;
  V tilt;
};

inline constexpr float silence_power = 1e-20f;  // -200 dBFS: keeps ratios finite, far below any sound
inline constexpr float least_lead2 = 1e-12f;    // the same, of the mid's power squared

/// k of the principal axis.
inline float narrowness(const PanPowers<float>& heard, const CenterModel& model) {
  const float unknown = model.doubt * heard.all + silence_power;
  const float share = (heard.narrow + model.narrow_unless_known * unknown) / (heard.panned + unknown);
  return model.least_narrowness + model.most_narrowness * share * share;
}

/// Of the mid's power; a side that is louder than mid counts as much as mid.
template <class V>
struct AxisTile {
  V common;   // what side and mid share
  V common2;  // its square, as far as the side goes
  V spread;
  V lead2;  // Phi_mm - Phi_ss, squared
};

template <class V>
FORESTAGE_INLINE void find_axis(const TilePowers<V>& tile, AxisTile<V>& found) {
  const V one = V{} + 1.0f;
  const V part = 1.0f / tile.mid;
  const V sideways = simd::min<V>(one, tile.side * part);
  const V lead = one - sideways;
  found.common = tile.cross * part;
  found.common2 = simd::min<V>(sideways, found.common * found.common);
  found.spread = sideways - found.common2;
  found.lead2 = lead * lead + least_lead2;
}

/// a, where t of the side predicts the mid best. Of the coherence, which is t common, common2 is left where the side is
/// louder than mid.
template <class V>
FORESTAGE_INLINE V find_tilt(const V& t, const AxisTile<V>& axis, const CenterModel& model) {
  const V one = V{} + 1.0f;
  const V coherence2 = simd::min<V>(one, simd::max<V>(t * axis.common, axis.common * axis.common));
  return simd::clamp<V>(t, -one, one) * (model.sure_projection + (1.0f - model.sure_projection) * coherence2);
}

template <class V>
FORESTAGE_INLINE void find_axis_weights(const AxisTile<V>& axis, const TilePowers<V>& tile, const CenterModel& model,
                                        float narrowness, CenterWeights<V>& found) {
  const V fall = (axis.lead2 + narrowness * axis.common2) *
                 (1.0f + axis.spread * (model.near_spread + model.far_spread * axis.spread));
  const V part = 1.0f / (fall * tile.side);  // one division for both
  const V amplitude = axis.lead2 * tile.side * part;
  const V floor = simd::min<V>(V{} + model.floor, 2.0f * model.floor * axis.spread);
  found.gain = simd::max<V>(amplitude * amplitude, floor);
  found.tilt = find_tilt<V>(tile.cross * fall * part, axis, model);
}

/// Adds what a tile says about pans: common2 / lead2 is tan^2(2 phi) / 4, and all steps are smooth, as no tile must
/// decide alone.
template <class V>
FORESTAGE_INLINE void add_pan(const AxisTile<V>& axis, const TilePowers<V>& tile, const CenterModel& model,
                              PanPowers<V>& pans) {
  const V zero{};
  const V clear = simd::max<V>(zero, 1.0f - model.clear * axis.spread);
  const V common4 = axis.common2 * axis.common2, lead4 = axis.lead2 * axis.lead2;
  const V wide = (model.wide_pan2 * model.wide_pan2) * lead4;
  const V not_central = common4 + (model.central_pan2 * model.central_pan2) * lead4;
  const V weight = tile.mid * clear * clear * common4 / (not_central * (common4 + wide) + 1e-30f);
  pans.panned += weight * (common4 + wide);
  pans.narrow += weight * wide;
  pans.all += tile.mid;
}

template <class V>
FORESTAGE_INLINE void find_difference_weights(const TilePowers<V>& tile, const CenterModel& model,
                                              CenterWeights<V>& found) {
  AxisTile<V> axis;
  find_axis(tile, axis);
  found.gain = simd::max<V>(V{}, 1.0f - simd::sqrt<V>(tile.tile_side / tile.tile_mid));
  found.tilt = find_tilt<V>(tile.cross / tile.side, axis, model);
}

}  // namespace forestage
