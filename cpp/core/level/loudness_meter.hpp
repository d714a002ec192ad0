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

/// Of a mean power after the K-weighting; a sine of full scale at 997 Hz in one channel has -3.01 LUFS.  [pure]
double lufs(double power) noexcept;

/// All hops of 0.1 s since the reset, as blocks of 0.4 s, one a hop: which of them count, and their power.
class LoudnessGate {
 public:
  static constexpr int block_hops = 4;
  static constexpr int most_hops = 30;

  LoudnessGate() : histogram_(steps) {}
  void reset() noexcept;                 // [audio]
  void push(double hop_power) noexcept;  // [audio] mean over the hop

  std::int64_t hops() const noexcept { return hops_; }
  double mean_power(int newest_hops) const noexcept;  // of most_hops, or less

  struct Counted {
    std::uint64_t blocks = 0;
    double power = 0.0;  // mean
  };
  /// The blocks above -70 LUFS but those 10 LU below the mean of these; before the first is whole, the power so far.
  Counted counted() const noexcept;

 private:
  static constexpr double step_lu = 0.1;
  static constexpr std::size_t steps = 1000;  // to +30 LUFS; what is louder counts in the last

  struct Step {  // small: an engine has many of them
    std::uint32_t blocks = 0;
    float power = 0.0f;  // mean
  };

  void note_block(double power) noexcept;

  std::int64_t hops_ = 0;
  std::array<double, most_hops> powers_{};  // the newest at hops_ - 1
  std::vector<Step> histogram_;
  std::size_t used_steps_ = 0;  // all above are empty
  std::uint64_t loud_blocks_ = 0;
  double loud_power_ = 0.0;
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
  const LoudnessGate& gate() const noexcept { return gate_; }                         // [audio]

 private:
  template <class V>
  void weigh(ConstAudioBlock block, int channel, int begin, int frames, double gain) noexcept;
  void end_hop() noexcept;

  double sample_rate_;
  std::array<LoudnessFilter, 2> filters_;
  std::vector<double> weights_;                // of each channel
  std::array<std::vector<double>, 4> states_;  // two of each filter, [channel]
  std::vector<double> powers_;                 // of each channel, summed over the frames of this hop
  std::int64_t frame_ = 0;
  std::int64_t hop_begin_ = 0;
  std::int64_t hop_end_ = 0;
  LoudnessGate gate_;
  std::atomic<float> momentary_{no_loudness}, short_term_{no_loudness}, integrated_{no_loudness};
};

}  // namespace forestage
