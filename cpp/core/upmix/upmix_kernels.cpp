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
FORESTAGE_INLINE void average(float* stored, const V& tile, float coefficient, float tile_share, V& mixed) {
  V mean;
  load(mean, stored);
  mean += coefficient * (tile - mean);
  store(stored, mean);
  mixed = mean + tile_share * (tile - mean);
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

/// Averages move on.
template <class V>
FORESTAGE_INLINE void find_powers(const Estimate& job, int bin, const Tile<V>& tile, TilePowers<V>& powers) {
  powers.tile_mid = tile.mid_re * tile.mid_re + tile.mid_im * tile.mid_im;
  powers.tile_side = tile.side_re * tile.side_re + tile.side_im * tile.side_im;
  const V cross = tile.mid_re * tile.side_re + tile.mid_im * tile.side_im;
  average(job.mid_power + bin, powers.tile_mid, job.coefficient, job.tile_share, powers.mid);
  average(job.side_power + bin, powers.tile_side, job.coefficient, job.tile_share, powers.side);
  average(job.cross_power + bin, cross, job.coefficient, job.tile_share, powers.cross);
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
FORESTAGE_INLINE void hold_gain(const Estimate& job, int bin, V& gain) {
  V last;
  load(last, job.gain + bin);
  gain = simd::max<V>(gain, last + job.fall_coefficient * (gain - last));
  store(job.gain + bin, gain);
}

/// What of the side leaves the centre besides, as the two lately had it in common.
template <class V>
FORESTAGE_INLINE void find_leak(const Estimate& job, int bin, const Tile<V>& tile, const TilePowers<V>& powers,
                                const V& gain, const V& side_gain, V& share) {
  V leak, power;
  load(leak, job.leak + bin);
  load(power, job.leak_power + bin);
  share = leak / (power + silence_power);
  const V re = gain * tile.mid_re - side_gain * tile.side_re;
  const V im = gain * tile.mid_im - side_gain * tile.side_im;
  leak += job.leak_coefficient * (re * tile.side_re + im * tile.side_im - leak);
  power += job.leak_coefficient * (powers.tile_side + job.model.leak_ridge * (re * re + im * im) - power);
  store(job.leak + bin, leak);
  store(job.leak_power + bin, power);
}

template <class V>
FORESTAGE_INLINE void difference_body(const Estimate& job) {
  const Estimate local = job;
  for (int bin = 0; bin < local.bins; bin += width<V>) {
    Tile<V> tile;
    TilePowers<V> powers;
    read_tile(local, bin, tile);
    find_powers(local, bin, tile, powers);
    CenterWeights<V> weights;
    find_difference_weights(powers, local.model, weights);
    write_center<V>(local, bin, tile, weights.gain, weights.gain * weights.tilt);
  }
}

template <bool listens, bool remembers, class V>
FORESTAGE_INLINE void axis_block(const Estimate& job, int start, float k, PanPowers<V>& pans) {
  for (int bin = start; bin < start + pan_bins; bin += width<V>) {
    Tile<V> tile;
    TilePowers<V> powers;
    read_tile(job, bin, tile);
    find_powers(job, bin, tile, powers);
    AxisTile<V> axis;
    find_axis(powers, axis);
    CenterWeights<V> weights;
    find_axis_weights(axis, powers, job.model, k, weights);
    if constexpr (remembers) hold_gain(job, bin, weights.gain);
    V side_gain = weights.gain * weights.tilt;
    if constexpr (remembers) {
      V share;
      find_leak(job, bin, tile, powers, weights.gain, side_gain, share);
      side_gain += share;
      if (start == job.heard_bins - pan_bins) store(job.side_gain + bin - start, side_gain);
    } else {
      store(job.gain + bin, weights.gain);
      store(job.side_gain + bin, side_gain);
    }
    write_center(job, bin, tile, weights.gain, side_gain);
    if constexpr (listens) add_pan(axis, powers, job.model, pans);
  }
}

/// With weights that were found before, or for other bins.
template <class V>
FORESTAGE_INLINE void follow_block(const Estimate& job, int start, const float* gains, const float* side_gains) {
  for (int n = 0; n < pan_bins; n += width<V>) {
    Tile<V> tile;
    V gain, side_gain;
    read_tile(job, start + n, tile);
    load(gain, gains + n);
    load(side_gain, side_gains + n);
    write_center(job, start + n, tile, gain, side_gain);
  }
}

template <bool remembers, class V>
FORESTAGE_INLINE void axis_body(const Estimate& job) {
  const Estimate local = job;
  const int highest = local.heard_bins - pan_bins;
  for (int block = 0; block * pan_bins < local.bins; ++block) {
    const int start = block * pan_bins;
    if (start >= local.heard_bins && start < local.bins - local.heard_bins) {
      follow_block<V>(local, start, local.gain + highest, local.side_gain + (remembers ? 0 : highest));
      continue;
    }
    if constexpr (!remembers) {
      if (!local.is_first && (block - local.turn) % local.weight_turns != 0) {
        follow_block<V>(local, start, local.gain + start, local.side_gain + start);
        continue;
      }
    }
    PanPowers<float>& heard = local.pans[block];
    const float k = narrowness(heard, local.model);
    PanPowers<V> pans{};
    if ((block - local.turn) % local.pan_turns != 0) {
      axis_block<false, remembers>(local, start, k, pans);
      continue;
    }
    axis_block<true, remembers>(local, start, k, pans);
    heard.panned += local.pan_coefficient * (sum(pans.panned) - heard.panned);
    heard.narrow += local.pan_coefficient * (sum(pans.narrow) - heard.narrow);
    heard.all += local.pan_coefficient * (sum(pans.all) - heard.all);
  }
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
