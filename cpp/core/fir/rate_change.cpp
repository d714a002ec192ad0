#include "rate_change.hpp"

#include <algorithm>
#include <cmath>

#include "simd.hpp"
#include "windowed_sinc.hpp"

namespace forestage {
namespace {

constexpr double least_rate_hz = 44100.0;
constexpr double heard_hz = 20000.0;
constexpr double rejection_db = 100.0;

constexpr int tile_frames = 32;  // that the interpolator sums at once

struct Interpolation {
  const float* low;   // frame 0 is the first of the call
  int count;          // of them, in this call
  const float* taps;  // `tile_frames` zeros on both sides
  int tap_count;
  int shift;  // log2 R
  int phase;
  float* to;
  int frames;
};

/// Every R-th of the sums over the last `tap_count` frames; `newest` is the last frame of the first one.
template <class V>
FORESTAGE_INLINE void decimate_body(const float* newest, const float* taps, int tap_count, int step, float* to,
                                    int count) {
  const float* oldest = newest + 1 - tap_count;
  for (int m = 0; m < count; ++m) to[m] = simd::dot<V>(oldest + static_cast<long>(m) * step, taps, tap_count);
}

/// Frames of one tile hear the same frames at the low rate, where their taps are not zero.
template <class V>
FORESTAGE_INLINE void interpolate_body(const Interpolation& job) {
  for (int first = 0; first < job.frames; first += tile_frames) {
    const int passed = first + job.phase + 1;  // since the low frame before this call, which is heard from the last on
    const int begin = ((passed - job.tap_count) >> job.shift) + 1;
    const int end = std::min(job.count, (passed + tile_frames - 1) >> job.shift);
    simd::Run<V, tile_frames / simd::width<V>> sum;
    for (int m = begin; m <= end; ++m) {
      simd::Run<V, tile_frames / simd::width<V>> taps;
      taps.read(job.taps + passed - (m << job.shift));
      sum.add_scaled(taps, job.low[m - 1]);
    }
    float tile[tile_frames];
    sum.write(tile);
    const int frames = std::min(tile_frames, job.frames - first);
    for (int n = 0; n < frames; ++n) job.to[first + n] += tile[n];
  }
}

struct Table {
  void (*decimate)(const float* newest, const float* taps, int tap_count, int step, float* to, int count);
  void (*interpolate)(const Interpolation& job);
};

#define FORESTAGE_KERNELS(set, V, target)                                                                       \
  namespace set {                                                                                               \
  target void decimate(const float* newest, const float* taps, int tap_count, int step, float* to, int count) { \
    decimate_body<V>(newest, taps, tap_count, step, to, count);                                                 \
  }                                                                                                             \
  target void interpolate(const Interpolation& job) { interpolate_body<V>(job); }                               \
  constexpr Table table{decimate, interpolate};                                                                 \
  }

FORESTAGE_KERNELS(baseline, simd::Baseline, )
FORESTAGE_KERNELS(avx2, simd::Wide, FORESTAGE_AVX2)
FORESTAGE_KERNELS(avx512, simd::Widest, FORESTAGE_AVX512)
#undef FORESTAGE_KERNELS

const Table& loops() noexcept { return simd::best(baseline::table, avx2::table, avx512::table); }

std::size_t size_of(int count) { return static_cast<std::size_t>(count); }

}  // namespace

RateLowPass::RateLowPass(double sample_rate) {
  while (std::ldexp(sample_rate, -shift_ - 1) >= least_rate_hz) ++shift_;
  if (shift_ == 0) return;
  // Kaiser's formulas for his window
  const double low_rate_hz = std::ldexp(sample_rate, -shift_);
  const double transition = (low_rate_hz - 2.0 * heard_hz) / sample_rate;
  const double beta = 0.1102 * (rejection_db - 8.7);
  const int half_taps = static_cast<int>(std::ceil(0.5 * (rejection_db - 7.95) / (14.36 * transition)));
  taps_.resize(size_of(2 * half_taps + 1));
  for (int k = 0; k <= 2 * half_taps; ++k) {
    taps_[size_of(k)] =
        static_cast<float>(windowed_sinc(k - half_taps, std::ldexp(1.0, -shift_), half_taps + 0.5, beta));
  }
}

Decimator::Decimator(const RateLowPass& low_pass, int lanes, int max_frames) : shift_(low_pass.shift()) {
  const int count = static_cast<int>(low_pass.taps().size());
  const int whole = (count + simd::dot_lanes - 1) / simd::dot_lanes * simd::dot_lanes;
  taps_.resize(size_of(whole));
  std::ranges::copy(low_pass.taps(), taps_.end() - count);
  lanes_.assign(size_of(lanes), History(whole, max_frames));
}

void Decimator::process(int lane, const float* from, int frames, int phase, float* to) noexcept {
  const float* newest = lanes_[size_of(lane)].push(from, frames);
  const int step = 1 << shift_;
  loops().decimate(newest + step - 1 - phase, taps_.data(), static_cast<int>(taps_.size()), step, to,
                   (phase + frames) >> shift_);
}

void Decimator::reset() noexcept {
  for (History& lane : lanes_) lane.reset();
}

Interpolator::Interpolator(const RateLowPass& low_pass, int lanes, int max_frames)
    : shift_(low_pass.shift()),
      tap_count_(static_cast<int>(low_pass.taps().size())),
      taps_(size_of(tap_count_ + 2 * tile_frames)),
      lanes_(size_of(lanes), History((tap_count_ >> shift_) + 1, (max_frames >> shift_) + 1)) {
  std::ranges::transform(low_pass.taps(), taps_.begin() + tile_frames,
                         [&](float tap) { return std::ldexp(tap, shift_); });
}

void Interpolator::process(int lane, const float* from, int frames, int phase, float* to) noexcept {
  const int count = (phase + frames) >> shift_;
  loops().interpolate({.low = lanes_[size_of(lane)].push(from, count),
                       .count = count,
                       .taps = taps_.data() + tile_frames,
                       .tap_count = tap_count_,
                       .shift = shift_,
                       .phase = phase,
                       .to = to,
                       .frames = frames});
}

void Interpolator::reset() noexcept {
  for (History& lane : lanes_) lane.reset();
}

}  // namespace forestage
