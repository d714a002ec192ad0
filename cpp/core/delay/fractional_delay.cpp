#include "fractional_delay.hpp"

#include <algorithm>
#include <cmath>

namespace forestage {

// The direct form reads up to 8 frames past the newest block.
FractionalDelay::FractionalDelay(double max_delay_frames, int max_block_frames)
    : history_(static_cast<int>(std::ceil(max_delay_frames)) + taps + 1, max_block_frames + kernels::lanes),
      zeros_(static_cast<std::size_t>(max_block_frames + kernels::lanes)) {
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
  for (int n = 0; n < frames; ++n) {
    set_delay(delay_frames[n]);
    const float* past = newest + n - whole_frames_ - 1;
    float sum = 0.0f;
    for (int k = 0; k < taps; ++k) sum += kernel_[static_cast<std::size_t>(k)] * past[-k];
    out[n] = sum;
  }
}

}  // namespace forestage
