// Scratch lanes: memory for intermediate audio, sized once.
#pragma once

#include <algorithm>
#include <vector>

#include "blocks.hpp"
#include "ramp.hpp"

namespace forestage {

class Lanes {
 public:
  Lanes(int channels, int max_block_frames)
      : memory_(static_cast<std::size_t>(channels) * static_cast<std::size_t>(max_block_frames)) {
    for (int c = 0; c < channels; ++c) {
      pointers_.push_back(memory_.data() + static_cast<std::ptrdiff_t>(c) * max_block_frames);
    }
  }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;
  Lanes(Lanes&&) = default;  // memory on the heap stays where it is

  AudioBlock block(int frames) noexcept { return {pointers_.data(), static_cast<int>(pointers_.size()), frames}; }
  AudioBlock block(int first_channel, int channels, int frames) noexcept {
    return {pointers_.data() + first_channel, channels, frames};
  }
  float* operator[](int channel) noexcept { return pointers_[static_cast<std::size_t>(channel)]; }

 private:
  std::vector<float> memory_;
  std::vector<float*> pointers_;
};

inline void clear(AudioBlock block) noexcept {
  for (int c = 0; c < block.channels; ++c) std::fill_n(block[c], block.frames, 0.0f);
}

/// a becomes (1 - weight) a + weight b, frame by frame; exact at both ends.
inline void blend(AudioBlock a, ConstAudioBlock b, const float* weight) noexcept {
  for (int c = 0; c < a.channels; ++c) {
    float* to = a[c];
    const float* from = b[c];
    for (int n = 0; n < a.frames; ++n) to[n] = (1.0f - weight[n]) * to[n] + weight[n] * from[n];
  }
}

inline void scale(AudioBlock block, RampBlock gain) noexcept {
  if (gain.is(1.0f)) return;
  for (int c = 0; c < block.channels; ++c) {
    for (int n = 0; n < block.frames; ++n) block[c][n] *= gain[n];
  }
}

}  // namespace forestage
