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

template <GainRule rule, class V>
FORESTAGE_INLINE void estimate_body(const Estimate& job) {
  const Estimate local = job;
  const CenterModel model = job.model;
  for (int bin = 0; bin < local.bins; bin += width<V>) {
    V mid_re, mid_im, side_re, side_im;
    split(local.mid + 2 * bin, mid_re, mid_im);
    split(local.side + 2 * bin, side_re, side_im);
    TilePowers<V> powers;
    powers.tile_mid = mid_re * mid_re + mid_im * mid_im;
    powers.tile_side = side_re * side_re + side_im * side_im;
    const V cross = mid_re * side_re + mid_im * side_im;
    average(local.mid_power + bin, powers.tile_mid, local.coefficient, local.tile_share, powers.mid);
    average(local.side_power + bin, powers.tile_side, local.coefficient, local.tile_share, powers.side);
    average(local.cross_power + bin, cross, local.coefficient, local.tile_share, powers.cross);
    CenterWeights<V> weights;
    find_center_weights<rule>(powers, model, weights);
    const V re = weights.gain * (mid_re - weights.tilt * side_re);
    const V im = weights.gain * (mid_im - weights.tilt * side_im);
    join(local.center + 2 * bin, re, im);
  }
}

// One copy of every loop per instruction set: the bodies above are inlined into functions with that target.
#define FORESTAGE_UPMIX_KERNELS(set, V, target)                                                                    \
  namespace set {                                                                                                  \
  target void fold(const Fold& job) { fold_body<V>(job); }                                                         \
  target void wiener(const Estimate& job) { estimate_body<GainRule::wiener, V>(job); }                             \
  target void magnitude_difference(const Estimate& job) { estimate_body<GainRule::magnitude_difference, V>(job); } \
  target void unfold_add(const float* z, const float* re, const float* im, float* to, int count) {                 \
    unfold_add_body<V>(z, re, im, to, count);                                                                      \
  }                                                                                                                \
  constexpr Table table{#set, fold, wiener, magnitude_difference, unfold_add};                                     \
  }

FORESTAGE_UPMIX_KERNELS(baseline, simd::Baseline, )
FORESTAGE_UPMIX_KERNELS(avx2, simd::Wide, FORESTAGE_AVX2)
#undef FORESTAGE_UPMIX_KERNELS

}  // namespace

const Table& best() noexcept { return simd::best(baseline::table, avx2::table); }

}  // namespace forestage::upmix_kernels
