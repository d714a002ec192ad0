#include "fractional_delay.hpp"

#include <algorithm>
#include <cmath>

#include "simd.hpp"

namespace forestage {
namespace {

constexpr int taps = FractionalDelay::taps;

/// Lanes to be moved; `newest` as History::push() returns it.
struct Moved {
  const float* const* newest;
  const float* delay_frames;
  AudioBlock out;
};

/// Where a frame is read. Tap k at a phase is tap K - 1 - k at the opposite one, so that kernel and past are read in
/// one direction.
struct Place {
  explicit Place(float delay_frames) noexcept
      : whole_frames(static_cast<int>(delay_frames)),
        phase(fractional_phases * (1.0f - (delay_frames - static_cast<float>(whole_frames)))) {}
  int whole_frames;
  float phase;
};

/// Each frame through a kernel of its own.
template <class V, int lanes>
FORESTAGE_INLINE void move_frames(const Moved& job, int lane, int begin, int end) {
  static_assert(taps == 2 * fractional_center + 2 && taps % simd::width<V> == 0);
  for (int n = begin; n < end; ++n) {
    const Place place(job.delay_frames[n]);
    const int phase = std::min(static_cast<int>(place.phase), fractional_phases - 1);
    const float mix = place.phase - static_cast<float>(phase);
    const float* kernel = fractional_kernels() + static_cast<long>(phase) * taps;
    const long past = n - place.whole_frames - taps;
    V sums[lanes] = {};
    for (int k = 0; k < taps; k += simd::width<V>) {
      V tap, next;
      simd::load(tap, kernel + k);
      simd::load(next, kernel + taps + k);
      tap += mix * (next - tap);
      for (int c = 0; c < lanes; ++c) {
        V frame;
        simd::load(frame, job.newest[lane + c] + past + k);
        sums[c] += tap * frame;
      }
    }
    for (int c = 0; c < lanes; ++c) job.out[lane + c][n] = simd::sum(sums[c]);
  }
}

constexpr int cell_frames = 32;
// A parabola through kernels so far to both sides is off by -84 dB at Nyquist, by -102 dB at half of it.
constexpr int most_reach = fractional_margin_phases;

/// Frames whose kernels lie on a parabola through three of the table.
struct Cell {
  int whole_frames = 0;
  const float* middle = nullptr;
  float slopes[taps], bends[taps];
  float places[cell_frames];  // of each frame's kernel: 0 is the middle one, -1 and 1 the outer ones
};

/// False where delays are too far apart for one. They glide: those between the first and the last lie hardly beyond.
FORESTAGE_INLINE bool make_cell(const float* delay_frames, Cell& cell) {
  const float center_frames = delay_frames[cell_frames / 2];
  const float most_frames =
      std::max(std::abs(delay_frames[0] - center_frames), std::abs(delay_frames[cell_frames - 1] - center_frames));
  const int reach = static_cast<int>(fractional_phases * most_frames) + 1;
  if (reach > most_reach) return false;
  const Place place(center_frames);
  const int phase = static_cast<int>(place.phase);
  cell.whole_frames = place.whole_frames;
  cell.middle = fractional_kernels() + static_cast<long>(phase) * taps;
  const float* below = cell.middle - static_cast<long>(reach) * taps;
  const float* above = cell.middle + static_cast<long>(reach) * taps;
  for (int k = 0; k < taps; ++k) {
    cell.slopes[k] = 0.5f * (above[k] - below[k]);
    cell.bends[k] = 0.5f * (above[k] + below[k]) - cell.middle[k];
  }
  const float scale = 1.0f / static_cast<float>(reach);
  const float center = scale * (place.phase - static_cast<float>(phase));
  const float phase_scale = scale * fractional_phases;
  for (int n = 0; n < cell_frames; ++n) {
    cell.places[n] = center + phase_scale * (center_frames - delay_frames[n]);
  }
  return true;
}

template <class V, int lanes>
FORESTAGE_INLINE void move_cell(const Moved& job, int lane, int begin, const Cell& cell) {
  constexpr int vectors = simd::width<V> >= 8 ? 2 : 1;  // whose sums registers hold
  const long past = begin - cell.whole_frames - taps;
  for (int start = 0; start < cell_frames; start += vectors * simd::width<V>) {
    V middle[lanes][vectors] = {}, slope[lanes][vectors] = {}, bend[lanes][vectors] = {};
    for (int k = 0; k < taps; ++k) {
      for (int c = 0; c < lanes; ++c) {
        for (int v = 0; v < vectors; ++v) {
          V x;
          simd::load_once(x, job.newest[lane + c] + past + start + v * simd::width<V> + k);
          middle[c][v] += x * cell.middle[k];
          slope[c][v] += x * cell.slopes[k];
          bend[c][v] += x * cell.bends[k];
        }
      }
    }
    for (int c = 0; c < lanes; ++c) {
      for (int v = 0; v < vectors; ++v) {
        const int frame = start + v * simd::width<V>;
        V place;
        simd::load(place, cell.places + frame);
        simd::store<V>(job.out[lane + c] + begin + frame, middle[c][v] + place * (slope[c][v] + place * bend[c][v]));
      }
    }
  }
}

template <class V>
FORESTAGE_INLINE void move_body(const Moved& job) {
  Cell memory;
  for (int begin = 0; begin < job.out.frames; begin += cell_frames) {
    const int end = std::min(begin + cell_frames, job.out.frames);
    const bool is_cell = end - begin == cell_frames && make_cell(job.delay_frames + begin, memory);
    for (int lane = 0; lane < job.out.channels; lane += 2) {
      const bool is_pair = lane + 1 < job.out.channels;
      if (is_cell) {
        is_pair ? move_cell<V, 2>(job, lane, begin, memory) : move_cell<V, 1>(job, lane, begin, memory);
      } else {
        is_pair ? move_frames<V, 2>(job, lane, begin, end) : move_frames<V, 1>(job, lane, begin, end);
      }
    }
  }
}

void baseline_move(const Moved& job) { move_body<simd::Baseline>(job); }
FORESTAGE_AVX2 void avx2_move(const Moved& job) { move_body<simd::Wide>(job); }
FORESTAGE_AVX512 void avx512_move(const Moved& job) { move_body<simd::Widest>(job); }

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

void FractionalDelay::process(AudioBlock io, const float* delay_frames) noexcept {
  for (int c = 0; c < io.channels; ++c) {
    newest_[static_cast<std::size_t>(c)] = histories_[static_cast<std::size_t>(c)].push(io[c], io.frames);
  }
  const auto move = simd::best(&baseline_move, &avx2_move, &avx512_move);
  move({newest_.data(), delay_frames, io});
}

void FractionalDelay::reset() noexcept {
  for (History& history : histories_) history.reset();
}

}  // namespace forestage
