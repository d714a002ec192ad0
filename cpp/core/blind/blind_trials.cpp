#include "blind_trials.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>

namespace forestage {
namespace {

/// Chance of at least `hits` of `trials`, each with chance `share`, which is neither 0 nor 1.
double tail(int hits, int trials, double share) noexcept {
  double log_ways = 0.0;
  double sum = 0.0;
  for (int k = 0; k <= trials; ++k) {
    if (k > 0) log_ways += std::log(static_cast<double>(trials - k + 1) / k);
    if (k >= hits) sum += std::exp(log_ways + k * std::log(share) + (trials - k) * std::log1p(-share));
  }
  return std::min(sum, 1.0);
}

/// The share at which at least `hits` of `trials` have this chance, which rises with it.
double share_at(int hits, int trials, double chance) {
  double low = 0.0;
  double high = 1.0;
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (tail(hits, trials, middle) < chance ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

std::uint8_t to_byte(const BlindTrial& trial) noexcept {
  return static_cast<std::uint8_t>((trial.x_is_first ? 1 : 0) | (trial.answer_is_x ? 2 : 0));
}

}  // namespace

int BlindRun::hits() const noexcept {
  return static_cast<int>(std::ranges::count_if(trials, [](const BlindTrial& trial) { return trial.is_hit(); }));
}

double p_value(Blind method, int hits, int trials) noexcept {
  if (method == Blind::preference) return std::min(1.0, 2.0 * tail(std::max(hits, trials - hits), trials, 0.5));
  return tail(hits, trials, 0.5);
}

double p_value(const BlindRun& run) { return p_value(run.method, run.hits(), static_cast<int>(run.trials.size())); }

ShareInterval share_interval(const BlindRun& run, double confidence) {
  const int count = static_cast<int>(run.trials.size());
  const int hits = run.hits();
  const double beyond = 0.5 * (1.0 - confidence);
  return {hits == 0 ? 0.0 : share_at(hits, count, beyond),
          hits == count ? 1.0 : share_at(hits + 1, count, 1.0 - beyond)};
}

std::string to_csv(const BlindRun& run, const std::string& a, const std::string& b) {
  const auto quoted = [](std::string_view text) {
    std::string result = "\"";
    for (const char c : text) result.append(c == '"' ? 2 : 1, c);
    return result + "\"";
  };
  const std::string what =
      quoted(spec(Param::blind).choices[static_cast<std::size_t>(run.method)]) + "," + quoted(a) + "," + quoted(b);
  std::string text = "method,a,b,planned,trial,x,answer,is_hit\n";
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    const BlindTrial& trial = run.trials[i];
    text += what + "," + std::to_string(run.planned) + "," + std::to_string(i + 1) + "," +
            (trial.x_is_first ? "A" : "B") + "," + (trial.answer_is_x ? "X" : "Y") + "," +
            (trial.is_hit() ? "1" : "0") + "\n";
  }
  return text;
}

BlindTrials::BlindTrials() {
  // Not std::random_device, which needs a younger C library than the plugin does
  std::ifstream system("/dev/urandom", std::ios::binary);
  if (!system.read(reinterpret_cast<char*>(&state_), sizeof state_)) {
    state_ = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
}

// SplitMix64: Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
bool BlindTrials::draw() noexcept {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return ((z ^ (z >> 31)) >> 63) != 0;
}

void BlindTrials::start(Blind method, BlindPair pair, int planned) noexcept {
  number_.fetch_add(1, std::memory_order_acq_rel);
  method_.store(method, std::memory_order_relaxed);
  pair_.store(pair, std::memory_order_relaxed);
  planned_.store(std::clamp(planned, 1, most_trials), std::memory_order_relaxed);
  answered_.store(0, std::memory_order_relaxed);
  hits_ = 0;
  final_hits_.store(0, std::memory_order_relaxed);
  final_p_.store(1.0, std::memory_order_relaxed);
  x_is_first_ = draw();
  number_.fetch_add(1, std::memory_order_acq_rel);
  is_running_.store(true, std::memory_order_release);
}

void BlindTrials::answer(BlindAnswer answer) noexcept {
  if (!is_running() || answer == BlindAnswer::none) return;
  const int place = answered_.load(std::memory_order_relaxed);
  const int count = place + 1;
  const BlindTrial trial{x_is_first_, answer == BlindAnswer::x};
  trials_[static_cast<std::size_t>(place)].store(to_byte(trial), std::memory_order_relaxed);
  hits_ += trial.is_hit() ? 1 : 0;
  answered_.store(count, std::memory_order_release);
  x_is_first_ = draw();
  if (count != planned_.load(std::memory_order_relaxed)) return;
  final_hits_.store(hits_, std::memory_order_relaxed);
  final_p_.store(p_value(method_.load(std::memory_order_relaxed), hits_, count), std::memory_order_relaxed);
  stop();
}

bool BlindTrials::plays_first(BlindListen sound) const noexcept {
  const bool is_abx = method_.load(std::memory_order_relaxed) == Blind::abx;
  switch (sound) {
    case BlindListen::x:
      return x_is_first_;
    case BlindListen::y:
      return !x_is_first_;
    case BlindListen::a:
      return is_abx || x_is_first_;  // in a preference, A would tell
    case BlindListen::b:
      return !is_abx && !x_is_first_;
  }
  return true;
}

BlindRun BlindTrials::run() const {
  for (;;) {
    const unsigned number = number_.load(std::memory_order_acquire);
    if (number % 2 != 0) continue;
    BlindRun run{method_.load(std::memory_order_relaxed),
                 pair_.load(std::memory_order_relaxed),
                 planned_.load(std::memory_order_relaxed),
                 {},
                 number / 2};
    const int answered = answered_.load(std::memory_order_acquire);
    for (int i = 0; i < answered; ++i) {
      const unsigned byte = trials_[static_cast<std::size_t>(i)].load(std::memory_order_relaxed);
      run.trials.push_back({(byte & 1) != 0, (byte & 2) != 0});
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (number_.load(std::memory_order_relaxed) == number) return run;
  }
}

}  // namespace forestage
