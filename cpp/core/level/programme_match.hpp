// Gains that make all that is compared as loud as the input, for the music that plays: level_match = Programme.
//
//     input, late by the latency ── loudness ──────────────┐
//     slot A, B: Headphones, Plain, Reference ── loudness ─┴─ difference ── down to the least loud ── slowly ─▶ gains
//
// All is integrated loudness since the measurement began, so that gains fit the whole stretch and not its last bars. In
// the first three seconds of music a gain goes where it is wanted, then by 0.1 dB a second at most. In the first ten
// it also makes up for what was heard while it was not yet known, so that these ten are alike as they were heard. After
// two seconds of silence another piece begins. Nothing is turned up: what the limiter has to do does not become more.
//
// Speakers has no ears to be measured at but those of the preset: there the design is matched to plain stereo by what
// both are on headphones.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "blocks.hpp"
#include "loudness_meter.hpp"
#include "params.hpp"
#include "preset.hpp"

namespace forestage {

inline constexpr std::size_t monitor_count = std::size(param_detail::monitors);
inline constexpr std::size_t ear_monitors = 3;  // Headphones, Headphones Plain, Headphones Reference
using EarBlocks = std::array<ConstAudioBlock, ear_monitors>;
using EarLevels = std::array<float, ear_monitors>;  // in dB

/// What makes each headphones monitor of each slot as loud as the input, on top of the preset's own gains.
struct MatchFound {
  std::array<EarLevels, 2> ears_db{};  // [slot]
  bool operator==(const MatchFound&) const = default;
};

/// Linear gains of one slot.
struct MatchGains {
  std::array<float, monitor_count> monitors{1.0f, 1.0f, 1.0f, 1.0f};
  float bypass_on_speakers = 1.0f;
  bool operator==(const MatchGains&) const = default;
};

/// The preset's gains with what was found at its ears; programme that is turned up gets the headroom that it needs.
Loudness matched(const Loudness& loudness, const EarLevels& found_db);

class ProgrammeMatch {
 public:
  explicit ProgrammeMatch(double sample_rate);

  // -- audio thread, which never allocates, locks or throws in here --------------------------------------------------

  void forget(Slot slot) noexcept;              // back to the preset's own gains
  void begin(int skip_frames) noexcept;         // measures anew, after so many frames; gains stay where they are
  void hold(const MatchFound& found) noexcept;  // these gains, whatever is measured
  void release() noexcept { is_held_ = false; }
  void settle() noexcept;  // to what fits from now on, whatever was heard before
  bool is_held() const noexcept { return is_held_; }

  /// Gains may move there; a longer block is to be cut.
  int frames_to_hop() const noexcept { return skip_left_ > 0 ? skip_left_ : input_.frames_to_hop(); }
  /// The input times `input_gain`, and the ears of each slot as they are heard with the gains of now; a slot that is
  /// empty has none.
  void measure(ConstAudioBlock input, double input_gain, const std::array<const EarBlocks*, 2>& slots) noexcept;

  const MatchGains& gains(std::size_t slot) const noexcept { return gains_[slot]; }
  float bypass_gain() const noexcept { return bypass_gain_; }

  // -- any thread ----------------------------------------------------------------------------------------------------

  MatchFound found() const noexcept;
  /// Of a monitor, or on headphones of bypass.
  float gain_db(std::size_t slot, Monitor monitor, bool is_bypassed) const noexcept;

 private:
  static constexpr float most_db = 24.0f;
  static constexpr float step_db = 0.01f;            // a hop: 0.1 dB a second
  static constexpr std::uint64_t fast_blocks = 27;   // the first is there after 0.4 s, the last after 3 s
  static constexpr double stretch_blocks = 97.0;     // 10 s
  static constexpr double least_blocks_left = 40.0;  // nothing is made up for in less than 4 s
  static constexpr int silent_hops = 20;

  struct Ears {
    explicit Ears(double sample_rate) : meter(2, sample_rate) {}
    LoudnessMeter meter;  // of what plays, without the gains of here
    LoudnessGate heard;   // and with them
  };
  using SlotEars = std::array<Ears, ear_monitors>;
  struct Wanted {
    std::array<std::array<float, monitor_count>, 2> monitors_db{};
    float bypass_db = 0.0f;
    float bypass_on_speakers_db = 0.0f;
  };

  void end_hop(const std::array<const EarBlocks*, 2>& slots) noexcept;
  void note_heard(const std::array<bool, 2>& is_loaded) noexcept;
  MatchFound aim(std::uint64_t blocks) const noexcept;
  static Wanted wanted(const MatchFound& found, const std::array<bool, 2>& is_loaded) noexcept;
  void move_to(const Wanted& wanted, bool is_fast) noexcept;
  void apply() noexcept;
  void reset_meters() noexcept;

  LoudnessMeter input_;
  LoudnessGate bypass_heard_;
  std::array<SlotEars, 2> ears_;
  MatchFound found_;
  Wanted now_;  // where gains are
  std::array<MatchGains, 2> gains_{};
  float bypass_gain_ = 1.0f;
  int skip_left_ = 0;
  int hops_in_silence_ = 0;
  bool is_held_ = false;
  bool is_first_ = true;  // nothing is known yet: a tenth of a second tells more than nothing
  std::array<std::array<std::atomic<float>, ear_monitors>, 2> shown_found_db_{};
  std::array<std::array<std::atomic<float>, monitor_count>, 2> shown_db_{};
  std::atomic<float> shown_bypass_db_{0.0f};
  std::atomic<float> shown_bypass_on_speakers_db_{0.0f};
};

}  // namespace forestage
