#include "upmix_kernels.hpp"

#include <algorithm>

#include "simd.hpp"

namespace forestage::upmix_kernels {
namespace {

using simd::deinterleave;
using simd::interleave;
using simd::load;
using simd::store;
using simd::sum;
using simd::width;

template <class V>
struct Complex {
  V re, im;

  FORESTAGE_INLINE Complex operator+(const Complex& other) const { return {re + other.re, im + other.im}; }
  FORESTAGE_INLINE Complex operator-(const Complex& other) const { return {re - other.re, im - other.im}; }
};

/// Of frame n in a table of so many rows.
FORESTAGE_INLINE const float* rows_of(const float* table, int rows, int n) {
  const int column = n & (row_frames - 1);
  return table + (n - column) * rows + column;
}

template <class V>
FORESTAGE_INLINE void load_factor(const float* rows, Complex<V>& factor) {
  load(factor.re, rows);
  load(factor.im, rows + row_frames);
}

/// (x[at] - i x[at + B]) w[at], windowed, of mid and side.
template <class V>
FORESTAGE_INLINE void window_pair(const Fold& job, const float* rows, int at, Complex<V>& mid, Complex<V>& side) {
  V left, right;
  Complex<V> factor;
  load(left, job.left + at);
  load(right, job.right + at);
  load_factor(rows, factor);
  const V early_mid = left + right, early_side = left - right;
  mid = {early_mid * factor.re, early_mid * factor.im};
  side = {early_side * factor.re, early_side * factor.im};
  load(left, job.left + job.bins + at);
  load(right, job.right + job.bins + at);
  load_factor(rows + 2 * row_frames, factor);
  const V late_mid = left + right, late_side = left - right;
  mid.re += late_mid * factor.re;
  mid.im += late_mid * factor.im;
  side.re += late_side * factor.re;
  side.im += late_side * factor.im;
}

template <class V>
FORESTAGE_INLINE void write_turned(float* to, const float* turn, const Complex<V>& z) {
  Complex<V> factor;
  load_factor(turn, factor);
  interleave<V>(to, z.re * factor.re - z.im * factor.im, z.re * factor.im + z.im * factor.re);
}

/// A pass of radix 4: to what FFTs of Q points take.
template <class V>
FORESTAGE_INLINE void write_parts(float* to, int part_floats, const float* turns, const Complex<V>& z0,
                                  const Complex<V>& z1, const Complex<V>& z2, const Complex<V>& z3) {
  const auto even = z0 + z2, odd = z1 + z3, even_rest = z0 - z2, odd_rest = z1 - z3;
  const Complex<V> behind{odd_rest.im, -odd_rest.re};  // -i of it
  const auto first = even + odd;
  interleave(to, first.re, first.im);
  write_turned<V>(to + part_floats, turns, even_rest + behind);
  write_turned<V>(to + 2 * part_floats, turns + 2 * row_frames, even - odd);
  write_turned<V>(to + 3 * part_floats, turns + 4 * row_frames, even_rest - behind);
}

template <int parts, class V>
FORESTAGE_INLINE void fold_body(const Fold& job) {
  const Fold local = job;  // stores would make compilers read it again and again
  const int points = local.bins / parts;
  for (int n = local.first; n < local.last; n += width<V>) {
    const float* windows = rows_of(local.windows, 4 * parts, n);
    Complex<V> mid0, side0;
    window_pair(local, windows, n, mid0, side0);
    if constexpr (parts == 1) {
      interleave(local.mid + 2 * n, mid0.re, mid0.im);
      interleave(local.side + 2 * n, side0.re, side0.im);
    } else {
      Complex<V> mid1, mid2, mid3, side1, side2, side3;
      window_pair(local, windows + 4 * row_frames, n + points, mid1, side1);
      window_pair(local, windows + 8 * row_frames, n + 2 * points, mid2, side2);
      window_pair(local, windows + 12 * row_frames, n + 3 * points, mid3, side3);
      const float* turns = rows_of(local.turns, 2 * (parts - 1), n);
      write_parts(local.mid + 2 * n, 2 * points, turns, mid0, mid1, mid2, mid3);
      write_parts(local.side + 2 * n, 2 * points, turns, side0, side1, side2, side3);
    }
  }
}

template <class V>
FORESTAGE_INLINE void read_turned_back(const float* from, const float* turn, Complex<V>& z) {
  V re, im;
  Complex<V> factor;
  deinterleave(from, re, im);
  load_factor(turn, factor);
  z = {re * factor.re + im * factor.im, im * factor.re - re * factor.im};
}

/// Windowed real parts.
template <class V>
FORESTAGE_INLINE void add_windowed(const float* rows, const Complex<V>& z, float* to) {
  Complex<V> factor;
  V sum;
  load_factor(rows, factor);
  load(sum, to);
  sum += z.re * factor.re + z.im * factor.im;
  store(to, sum);
}

template <int parts, int first_part, class V>
FORESTAGE_INLINE void unfold_some(const Unfold& job, int n) {
  const float* windows = rows_of(job.windows, 2 * parts, n);
  const int at = n - job.first;
  Complex<V> z0;
  deinterleave(job.spectra + 2 * n, z0.re, z0.im);
  if constexpr (parts == 1) {
    add_windowed(windows, z0, job.to[0] + at);
  } else {
    const float* from = job.spectra + 2 * n;
    const int part_floats = 2 * job.bins / parts;
    const float* turns = rows_of(job.turns, 2 * (parts - 1), n);
    Complex<V> z1, z2, z3;
    read_turned_back(from + part_floats, turns, z1);
    read_turned_back(from + 2 * part_floats, turns + 2 * row_frames, z2);
    read_turned_back(from + 3 * part_floats, turns + 4 * row_frames, z3);
    const auto even = z0 + z2, odd = z1 + z3, even_rest = z0 - z2, odd_rest = z1 - z3;
    const Complex<V> ahead{-odd_rest.im, odd_rest.re};  // i of it
    if constexpr (first_part == 0) add_windowed<V>(windows, even + odd, job.to[0] + at);
    add_windowed<V>(windows + 2 * row_frames, even_rest + ahead, job.to[1] + at);
    add_windowed<V>(windows + 4 * row_frames, even - odd, job.to[2] + at);
    add_windowed<V>(windows + 6 * row_frames, even_rest - ahead, job.to[3] + at);
  }
}

template <int parts, int first_part, class V>
FORESTAGE_INLINE void unfold_parts(const Unfold& job) {
  const Unfold local = job;
  int n = local.first;
  for (; n < local.last && n % width<V> != 0; ++n) unfold_some<parts, first_part, float>(local, n);
  for (; n + width<V> <= local.last; n += width<V>) unfold_some<parts, first_part, V>(local, n);
  for (; n < local.last; ++n) unfold_some<parts, first_part, float>(local, n);
}

template <int parts, class V>
FORESTAGE_INLINE void unfold_body(const Unfold& job) {
  job.first_part == 0 ? unfold_parts<parts, 0, V>(job) : unfold_parts<parts, 1, V>(job);
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

/// Of the block from `start` on, bins from n on: each of the parts has its share of a block.
template <int parts>
FORESTAGE_INLINE int place_of(const Estimate& job, int start, int n) {
  constexpr int share = pan_bins / parts;
  return 2 * (start / parts + n / share * (job.bins / parts) + n % share);
}

template <int parts, class V>
FORESTAGE_INLINE void read_bins(const float* from, int part_floats, V& re, V& im) {
  V low, high;
  if constexpr (parts == 4 && width<V> == pan_bins) {
    simd::load_halves(low, from, from + part_floats);
    simd::load_halves(high, from + 2 * part_floats, from + 3 * part_floats);
  } else {
    load(low, from);
    load(high, from + (parts == 4 && 2 * width<V> == pan_bins ? part_floats : width<V>));
  }
  simd::split(low, high, re, im);
}

template <int parts, class V>
FORESTAGE_INLINE void write_bins(float* to, int part_floats, const V& re, const V& im) {
  V low, high;
  simd::join(re, im, low, high);
  if constexpr (parts == 4 && width<V> == pan_bins) {
    simd::store_halves(to, to + part_floats, low);
    simd::store_halves(to + 2 * part_floats, to + 3 * part_floats, high);
  } else {
    store(to, low);
    store(to + (parts == 4 && 2 * width<V> == pan_bins ? part_floats : width<V>), high);
  }
}

template <int parts, class V>
FORESTAGE_INLINE void read_tile(const Estimate& job, int start, int n, Tile<V>& tile) {
  const int place = place_of<parts>(job, start, n), part_floats = 2 * job.bins / parts;
  read_bins<parts>(job.mid + place, part_floats, tile.mid_re, tile.mid_im);
  read_bins<parts>(job.side + place, part_floats, tile.side_re, tile.side_im);
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

template <int parts, class V>
FORESTAGE_INLINE void write_center(const Estimate& job, int start, int n, const Tile<V>& tile, const V& gain,
                                   const V& side_gain) {
  write_bins<parts, V>(job.mid + place_of<parts>(job, start, n), 2 * job.bins / parts,
                       gain * tile.mid_re - side_gain * tile.side_re, gain * tile.mid_im - side_gain * tile.side_im);
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

template <int parts, class V>
FORESTAGE_INLINE void difference_body(const Estimate& job) {
  const Estimate local = job;
  for (int bin = local.first; bin < local.last; bin += width<V>) {
    const int n = bin % pan_bins, start = bin - n;
    Tile<V> tile;
    TilePowers<V> powers;
    read_tile<parts>(local, start, n, tile);
    find_powers(local, local.known[start / pan_bins], n, tile, powers);
    CenterWeights<V> weights;
    find_difference_weights(powers, local.model, weights);
    write_center<parts, V>(local, start, n, tile, weights.gain, weights.gain * weights.tilt);
  }
}

template <int parts, bool remembers, bool is_slow_turn, class V>
FORESTAGE_INLINE void find_center(const Estimate& job, int start, KnownBins& known, PanPowers<V>& pans) {
  const float k = narrowness(known.pans, job.model);
#pragma GCC unroll 2
  for (int n = 0; n < pan_bins; n += width<V>) {
    Tile<V> tile;
    TilePowers<V> powers;
    read_tile<parts>(job, start, n, tile);
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
    write_center<parts>(job, start, n, tile, weights.gain, side_gain);
    if constexpr (is_slow_turn) add_pan(axis, powers, job.model, pans);
  }
}

/// With weights that were found before, or for other bins.
template <int parts, class V>
FORESTAGE_INLINE void follow(const Estimate& job, int start, const KnownBins& known) {
#pragma GCC unroll 2
  for (int n = 0; n < pan_bins; n += width<V>) {
    Tile<V> tile;
    V gain, side_gain;
    read_tile<parts>(job, start, n, tile);
    load(gain, known.gain + n);
    load(side_gain, known.side_gain + n);
    write_center<parts>(job, start, n, tile, gain, side_gain);
  }
}

template <int parts, bool remembers, class V>
FORESTAGE_INLINE void estimate_block(const Estimate& job, int block) {
  const int start = block * pan_bins;
  KnownBins& known = job.known[block];
  PanPowers<V> pans{};
  if (((block - job.turn) & (job.slow_turns - 1)) != 0)
    return find_center<parts, remembers, false>(job, start, known, pans);
  find_center<parts, remembers, true>(job, start, known, pans);
  known.pans.panned += job.pan_coefficient * (sum(pans.panned) - known.pans.panned);
  known.pans.narrow += job.pan_coefficient * (sum(pans.narrow) - known.pans.narrow);
  known.pans.all += job.pan_coefficient * (sum(pans.all) - known.pans.all);
}

/// First block from `begin` on whose turn is so many after this one.
FORESTAGE_INLINE int first_block(const Estimate& job, int begin, int turns, int later) {
  return begin + ((job.turn + later - begin) & (turns - 1));
}

template <int parts, bool remembers, class V>
FORESTAGE_INLINE void estimate_blocks(const Estimate& job, int begin, int end) {
  const int turns = remembers || job.is_first ? 1 : job.weight_turns;
  for (int block = first_block(job, begin, turns, 0); block < end; block += turns) {
    estimate_block<parts, remembers, V>(job, block);
  }
  for (int later = 1; later < turns; ++later) {
    for (int block = first_block(job, begin, turns, later); block < end; block += turns) {
      follow<parts, V>(job, block * pan_bins, job.known[block]);
    }
  }
}

template <int parts, bool remembers, class V>
FORESTAGE_INLINE void axis_body(const Estimate& job) {
  const Estimate local = job;
  const int first = local.first / pan_bins, last = local.last / pan_bins;
  const int heard = local.heard_bins / pan_bins;
  const int upper = std::max(local.bins / pan_bins - heard, heard);
  estimate_blocks<parts, remembers, V>(local, first, std::min(last, heard));
  estimate_blocks<parts, remembers, V>(local, std::max(first, upper), last);
  for (int block = std::max(first, heard); block < std::min(last, upper); ++block) {
    follow<parts, V>(local, block * pan_bins, local.known[heard - 1]);
  }
}

// One copy of every loop per instruction set: the bodies above are inlined into functions with that target.
#define FORESTAGE_UPMIX_LOOPS(quality, V, target, parts, remembers)                         \
  namespace quality {                                                                       \
  target void fold(const Fold& job) { fold_body<parts, V>(job); }                           \
  target void principal_axis(const Estimate& job) { axis_body<parts, remembers, V>(job); }  \
  target void magnitude_difference(const Estimate& job) { difference_body<parts, V>(job); } \
  target void unfold(const Unfold& job) { unfold_body<parts, V>(job); }                     \
  constexpr Loops loops{parts, fold, principal_axis, magnitude_difference, unfold};         \
  }
#define FORESTAGE_UPMIX_KERNELS(set, V, target)                         \
  namespace set {                                                       \
  FORESTAGE_UPMIX_LOOPS(low_latency, V, target, 1, false)               \
  FORESTAGE_UPMIX_LOOPS(high_quality, V, target, 4, true)               \
  constexpr Table table{#set, low_latency::loops, high_quality::loops}; \
  }

FORESTAGE_UPMIX_KERNELS(baseline, simd::Baseline, )
FORESTAGE_UPMIX_KERNELS(avx2, simd::Wide, FORESTAGE_AVX2)
FORESTAGE_UPMIX_KERNELS(avx512, simd::Widest, FORESTAGE_AVX512)
#undef FORESTAGE_UPMIX_KERNELS
#undef FORESTAGE_UPMIX_LOOPS

}  // namespace

const Table& best() noexcept { return simd::best(baseline::table, avx2::table, avx512::table); }

}  // namespace forestage::upmix_kernels
