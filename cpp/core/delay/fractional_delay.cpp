#include "fractional_delay.hpp"

#include <algorithm>
#include <cmath>

#include "simd.hpp"

namespace forestage {
namespace {

/// Each frame of all lanes through a kernel of its own; `newest` as History::push() returns it.
struct Moved {
  const float* const* newest;
  const double* delay_frames;
  AudioBlock out;
};

// Tap k at a phase is tap K - 1 - k at the opposite one, so that kernel and past are read in one direction.
template <class V, int lanes>
FORESTAGE_INLINE void move_lanes(const Moved& job, int lane) {
  constexpr int taps = FractionalDelay::taps;
  static_assert(taps == 2 * fractional_center + 2 && taps % simd::width<V> == 0);
  const float* const kernels = fractional_kernels();
  const double* const delays = job.delay_frames;
  const float* newest[lanes];
  float* out[lanes];
  for (int c = 0; c < lanes; ++c) {
    newest[c] = job.newest[lane + c];
    out[c] = job.out[lane + c];
  }
  for (int n = 0; n < job.out.frames; ++n) {
    const int whole_frames = static_cast<int>(delays[n]);
    const double position = fractional_phases * (1.0 - (delays[n] - whole_frames));
    const int phase = std::min(static_cast<int>(position), fractional_phases - 1);
    const auto mix = static_cast<float>(position - phase);
    const float* kernel = kernels + static_cast<long>(phase) * taps;
    const long past = n - whole_frames - taps;
    V sums[lanes] = {};
    for (int k = 0; k < taps; k += simd::width<V>) {
      V tap, next;
      simd::load(tap, kernel + k);
      simd::load(next, kernel + taps + k);
      tap += mix * (next - tap);
      for (int c = 0; c < lanes; ++c) {
        V frame;
        simd::load(frame, newest[c] + past + k);
        sums[c] += tap * frame;
      }
    }
    for (int c = 0; c < lanes; ++c) out[c][n] = simd::sum(sums[c]);
  }
}

template <class V>
FORESTAGE_INLINE void move_body(const Moved& job) {
  int lane = 0;
  for (; lane + 2 <= job.out.channels; lane += 2) move_lanes<V, 2>(job, lane);
  if (lane < job.out.channels) move_lanes<V, 1>(job, lane);
}

void baseline_move(const Moved& job) { move_body<simd::Baseline>(job); }
FORESTAGE_AVX2 void avx2_move(const Moved& job) { move_body<simd::Wide>(job); }

}  // namespace

FractionalDelay::FractionalDelay(int channels, double max_delay_frames, int max_block_frames)
    : histories_(static_cast<std::size_t>(channels), History(static_cast<int>(std::ceil(max_delay_frames)) + taps + 1,
                                                             max_block_frames + fir_kernels::read_beyond)),
      newest_(histories_.size()),
      zeros_(static_cast<std::size_t>(max_block_frames + fir_kernels::read_beyond)) {
  set_delay(0.0);
}

void FractionalDelay::set_delay(double delay_frames) noexcept {
  if (delay_frames == delay_frames_) return;
  delay_frames_ = delay_frames;
  whole_frames_ = static_cast<int>(delay_frames);
  fractional_kernel(delay_frames - whole_frames_, kernel_.data());
}

void FractionalDelay::process(AudioBlock io, double delay_frames) noexcept {
  set_delay(delay_frames);
  for (int c = 0; c < io.channels; ++c) {
    const float* newest = histories_[static_cast<std::size_t>(c)].push(io[c], io.frames);
    float* out = io[c];
    loops_->direct({.x = newest - whole_frames_ - 1,
                    .x_stride = 0,
                    .taps = kernel_.data(),
                    .tap_count = taps,
                    .start = zeros_.data(),
                    .start_stride = 0,
                    .outputs = &out,
                    .frames = io.frames,
                    .input_count = 1,
                    .output_count = 1});
  }
}

void FractionalDelay::process(AudioBlock io, const double* delay_frames) noexcept {
  for (int c = 0; c < io.channels; ++c) {
    newest_[static_cast<std::size_t>(c)] = histories_[static_cast<std::size_t>(c)].push(io[c], io.frames);
  }
  const auto move = simd::has_avx2() ? avx2_move : baseline_move;
  move({newest_.data(), delay_frames, io});
}

void FractionalDelay::reset() noexcept {
  for (History& history : histories_) history.reset();
}

}  // namespace forestage
