// The last stage before anything is heard: nothing leaves it above full scale while it is on.
//
//     lanes ─┬─ true peak over all lanes ─ gain needed ─ hold, release ─ smoothing ─┐
//            └─ delay (the look-ahead) ─────────────────────────────────────────────┴─ × ─ clamp
//
// One gain for all lanes, so that cancellation survives it. The gain falls along an S-curve that ends when the peak
// arrives; it is held for longer than half a period of the lowest tones, which are then turned down without being bent,
// and rises by at most `most_release_db_per_ms`. What look-ahead cannot know is left to the clamp: a limiter that is
// switched on over a loud passage, and `lead`. All steps follow the sound continuously: what comes in another split of
// blocks, and so rounded otherwise, is turned down alike.
#pragma once

#include <cstdint>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "true_peak.hpp"

namespace forestage {

class Limiter {
 public:
  static constexpr float ceiling = 0.977f;  // -0.2 dB: what four values per frame miss between them
  static constexpr double most_release_db_per_ms = 0.5;
  static constexpr double longest_lookahead_s = 0.001;

  /// The look-ahead where sound is `delay_frames` late in any case.
  static int lookahead_within(int delay_frames, double sample_rate) noexcept;

  /// A look-ahead too short to see between frames guards the frames alone.
  Limiter(int channels, int lookahead_frames, double sample_rate, int max_block_frames);

  /// In place, late by the look-ahead. `is_on` may change at any block: switched off while it limits, it lets go
  /// slowly. `lead`, if any, is added on the way out, at the same gain: small parts of the signal that come without
  /// look-ahead.  [audio]
  void process(AudioBlock io, bool is_on, ConstAudioBlock lead = {}) noexcept;
  void reset() noexcept;

  int latency_frames() const noexcept { return lookahead_frames_; }
  /// The least gain of the last block.
  float least_gain() const noexcept { return least_gain_; }

 private:
  /// Mean of the last values, in whole numbers, so that sums never drift.
  class Mean {
   public:
    explicit Mean(int length) : values_(static_cast<std::size_t>(length)) {}
    void fill(std::int64_t value) noexcept;
    std::int64_t push(std::int64_t value) noexcept;  // returns the sum
    int length() const noexcept { return static_cast<int>(values_.size()); }

   private:
    std::size_t position_ = 0;
    std::int64_t sum_ = 0;
    std::vector<std::int64_t> values_;
  };

  /// Least of the last values, by the few of them that may yet become it.
  class Least {
   public:
    explicit Least(int length) : entries_(static_cast<std::size_t>(length)) {}
    void clear() noexcept { begin_ = end_ = now_ = 0; }
    float push(float value) noexcept;  // returns the least

   private:
    struct Entry {
      float value;
      std::int64_t at;
    };
    Entry& entry(std::int64_t index) noexcept { return entries_[static_cast<std::size_t>(index) % entries_.size()]; }

    std::int64_t begin_ = 0, end_ = 0, now_ = 0;
    std::vector<Entry> entries_;  // rising from begin_ to end_, in a ring
  };

  const float* find_peaks(ConstAudioBlock io) noexcept;
  void find_gains(const float* peaks, int frames, bool is_on) noexcept;
  float next_held(float needed) noexcept;

  int lookahead_frames_;
  TruePeak true_peak_;
  int detector_frames_;  // how much later a peak is known than its frame
  Mean first_mean_;
  Mean second_mean_;
  Least needed_;     // while it is held
  float release_;    // share of the way back per frame
  float most_rise_;  // per frame

  std::vector<History> delays_;
  History frame_peaks_;
  std::vector<float> between_;  // [0] is that of the frame before the block
  std::vector<float> peaks_;
  std::vector<float> gains_;

  float held_ = 1.0f;
  int rest_in_frames_ = 0;  // until all that is averaged is 1
  float least_gain_ = 1.0f;
};

}  // namespace forestage
