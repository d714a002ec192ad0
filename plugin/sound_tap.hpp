// The newest sound that came out, for a window that looks at its spectrum: the audio thread writes a ring that nobody
// waits for.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "blocks.hpp"

namespace forestage::plugin {

class SoundTap {
 public:
  /// Keeps so many frames of so many lanes at least, from now on.  [main]
  void listen(int lanes, int frames) {
    const Ring* now = rings_.empty() ? nullptr : rings_.back().get();
    if (now == nullptr || now->lanes < lanes || now->frames < spare * frames) {
      // The audio thread may be in the one before, so that it stays
      rings_.push_back(std::make_unique<Ring>(lanes, spare * frames));
    }
    ring_.store(rings_.back().get(), std::memory_order_release);
  }
  /// With nobody listening it costs one load per block.  [main]
  void stop() noexcept { ring_.store(nullptr, std::memory_order_relaxed); }

  void write(ConstAudioBlock out) noexcept {  // [audio]
    Ring* ring = ring_.load(std::memory_order_acquire);
    if (ring == nullptr) return;
    const std::uint64_t start = ring->written.load(std::memory_order_relaxed);
    ring->claimed.store(start + static_cast<std::uint64_t>(out.frames), std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    for (int c = 0; c < ring->lanes; ++c) {
      for (int n = 0; n < out.frames; ++n)
        ring->at(c, start + static_cast<std::uint64_t>(n))
            .store(c < out.channels ? out[c][n] : 0.0f, std::memory_order_relaxed);
    }
    ring->written.store(start + static_cast<std::uint64_t>(out.frames), std::memory_order_release);
  }

  /// How many frames have come: a window sees whether sound goes on.  [any]
  std::uint64_t written() const noexcept {
    const Ring* ring = ring_.load(std::memory_order_acquire);
    return ring != nullptr ? ring->written.load(std::memory_order_relaxed) : 0;
  }

  /// The newest `frames` of each lane, or nothing when so much has not come yet.  [one thread that looks]
  std::vector<std::vector<float>> newest(int frames) const {
    const Ring* ring = ring_.load(std::memory_order_relaxed);
    if (ring == nullptr || ring->frames < frames) return {};
    const std::uint64_t end = ring->written.load(std::memory_order_acquire);
    if (end < static_cast<std::uint64_t>(frames)) return {};
    const std::uint64_t start = end - static_cast<std::uint64_t>(frames);
    std::vector<std::vector<float>> lanes(static_cast<std::size_t>(ring->lanes));
    for (int c = 0; c < ring->lanes; ++c) {
      auto& lane = lanes[static_cast<std::size_t>(c)];
      lane.reserve(static_cast<std::size_t>(frames));
      for (std::uint64_t n = start; n < end; ++n) lane.push_back(ring->at(c, n).load(std::memory_order_relaxed));
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    const bool is_overtaken =
        ring->claimed.load(std::memory_order_relaxed) > start + static_cast<std::uint64_t>(ring->frames);
    return is_overtaken ? std::vector<std::vector<float>>{} : lanes;
  }

 private:
  static constexpr int spare = 4;  // how much more than one look the audio thread may write during it

  struct Ring {
    Ring(int lanes_, int frames_)
        : lanes(lanes_),
          frames(frames_),
          values(std::make_unique<std::atomic<float>[]>(static_cast<std::size_t>(lanes_) *
                                                        static_cast<std::size_t>(frames_))) {}
    std::atomic<float>& at(int lane, std::uint64_t frame) const noexcept {
      return values[static_cast<std::size_t>(lane) * static_cast<std::size_t>(frames) +
                    static_cast<std::size_t>(frame % static_cast<std::uint64_t>(frames))];
    }
    int lanes, frames;
    std::unique_ptr<std::atomic<float>[]> values;
    std::atomic<std::uint64_t> claimed{0};  // frames that are being written, or were
    std::atomic<std::uint64_t> written{0};
  };

  std::vector<std::unique_ptr<Ring>> rings_;
  std::atomic<Ring*> ring_{nullptr};
};

}  // namespace forestage::plugin
