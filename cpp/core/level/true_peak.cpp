#include "true_peak.hpp"

#include <algorithm>
#include <cmath>

#include "simd.hpp"
#include "windowed_sinc.hpp"

namespace forestage {

struct PeakKernels {
  void (*frames)(const float* x, float* peaks, int frames);
  void (*between)(const float* x, float* peaks, int frames, const float* h, int phases);
};

namespace {

constexpr int taps = 2 * TruePeak::half_taps;
constexpr double least_rate_hz = 176400.0;
constexpr double kaiser_beta = 5.0;

int phases_at(double sample_rate) noexcept {
  int factor = 1;
  while (factor < 4 && factor * sample_rate < least_rate_hz) factor *= 2;
  return factor - 1;
}

// The bodies are templates over a vector of simd.hpp; each does as many frames as fill whole vectors, and says how
// many.

template <class V>
FORESTAGE_INLINE void raise_to(V& most, const V& value) {
  const V down = -value;
  most = value > most ? value : most;
  most = down > most ? down : most;
}

template <class V>
FORESTAGE_INLINE int frames_body(const float* x, float* peaks, int n, int frames) {
  for (; n + simd::width<V> <= frames; n += simd::width<V>) {
    V most, value;
    simd::load(most, peaks + n);
    simd::load(value, x + n);
    raise_to(most, value);
    simd::store(peaks + n, most);
  }
  return n;
}

template <class V>
FORESTAGE_INLINE int between_body(const float* x, float* peaks, int n, int frames, const float* h, int phases) {
  for (; n + simd::width<V> <= frames; n += simd::width<V>) {
    V most;
    simd::load(most, peaks + n);
    for (int phase = 0; phase < phases; ++phase, h += taps) {
      V even{};
      V odd{};
      for (int k = 0; k < taps; k += 2) {
        V a, b;
        simd::load(a, x + n - k);
        simd::load(b, x + n - k - 1);
        even += a * h[k];
        odd += b * h[k + 1];
      }
      raise_to(most, V(even + odd));
    }
    h -= phases * taps;
    simd::store(peaks + n, most);
  }
  return n;
}

void frames_baseline(const float* x, float* peaks, int frames) {
  const int done = frames_body<simd::Baseline>(x, peaks, 0, frames);
  frames_body<float>(x, peaks, done, frames);
}

void between_baseline(const float* x, float* peaks, int frames, const float* h, int phases) {
  const int done = between_body<simd::Baseline>(x, peaks, 0, frames, h, phases);
  between_body<float>(x, peaks, done, frames, h, phases);
}

FORESTAGE_AVX2 void frames_avx2(const float* x, float* peaks, int frames) {
  const int done = frames_body<simd::Wide>(x, peaks, 0, frames);
  frames_body<float>(x, peaks, done, frames);
}

FORESTAGE_AVX2 void between_avx2(const float* x, float* peaks, int frames, const float* h, int phases) {
  const int done = between_body<simd::Wide>(x, peaks, 0, frames, h, phases);
  between_body<float>(x, peaks, done, frames, h, phases);
}

constexpr PeakKernels baseline{frames_baseline, between_baseline};
constexpr PeakKernels avx2{frames_avx2, between_avx2};

}  // namespace

TruePeak::TruePeak(double sample_rate) : kernels_(&simd::best(baseline, avx2)), phases_(phases_at(sample_rate)) {
  for (int phase = 1; phase <= phases_; ++phase) {
    const double fraction = static_cast<double>(phase) / (phases_ + 1);
    double gain = 0.0;
    for (int k = 0; k < taps; ++k) {
      const double tap = windowed_sinc(k - half_taps + fraction, 1.0, half_taps, kaiser_beta);
      taps_.push_back(static_cast<float>(tap));
      gain += std::abs(tap);
    }
    most_gain_ = std::max(most_gain_, static_cast<float>(1.001 * gain));
  }
}

void TruePeak::raise_to_frames(const float* x, float* peaks, int frames) const noexcept {
  kernels_->frames(x, peaks, frames);
}

void TruePeak::raise(const float* x, float* peaks, int frames) const noexcept {
  kernels_->between(x, peaks, frames, taps_.data(), phases_);
}

}  // namespace forestage
