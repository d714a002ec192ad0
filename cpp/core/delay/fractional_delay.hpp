// Fractional delay of some lanes, with the kernels of fractional_kernel.hpp.
// A delay of d frames comes out as latency_frames() + d; whole-frame delays are exact.
#pragma once

#include <array>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "fir_kernels.hpp"
#include "fractional_kernel.hpp"

namespace forestage {

class FractionalDelay {
 public:
  static constexpr int taps = fractional_taps;
  static constexpr int latency = fractional_center + 1;

  FractionalDelay(int channels, double max_delay_frames, int max_block_frames);

  /// In place; `delay_frames[n]` is the delay of frame n in all lanes, 0 ... max, and glides from one to the next. Less
  /// than 0.002 frames a frame take a third of the time.  [audio]
  void process(AudioBlock io, const float* delay_frames) noexcept;
  /// All frames with one delay, which is cheaper.  [audio]
  void process(AudioBlock io, double delay_frames) noexcept;
  void reset() noexcept;

 private:
  void set_delay(double delay_frames) noexcept;

  const fir_kernels::Table* loops_ = &fir_kernels::best();
  std::vector<History> histories_;
  std::vector<const float*> newest_;  // of each lane, as History::push() returns it
  std::vector<float> zeros_;
  double delay_frames_ = -1.0;
  int whole_frames_ = 0;
  std::array<float, taps> kernel_{};
};

}  // namespace forestage
