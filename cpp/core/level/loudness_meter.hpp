// Loudness after ITU-R BS.1770-5 and EBU Tech 3341: of the last 0.4 s, the last 3 s, and all since the reset, gated.
//
//     lanes ── K-weighting ── power ── 0.1 s hops ─┬─ 4 hops: momentary ── histogram, gates of -70 LUFS, -10 LU ── all
//                                                  └─ 30 hops: short term
//
// The K-weighting is that of the standard at 48 kHz, whose prototypes go to any rate by the bilinear transform.
// The histogram has steps of 0.1 LU and keeps the power of each, so that only the place of the relative gate is rough,
// and memory does not grow with time.
//
// | call                                | thread           | may allocate, lock, throw |
// |-------------------------------------|------------------|---------------------------|
// | LoudnessMeter()                     | main/worker      | yes |
// | push(), reset()                     | audio or stopped | no |
// | reading()                           | any              | no: one atomic each |
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "blocks.hpp"

namespace forestage {

inline constexpr float no_loudness = -std::numeric_limits<float>::infinity();

/// In LUFS; of silence, and of less than a meter needs, `no_loudness`.
struct LoudnessReading {
  float momentary = no_loudness;   // of the last 0.4 s
  float short_term = no_loudness;  // of the last 3 s
  float integrated = no_loudness;  // of all since the reset
};

/// A biquad of the K-weighting; a0 is 1.
struct LoudnessFilter {
  double b0, b1, b2, a1, a2;
};

/// Shelf and high-pass of BS.1770 at a sample rate in Hz.  [pure]
std::array<LoudnessFilter, 2> k_weighting(double sample_rate);

class LoudnessMeter {
 public:
  static constexpr double hop_s = 0.1;

  /// All channels count alike, as left, right and centre do.
  LoudnessMeter(int channels, double sample_rate);
  /// A weight of power for each channel: 1 for left, right and centre, 1.41 for those beside and behind, 0 for LFE.
  LoudnessMeter(std::vector<double> channel_weights, double sample_rate);

  /// As many lanes as channels, times a gain. True when a hop ended, and readings are new.  [audio]
  bool push(ConstAudioBlock block, double gain = 1.0) noexcept;
  void reset() noexcept;  // [audio]

  LoudnessReading reading() const noexcept {  // [any]
    return {momentary_.load(std::memory_order_relaxed), short_term_.load(std::memory_order_relaxed),
            integrated_.load(std::memory_order_relaxed)};
  }
  int frames_to_hop() const noexcept { return static_cast<int>(hop_end_ - frame_); }  // [audio]
  /// Blocks of 0.4 s above -70 LUFS since the reset, one a hop.  [audio]
  std::uint64_t gated_blocks() const noexcept { return loud_blocks_; }

 private:
  static constexpr int momentary_hops = 4;
  static constexpr int short_term_hops = 30;
  static constexpr double least_lufs = -70.0;
  static constexpr double step_lu = 0.1;
  static constexpr std::size_t steps = 1000;  // to +30 LUFS; what is louder counts in the last

  struct Channel {
    double weight;
    std::array<std::array<double, 2>, 2> state;  // [filter]
  };
  struct Step {
    std::uint64_t blocks = 0;
    double power = 0.0;
  };

  void weigh(Channel& channel, const float* x, int frames, double gain) noexcept;
  void end_hop() noexcept;
  double mean_power(int hops) const noexcept;
  void note_block(double power) noexcept;
  double gated_power() const noexcept;

  double sample_rate_;
  std::array<LoudnessFilter, 2> filters_;
  std::vector<Channel> channels_;
  double hop_power_ = 0.0;  // sum over the frames of this hop
  std::int64_t frame_ = 0;
  std::int64_t hop_begin_ = 0;
  std::int64_t hop_end_ = 0;
  std::int64_t hops_ = 0;
  std::array<double, short_term_hops> powers_{};  // mean of each hop, the newest at hops_ - 1
  std::vector<Step> histogram_;
  std::uint64_t loud_blocks_ = 0;
  double loud_power_ = 0.0;
  std::atomic<float> momentary_{no_loudness}, short_term_{no_loudness}, integrated_{no_loudness};
};

}  // namespace forestage
