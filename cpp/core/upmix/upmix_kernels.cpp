#include "upmix_kernels.hpp"

#include "simd.hpp"

namespace forestage::upmix_kernels {
namespace {

using simd::deinterleave;
using simd::interleave;
using simd::join;
using simd::load;
using simd::split;
using simd::store;
using simd::sum;
using simd::width;

template <class V>
FORESTAGE_INLINE void fold_body(const Fold& job) {
  const Fold local = job;  // stores would make compilers read it again and again
  for (int n = 0; n < local.count; n += width<V>) {
    V left, right, re, im;
    load(left, local.left + n);
    load(right, local.right + n);
    load(re, local.first_re + n);
    load(im, local.first_im + n);
    const V mid = left + right;
    const V side = left - right;
    V mid_re = mid * re, mid_im = mid * im, side_re = side * re, side_im = side * im;
    load(left, local.left + local.count + n);
    load(right, local.right + local.count + n);
    load(re, local.second_re + n);
    load(im, local.second_im + n);
    const V late_mid = left + right;
    const V late_side = left - right;
    mid_re += late_mid * re;
    mid_im += late_mid * im;
    side_re += late_side * re;
    side_im += late_side * im;
    interleave(local.mid + 2 * n, mid_re, mid_im);
    interleave(local.side + 2 * n, side_re, side_im);
  }
}

template <class V>
FORESTAGE_INLINE void unfold_add_some(const float* z, const float* re, const float* im, float* to) {
  V z_re, z_im, a, b, sum;
  deinterleave(z, z_re, z_im);
  load(a, re);
  load(b, im);
  load(sum, to);
  sum += z_re * a + z_im * b;
  store(to, sum);
}

template <class V>
FORESTAGE_INLINE void unfold_add_body(const float* z, const float* re, const float* im, float* to, int count) {
  int n = 0;
  for (; n + width<V> <= count; n += width<V>) unfold_add_some<V>(z + 2 * n, re + n, im + n, to + n);
  for (; n < count; ++n) unfold_add_some<float>(z + 2 * n, re + n, im + n, to + n);
}

/// The new average, which is stored, and what counts for this tile.
template <class V>
FORESTAGE_INLINE void average(float* stored, const V& tile, float coefficient, float mixed_coefficient, V& mixed) {
  V mean;
  load(mean, stored);
  const V change = tile - mean;
  store<V>(stored, mean + coefficient * change);
  mixed = mean + mixed_coefficient * change;
}

template <class V>
struct Tile {
  V mid_re, mid_im, side_re, side_im;
};

template <class V>
FORESTAGE_INLINE void read_tile(const Estimate& job, int bin, Tile<V>& tile) {
  split(job.mid + 2 * bin, tile.mid_re, tile.mid_im);
  split(job.side + 2 * bin, tile.side_re, tile.side_im);
}

template <class V>
FORESTAGE_INLINE V power_of(const V& re, const V& im) {
  return re * re + (im * im + silence_power);
}

/// Averages of bins from the `n`th on move on.
template <class V>
FORESTAGE_INLINE void find_powers(const Estimate& job, KnownBins& known, int n, const Tile<V>& tile,
                                  TilePowers<V>& powers) {
  powers.tile_mid = power_of(tile.mid_re, tile.mid_im);
  powers.tile_side = power_of(tile.side_re, tile.side_im);
  const V cross = tile.mid_re * tile.side_re + tile.mid_im * tile.side_im;
  const float mixed = job.coefficient + job.tile_share * (1.0f - job.coefficient);
  average(known.mid_power + n, powers.tile_mid, job.coefficient, mixed, powers.mid);
  average(known.side_power + n, powers.tile_side, job.coefficient, mixed, powers.side);
  average(known.cross_power + n, cross, job.coefficient, mixed, powers.cross);
}

template <class V>
FORESTAGE_INLINE void write_center(const Estimate& job, int bin, const Tile<V>& tile, const V& gain,
                                   const V& side_gain) {
  const V re = gain * tile.mid_re - side_gain * tile.side_re;
  const V im = gain * tile.mid_im - side_gain * tile.side_im;
  join(job.center + 2 * bin, re, im);
}

/// Gains rise at once and fall slowly.
template <class V>
FORESTAGE_INLINE void hold_gain(const Estimate& job, const float* held, V& gain) {
  V last;
  load(last, held);
  gain = simd::max<V>(gain, last + job.fall_coefficient * (gain - last));
}

/// What of the side is to leave the centre besides, as the two lately had it in common.
template <class V>
FORESTAGE_INLINE void find_leak(const Estimate& job, KnownBins& known, int n, const Tile<V>& tile, const V& gain,
                                const V& side_gain) {
  V leak, power;
  load(leak, known.leak + n);
  load(power, known.leak_power + n);
  const V re = gain * tile.mid_re - side_gain * tile.side_re;
  const V im = gain * tile.mid_im - side_gain * tile.side_im;
  const V judged_by = power_of(tile.side_re, tile.side_im) + job.model.leak_ridge * (re * re + im * im);
  leak += job.leak_coefficient * (re * tile.side_re + im * tile.side_im - leak);
  power += job.leak_coefficient * (judged_by - power);
  store(known.leak + n, leak);
  store(known.leak_power + n, power);
  store<V>(known.leak_share + n, leak / power);
}

template <class V>
FORESTAGE_INLINE void difference_body(const Estimate& job) {
  const Estimate local = job;
  for (int bin = 0; bin < local.bins; bin += width<V>) {
    Tile<V> tile;
    TilePowers<V> powers;
    read_tile(local, bin, tile);
    find_powers(local, local.known[bin / pan_bins], bin % pan_bins, tile, powers);
    CenterWeights<V> weights;
    find_difference_weights(powers, local.model, weights);
    write_center<V>(local, bin, tile, weights.gain, weights.gain * weights.tilt);
  }
}

template <bool remembers, bool is_slow_turn, class V>
FORESTAGE_INLINE void find_center(const Estimate& job, int start, KnownBins& known, PanPowers<V>& pans) {
  const float k = narrowness(known.pans, job.model);
  for (int n = 0; n < pan_bins; n += width<V>) {
    Tile<V> tile;
    TilePowers<V> powers;
    read_tile(job, start + n, tile);
    find_powers(job, known, n, tile, powers);
    AxisTile<V> axis;
    find_axis(powers, axis);
    CenterWeights<V> weights;
    find_axis_weights(axis, powers, job.model, k, weights);
    if constexpr (remembers) hold_gain(job, known.gain + n, weights.gain);
    V side_gain = weights.gain * weights.tilt;
    if constexpr (remembers) {
      V share;
      load(share, known.leak_share + n);
      if constexpr (is_slow_turn) find_leak(job, known, n, tile, weights.gain, side_gain);
      side_gain += share;
    }
    store(known.gain + n, weights.gain);
    store(known.side_gain + n, side_gain);
    write_center(job, start + n, tile, weights.gain, side_gain);
    if constexpr (is_slow_turn) add_pan(axis, powers, job.model, pans);
  }
}

/// With weights that were found before, or for other bins.
template <class V>
FORESTAGE_INLINE void follow(const Estimate& job, int start, const KnownBins& known) {
  for (int n = 0; n < pan_bins; n += width<V>) {
    Tile<V> tile;
    V gain, side_gain;
    read_tile(job, start + n, tile);
    load(gain, known.gain + n);
    load(side_gain, known.side_gain + n);
    write_center(job, start + n, tile, gain, side_gain);
  }
}

template <bool remembers, class V>
FORESTAGE_INLINE void estimate_block(const Estimate& job, int block) {
  const int start = block * pan_bins;
  KnownBins& known = job.known[block];
  PanPowers<V> pans{};
  if (((block - job.turn) & (job.slow_turns - 1)) != 0) return find_center<remembers, false>(job, start, known, pans);
  find_center<remembers, true>(job, start, known, pans);
  known.pans.panned += job.pan_coefficient * (sum(pans.panned) - known.pans.panned);
  known.pans.narrow += job.pan_coefficient * (sum(pans.narrow) - known.pans.narrow);
  known.pans.all += job.pan_coefficient * (sum(pans.all) - known.pans.all);
}

/// First block from `begin` on whose turn is so many after this one.
FORESTAGE_INLINE int first_block(const Estimate& job, int begin, int turns, int later) {
  return begin + ((job.turn + later - begin) & (turns - 1));
}

template <bool remembers, class V>
FORESTAGE_INLINE void estimate_blocks(const Estimate& job, int begin, int end) {
  const int turns = remembers || job.is_first ? 1 : job.weight_turns;
  for (int block = first_block(job, begin, turns, 0); block < end; block += turns) {
    estimate_block<remembers, V>(job, block);
  }
  for (int later = 1; later < turns; ++later) {
    for (int block = first_block(job, begin, turns, later); block < end; block += turns) {
      follow<V>(job, block * pan_bins, job.known[block]);
    }
  }
}

template <bool remembers, class V>
FORESTAGE_INLINE void axis_body(const Estimate& job) {
  const Estimate local = job;
  const int blocks = local.bins / pan_bins;
  const int heard = local.heard_bins / pan_bins;
  const int upper = blocks - heard;
  if (upper <= heard) return estimate_blocks<remembers, V>(local, 0, blocks);
  estimate_blocks<remembers, V>(local, 0, heard);
  estimate_blocks<remembers, V>(local, upper, blocks);
  for (int block = heard; block < upper; ++block) follow<V>(local, block * pan_bins, local.known[heard - 1]);
}

// One copy of every loop per instruction set: the bodies above are inlined into functions with that target.
#define FORESTAGE_UPMIX_KERNELS(set, V, target)                                                                   \
  namespace set {                                                                                                 \
  target void fold(const Fold& job) { fold_body<V>(job); }                                                        \
  target void principal_axis(const Estimate& job) { axis_body<false, V>(job); }                                   \
  target void principal_axis_remembered(const Estimate& job) { axis_body<true, V>(job); }                         \
  target void magnitude_difference(const Estimate& job) { difference_body<V>(job); }                              \
  target void unfold_add(const float* z, const float* re, const float* im, float* to, int count) {                \
    unfold_add_body<V>(z, re, im, to, count);                                                                     \
  }                                                                                                               \
  constexpr Table table{#set, fold, principal_axis, principal_axis_remembered, magnitude_difference, unfold_add}; \
  }

FORESTAGE_UPMIX_KERNELS(baseline, simd::Baseline, )
FORESTAGE_UPMIX_KERNELS(avx2, simd::Wide, FORESTAGE_AVX2)
FORESTAGE_UPMIX_KERNELS(avx512, simd::Widest, FORESTAGE_AVX512)
#undef FORESTAGE_UPMIX_KERNELS

}  // namespace

const Table& best() noexcept { return simd::best(baseline::table, avx2::table, avx512::table); }

}  // namespace forestage::upmix_kernels
