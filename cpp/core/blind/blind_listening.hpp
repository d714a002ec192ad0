// What is heard while blind trials run: the parameters as they were when the trials began, with one of two candidates
// in them, and silence around each draw.
//
// | call                     | thread           | may allocate, lock, throw |
// |--------------------------|------------------|---------------------------|
// | BlindListening()         | main/worker      | yes |
// | continue_from()          | main, both stopped | no |
// | is_running(), reading(), | any              | no, but run() allocates |
// | taken(), run()           |                  | |
// | all others               | audio or stopped | no |
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "blind_trials.hpp"
#include "blocks.hpp"
#include "param_store.hpp"
#include "params.hpp"
#include "ramp.hpp"

namespace forestage {

/// One of the two sounds of a pair.
struct Candidate {
  Slot slot;
  Monitor monitor;
  bool is_bypassed;
};

/// What there is to compare.
struct SlotsThere {
  std::array<bool, 2> is_filled{};
  std::array<bool, 2> can_play_speakers{};
  unsigned number = 0;  // another one when anything else has been loaded

  /// The slot that is heard with these parameters: the other one when theirs is empty; none when both are.
  std::optional<std::size_t> heard(const ParamStore& store) const noexcept;
  /// What is heard with these parameters are feeds of drivers.
  bool plays_speakers(const ParamStore& store) const noexcept;
};

/// What of the parameters of blind trials has been taken, so that a host may set them back.
struct BlindTaken {
  Blind method = Blind::off;
  BlindAnswer answer = BlindAnswer::none;
  bool is_refused = false;  // there is nothing to compare
};

class BlindListening {
 public:
  BlindListening(double sample_rate, int max_block_frames);

  /// Begins, answers and stops as the parameters ask, and chooses what is heard.
  void follow(const ParamStore& asked, const SlotsThere& there) noexcept;
  /// The parameters that are heard: while trials run not those that hosts see.
  const ParamStore& heard(const ParamStore& asked) const noexcept { return is_running() ? state_->latched : asked; }
  /// Both sounds of the trials that run.
  std::array<Candidate, 2> candidates(const SlotsThere& there) const noexcept;
  /// Silences what lies around a draw: no change that is heard, or not heard, tells.
  void apply_gap(AudioBlock io) noexcept;

  bool is_running() const noexcept { return state_->trials.is_running(); }
  bool compares_slots() const noexcept { return is_running() && state_->trials.pair() == BlindPair::slots; }
  /// A reading of blind trials; while they run, of all else its default, as it would tell.
  std::optional<float> reading(Param id) const noexcept;
  BlindTaken taken() const noexcept;
  BlindRun run() const { return state_->trials.run(); }

  /// The same draws for the same number, for tests.
  void seed(std::uint64_t number) noexcept { state_->trials.seed(number); }
  /// Goes on with the trials of another one, which are about what is there under this number from now on.
  void continue_from(const BlindListening& replaced, unsigned number) noexcept;

 private:
  /// Outlives an engine that is replaced by another.
  struct State {
    BlindTrials trials;
    ParamStore latched;  // of all that is heard, as it was when they began
    std::atomic<Blind> seen{Blind::off};
    std::atomic<BlindAnswer> seen_answer{BlindAnswer::none};
    std::atomic<bool> is_refused{false};
  };

  void begin(Blind method, const ParamStore& asked, const SlotsThere& there) noexcept;
  void choose(const ParamStore& asked, const SlotsThere& there) noexcept;
  void open_gap() noexcept { gap_left_ = gap_frames_; }

  std::shared_ptr<State> state_ = std::make_shared<State>();
  unsigned number_ = 0;  // of what the trials are about
  int gap_frames_;
  int gap_left_ = 0;
  Ramp gain_;
};

}  // namespace forestage
