#include "fir_kernels.hpp"

#include <cstring>

#include "simd.hpp"

namespace forestage::fir_kernels {
namespace {

// All loops are templates over V, a vector of simd.hpp.
using simd::deinterleave;
using simd::interleave;
using simd::load;
using simd::Run;
using simd::store;
using simd::width;

template <class V>
FORESTAGE_INLINE void fold_body(const float* first, const float* second, const float* w_re, const float* w_im, float* z,
                                int count) {
  for (int n = 0; n < count; n += width<V>) {
    V a, b, wr, wi;
    load(a, first + n);
    load(b, second + n);
    load(wr, w_re + n);
    load(wi, w_im + n);
    const V re = a * wr + b * wi;
    const V im = a * wi - b * wr;
    interleave(z + 2 * n, re, im);
  }
}

template <class V>
FORESTAGE_INLINE void pack_body(const float* bins, float* cells, long stride, int count) {
  for (int n = 0; n < count; n += width<V>) {
    V re, im;
    deinterleave(bins + 2 * n, re, im);
    float* to = cells + n / chunk_bins * stride + n % chunk_bins;
    store(to, re);
    store(to + chunk_bins, im);
  }
}

template <class V>
FORESTAGE_INLINE void unfold_body(const float* z, const float* w_re, const float* w_im, float* frames, int count) {
  for (int n = 0; n < count; n += width<V>) {
    V re, im, wr, wi;
    deinterleave(z + 2 * n, re, im);
    load(wr, w_re + n);
    load(wi, w_im + n);
    const V y = re * wi - im * wr;
    store(frames + n, y);
  }
}

/// Vectors of a chunk that are summed at once: with two AVX2 reads each line of cache once, and waits for no sum.
template <class V, int outputs>
constexpr int vectors_at_once = outputs <= 3 && width<V> < chunk_bins ? 2 : 1;

/// Running sums of neighbouring bins of neighbouring outputs.
template <class V, int outputs>
struct Sums {
  static constexpr int vectors = vectors_at_once<V, outputs>;
  V re[outputs][vectors] = {};
  V im[outputs][vectors] = {};
};

/// Complex multiply-accumulate, over inputs that lie one after the other.
template <class V, int outputs>
FORESTAGE_INLINE void accumulate_run(const float* x, const float* h, long steps, long h_step, Sums<V, outputs>& sums) {
  constexpr int vectors = Sums<V, outputs>::vectors;
  for (long step = 0; step < steps; ++step, x += cell, h += h_step) {
    V xr[vectors], xi[vectors];
    for (int v = 0; v < vectors; ++v) {
      load(xr[v], x + v * width<V>);
      load(xi[v], x + v * width<V> + chunk_bins);
    }
    for (int o = 0; o < outputs; ++o) {
      for (int v = 0; v < vectors; ++v) {
        V hr, hi;
        load(hr, h + o * cell + v * width<V>);
        load(hi, h + o * cell + v * width<V> + chunk_bins);
        sums.re[o][v] += xr[v] * hr;
        sums.im[o][v] += xr[v] * hi;
        sums.re[o][v] -= xi[v] * hi;
        sums.im[o][v] += xi[v] * hr;
      }
    }
  }
}

/// The same over all active inputs of some partitions.
template <class V, int outputs>
FORESTAGE_INLINE void accumulate(const Multiply& job, const float* x, const float* h, long partitions,
                                 Sums<V, outputs>& sums) {
  const long h_step = static_cast<long>(job.output_count) * cell;
  if (job.active_inputs == job.input_count) {
    accumulate_run(x, h, partitions * job.input_count, h_step, sums);
    return;
  }
  for (long p = 0; p < partitions; ++p, x += job.input_count * cell, h += job.input_count * h_step) {
    accumulate_run(x, h, job.active_inputs, h_step, sums);
  }
}

template <class V, int outputs>
FORESTAGE_INLINE void multiply_outputs(const Multiply& job, int output) {
  constexpr int vectors = Sums<V, outputs>::vectors;
  const long h_step = static_cast<long>(job.output_count) * cell;
  const long x_partition = static_cast<long>(job.input_count) * cell;
  const long h_partition = job.input_count * h_step;
  const int head = job.partitions - job.slot;  // partitions from here on find their input at the start of the ring
  const int wrap = head < job.first ? job.first : head < job.last ? head : job.last;
  for (int bin = job.first_bin; bin < job.last_bin; bin += vectors * width<V>) {
    const long chunk = bin / chunk_bins * static_cast<long>(job.partitions);
    const float* x = job.inputs + chunk * x_partition + bin % chunk_bins;
    const float* h = job.filters + chunk * h_partition + bin % chunk_bins + static_cast<long>(output) * cell;
    Sums<V, outputs> sums;
    const auto place = [&](int o, int v) {
      return 2L * (output + o) * job.partition_frames + 2 * (bin + v * width<V>);
    };
    if (job.start != nullptr) {
      for (int o = 0; o < outputs; ++o) {
        for (int v = 0; v < vectors; ++v) deinterleave(job.start + place(o, v), sums.re[o][v], sums.im[o][v]);
      }
    }
    accumulate(job, x + (job.slot + job.first) * x_partition, h + job.first * h_partition, wrap - job.first, sums);
    accumulate(job, x + (job.slot + wrap - job.partitions) * x_partition, h + wrap * h_partition, job.last - wrap,
               sums);
    for (int o = 0; o < outputs; ++o) {
      for (int v = 0; v < vectors; ++v) interleave(job.products + place(o, v), sums.re[o][v], sums.im[o][v]);
    }
  }
}

template <class V>
FORESTAGE_INLINE void multiply_body(const Multiply& job) {
  // Up to 5 outputs share each load of an input, or 3 for both halves of a chunk; then 16 registers are full.
  constexpr bool in_halves = (vectors_at_once<V, 1>) > 1;
  constexpr int of_four = in_halves ? 2 : 4, of_five = in_halves ? 3 : 5, of_more = in_halves ? 3 : 4;
  for (int output = 0; output < job.output_count;) {
    const int left = job.output_count - output;
    switch (left) {
      case 1:
        multiply_outputs<V, 1>(job, output);
        return;
      case 2:
        multiply_outputs<V, 2>(job, output);
        return;
      case 3:
        multiply_outputs<V, 3>(job, output);
        return;
      case 4:
        multiply_outputs<V, of_four>(job, output);
        output += of_four;
        break;
      case 5:
        multiply_outputs<V, of_five>(job, output);
        output += of_five;
        break;
      default:
        multiply_outputs<V, of_more>(job, output);
        output += of_more;
    }
  }
}

// One long running sum would lose 6 dB to rounding where this keeps it.
constexpr int taps_per_partial_sum = 32;

template <class V, int vectors, int count>
FORESTAGE_INLINE void direct_tile(const Direct& job, int frame, int output) {
  Run<V, vectors> sum[count];
  for (int o = 0; o < count; ++o) sum[o].read(job.start + static_cast<long>(output + o) * job.start_stride + frame);
  const float* taps = job.taps + output;
  for (int i = 0; i < job.input_count; ++i) {
    const float* x = job.x + static_cast<long>(i) * job.x_stride + frame;
    for (int begin = 0; begin < job.tap_count; begin += taps_per_partial_sum) {
      const int left = job.tap_count - begin;
      Run<V, vectors> partial[count];
      for (int k = left < taps_per_partial_sum ? left : taps_per_partial_sum; k > 0;
           --k, --x, taps += job.output_count) {
        Run<V, vectors> in;
        in.read(x);
        for (int o = 0; o < count; ++o) partial[o].add_scaled(in, taps[o]);
      }
      for (int o = 0; o < count; ++o) sum[o].add(partial[o]);
    }
  }
  constexpr int tile_frames = vectors * width<V>;
  const int frames = job.frames - frame;
  for (int o = 0; o < count; ++o) {
    float* to = job.outputs[output + o] + frame;
    if (frames >= tile_frames) {
      sum[o].write(to);
    } else {
      float last[tile_frames];
      sum[o].write(last);
      std::memcpy(to, last, static_cast<std::size_t>(frames) * sizeof(float));
    }
  }
}

template <class V, int count>
FORESTAGE_INLINE void direct_outputs(const Direct& job, int output) {
  constexpr int vectors = 4;
  constexpr int tile_frames = vectors * width<V>;
  int frame = 0;
  for (; frame + tile_frames <= job.frames; frame += tile_frames) direct_tile<V, vectors, count>(job, frame, output);
  for (; frame < job.frames; frame += width<V>) direct_tile<V, 1, count>(job, frame, output);
}

template <class V>
FORESTAGE_INLINE void direct_body(const Direct& job) {
  for (int output = 0; output < job.output_count;) {
    const int left = job.output_count - output;
    switch (left) {
      case 1:
        direct_outputs<V, 1>(job, output);
        return;
      case 2:
      case 4:
        direct_outputs<V, 2>(job, output);
        output += 2;
        break;
      default:
        direct_outputs<V, 3>(job, output);
        output += 3;
    }
  }
}

// One copy of every loop per instruction set: the bodies above are inlined into functions with that target.
#define FORESTAGE_KERNELS(set, V, target)                                                                   \
  namespace set {                                                                                           \
  target void fold(const float* first, const float* second, const float* w_re, const float* w_im, float* z, \
                   int count) {                                                                             \
    fold_body<V>(first, second, w_re, w_im, z, count);                                                      \
  }                                                                                                         \
  target void pack(const float* bins, float* cells, long stride, int count) {                               \
    pack_body<V>(bins, cells, stride, count);                                                               \
  }                                                                                                         \
  target void multiply(const Multiply& job) { multiply_body<V>(job); }                                      \
  target void unfold(const float* z, const float* w_re, const float* w_im, float* frames, int count) {      \
    unfold_body<V>(z, w_re, w_im, frames, count);                                                           \
  }                                                                                                         \
  target void direct(const Direct& job) { direct_body<V>(job); }                                            \
  constexpr Table table{#set, fold, pack, multiply, unfold, direct};                                        \
  }

FORESTAGE_KERNELS(baseline, simd::Baseline, )
FORESTAGE_KERNELS(avx2, simd::Wide, FORESTAGE_AVX2)
FORESTAGE_KERNELS(avx512, simd::Widest, FORESTAGE_AVX512)
#undef FORESTAGE_KERNELS

}  // namespace

const Table& best() noexcept { return simd::best(baseline::table, avx2::table, avx512::table); }

}  // namespace forestage::fir_kernels
