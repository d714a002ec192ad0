#include "fractional_delay.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "simd.hpp"

namespace forestage {
namespace {

/// Each frame through a kernel of its own; `newest` as History::push() returns it.
using Move = void (*)(const float* newest, const double* delay_frames, float* out, int frames);

// Tap k at a phase is tap K - 1 - k at the opposite one, so that kernel and past are read in one direction.
FORESTAGE_INLINE void move_body(const float* newest, const double* delay_frames, float* out, int frames) {
  constexpr int taps = FractionalDelay::taps;
  constexpr int parts = 8;
  static_assert(taps == 2 * fractional_center + 2 && taps % parts == 0);
  const float* const kernels = fractional_kernels();
  for (int n = 0; n < frames; ++n) {
    const int whole_frames = static_cast<int>(delay_frames[n]);
    const double position = fractional_phases * (1.0 - (delay_frames[n] - whole_frames));
    const int phase = std::min(static_cast<int>(position), fractional_phases - 1);
    const auto mix = static_cast<float>(position - phase);
    const float* a = kernels + static_cast<long>(phase) * taps;
    const float* past = newest + n - whole_frames - 1 - (taps - 1);
    float sums[parts] = {};
    for (int k = 0; k < taps; k += parts) {
      for (int part = 0; part < parts; ++part) {
        const float tap = a[k + part] + mix * (a[taps + k + part] - a[k + part]);
        sums[part] += tap * past[k + part];
      }
    }
    out[n] = std::accumulate(sums, sums + parts, 0.0f);
  }
}

void baseline_move(const float* newest, const double* delay_frames, float* out, int frames) {
  move_body(newest, delay_frames, out, frames);
}
FORESTAGE_AVX2 void avx2_move(const float* newest, const double* delay_frames, float* out, int frames) {
  move_body(newest, delay_frames, out, frames);
}

}  // namespace

FractionalDelay::FractionalDelay(double max_delay_frames, int max_block_frames)
    : history_(static_cast<int>(std::ceil(max_delay_frames)) + taps + 1, max_block_frames + fir_kernels::read_beyond),
      zeros_(static_cast<std::size_t>(max_block_frames + fir_kernels::read_beyond)) {
  set_delay(0.0);
}

void FractionalDelay::set_delay(double delay_frames) noexcept {
  if (delay_frames == delay_frames_) return;
  delay_frames_ = delay_frames;
  whole_frames_ = static_cast<int>(delay_frames);
  fractional_kernel(delay_frames - whole_frames_, kernel_.data());
}

void FractionalDelay::process(const float* in, double delay_frames, float* out, int frames) noexcept {
  const float* newest = history_.push(in, frames);
  set_delay(delay_frames);
  loops_->direct({.x = newest - whole_frames_ - 1,
                  .x_stride = 0,
                  .taps = kernel_.data(),
                  .tap_count = taps,
                  .start = zeros_.data(),
                  .start_stride = 0,
                  .outputs = &out,
                  .frames = frames,
                  .input_count = 1,
                  .output_count = 1});
}

void FractionalDelay::process(const float* in, const double* delay_frames, float* out, int frames) noexcept {
  const float* newest = history_.push(in, frames);
  const Move move = simd::has_avx2() ? avx2_move : baseline_move;
  move(newest, delay_frames, out, frames);
}

}  // namespace forestage
