// Blind trials: two sounds, first and second, are heard as X and Y, and which is which is drawn anew for each trial.
//
// Preference: only X and Y can be heard; the answer is the one that is liked better.
// ABX: A is the first and B the second for all to know; the answer says which of X and Y is A.
// Either way an answer is a hit when it means the first sound: the one that is preferred, or a right identification.
//
// The number of trials is fixed when they begin. What was drawn is not to be read by anyone before it is answered.
//
// | call                                  | thread           | may allocate, lock, throw |
// |---------------------------------------|------------------|---------------------------|
// | BlindTrials()                         | main/worker      | yes |
// | start(), stop(), answer(), plays_first() | audio or stopped | no |
// | run(), trial()                        | any              | run() allocates |
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "params.hpp"

namespace forestage {

struct BlindTrial {
  bool x_is_first = false;
  bool answer_is_x = false;
  bool is_hit() const noexcept { return x_is_first == answer_is_x; }
  bool operator==(const BlindTrial&) const = default;
};

/// What was asked, and what came out.
struct BlindRun {
  Blind method = Blind::off;  // off: there was none
  BlindPair pair = BlindPair::slots;
  int planned = 0;
  std::vector<BlindTrial> trials;
  unsigned number = 0;  // of the run, in the life of one plugin; 0: of another life
  bool is_over() const noexcept { return static_cast<int>(trials.size()) == planned; }
  int hits() const noexcept;
  bool operator==(const BlindRun&) const = default;
};

/// Chance of a result at least as far from chance by pure guessing, exactly: for both sides for a preference, for more
/// hits in ABX. 1 without trials.
double p_value(const BlindRun& run);
double p_value(Blind method, int hits, int trials) noexcept;

/// Share of hits that the result allows, exactly (Clopper and Pearson), with a confidence in 0..1.
struct ShareInterval {
  double low = 0.0;
  double high = 1.0;
};
ShareInterval share_interval(const BlindRun& run, double confidence = 0.95);

/// A line a trial: method, what A and B were, number, what X was, answer, whether it is a hit. Texts are quoted.
std::string to_csv(const BlindRun& run, const std::string& a, const std::string& b);

class BlindTrials {
 public:
  static constexpr int most_trials = 100;

  /// Draws by chance, of which the system gives the begin.
  BlindTrials();
  /// The same draws for the same number, for tests.
  void seed(std::uint64_t number) noexcept { state_ = number; }

  void start(Blind method, BlindPair pair, int planned) noexcept;
  void stop() noexcept { is_running_.store(false, std::memory_order_release); }
  void answer(BlindAnswer answer) noexcept;
  /// What is heard is the first sound.
  bool plays_first(BlindListen sound) const noexcept;

  bool is_running() const noexcept { return is_running_.load(std::memory_order_acquire); }  // [any]
  /// That is to be answered, from 1; 0 without any.  [any]
  int trial() const noexcept { return is_running() ? answered_.load(std::memory_order_acquire) + 1 : 0; }
  BlindRun run() const;  // [any] the last one, with what is answered
  BlindPair pair() const noexcept { return pair_.load(std::memory_order_relaxed); }  // [any]
  int final_hits() const noexcept {
    return final_hits_.load(std::memory_order_relaxed);
  }  // [any] 0 until all are answered
  double final_p() const noexcept { return final_p_.load(std::memory_order_relaxed); }  // [any] 1 until then

 private:
  bool draw() noexcept;

  std::uint64_t state_ = 0;
  bool x_is_first_ = false;
  std::atomic<bool> is_running_{false};
  std::atomic<unsigned> number_{0};  // of the run; odd while it is set up
  std::atomic<Blind> method_{Blind::off};
  std::atomic<BlindPair> pair_{BlindPair::slots};
  std::atomic<int> planned_{0};
  std::atomic<int> answered_{0};
  std::array<std::atomic<std::uint8_t>, most_trials> trials_{};
  int hits_ = 0;
  std::atomic<int> final_hits_{0};
  std::atomic<double> final_p_{1.0};
};

}  // namespace forestage
