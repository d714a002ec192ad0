// Peaks of what goes in and comes out, for meters: the audio thread writes them while somebody looks, a window takes
// them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstddef>

#include "blocks.hpp"
#include "preset_fields.hpp"

namespace forestage::plugin {

class LevelTap {
 public:
  static constexpr int inputs = 2;
  static constexpr int outputs = static_cast<int>(preset_detail::max_drivers);

  /// With nobody looking it costs one load per block.  [main]
  void watch(bool is_watched) noexcept { is_watched_.store(is_watched, std::memory_order_relaxed); }

  void read_input(ConstAudioBlock in) noexcept { read({in.lanes, std::min(in.channels, inputs), in.frames}, input_); }
  void read_output(ConstAudioBlock out) noexcept { read(out, output_); }  // [audio], as the one before

  /// Largest sample since the last call.  [one thread that looks]
  float take_input(int channel) noexcept { return take(input_, channel); }
  float take_output(int channel) noexcept { return take(output_, channel); }

 private:
  template <std::size_t size>
  static float take(std::array<std::atomic<float>, size>& peaks, int channel) noexcept {
    return peaks[static_cast<std::size_t>(channel)].exchange(0.0f, std::memory_order_relaxed);
  }

  template <std::size_t size>
  void read(ConstAudioBlock block, std::array<std::atomic<float>, size>& peaks) noexcept {
    if (!is_watched_.load(std::memory_order_relaxed)) return;
    for (int c = 0; c < std::min(block.channels, static_cast<int>(size)); ++c) {
      float peak = 0.0f;
      for (int n = 0; n < block.frames; ++n) peak = std::max(peak, std::abs(block[c][n]));
      auto& kept = peaks[static_cast<std::size_t>(c)];
      if (peak > kept.load(std::memory_order_relaxed)) kept.store(peak, std::memory_order_relaxed);
    }
  }

  std::atomic<bool> is_watched_{false};
  std::array<std::atomic<float>, inputs> input_{};
  std::array<std::atomic<float>, outputs> output_{};
};

}  // namespace forestage::plugin
