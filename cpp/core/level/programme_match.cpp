#include "programme_match.hpp"

#include <algorithm>
#include <cmath>

#include "decibels.hpp"

namespace forestage {
namespace {

constexpr int channels = 2;
constexpr double least_lufs = -70.0;
constexpr std::size_t design = 0;  // place among the headphones monitors
constexpr std::size_t plain = 1;
constexpr std::size_t reference = 2;
constexpr std::size_t on_speakers = static_cast<std::size_t>(Monitor::speakers);
constexpr std::size_t first_ears = static_cast<std::size_t>(Monitor::headphones);

/// Of powers.
float ratio_db(double power, double of) noexcept { return static_cast<float>(10.0 * std::log10(power / of)); }
double square(float gain) noexcept { return static_cast<double>(gain) * static_cast<double>(gain); }

}  // namespace

Loudness matched(const Loudness& loudness, const EarLevels& found_db) {
  Loudness result = loudness;
  result.processed_db += found_db[design] - found_db[plain];
  result.device_ears_db += found_db[plain];
  result.reference_ears_db += found_db[reference];
  if (result.headroom_db) *result.headroom_db -= std::max(0.0f, *std::ranges::max_element(found_db));
  return result;
}

ProgrammeMatch::ProgrammeMatch(double sample_rate)
    : input_(channels, sample_rate),
      ears_{SlotEars{Ears(sample_rate), Ears(sample_rate), Ears(sample_rate)},
            SlotEars{Ears(sample_rate), Ears(sample_rate), Ears(sample_rate)}} {}

void ProgrammeMatch::forget(Slot slot) noexcept {
  const auto s = static_cast<std::size_t>(slot);
  found_.ears_db[s] = {};
  now_.monitors_db[s] = {};
  if (found_ == MatchFound{}) now_ = {};
  apply();
}

void ProgrammeMatch::begin(int skip_frames) noexcept {
  skip_left_ = skip_frames;
  is_first_ = found_ == MatchFound{};
  reset_meters();
}

void ProgrammeMatch::reset_meters() noexcept {
  hops_in_silence_ = 0;
  input_.reset();
  bypass_heard_.reset();
  for (SlotEars& slot : ears_) {
    for (Ears& each : slot) {
      each.meter.reset();
      each.heard.reset();
    }
  }
}

void ProgrammeMatch::hold(const MatchFound& found) noexcept {
  is_held_ = true;
  found_ = found;
  settle();
}

void ProgrammeMatch::settle() noexcept {
  now_ = wanted(found_, {true, true});
  apply();
}

void ProgrammeMatch::measure(ConstAudioBlock input, double input_gain,
                             const std::array<const EarBlocks*, 2>& slots) noexcept {
  const int skipped = std::min(skip_left_, input.frames);
  skip_left_ -= skipped;
  if (skipped == input.frames) return;
  const auto push = [&](LoudnessMeter& meter, ConstAudioBlock block, double gain) {
    const std::array<const float*, channels> from{block[0] + skipped, block[1] + skipped};
    return meter.push({from.data(), channels, block.frames - skipped}, gain);
  };
  const bool is_hop = push(input_, input, input_gain);
  for (std::size_t s = 0; s < slots.size(); ++s) {
    if (slots[s] == nullptr) continue;
    for (std::size_t m = 0; m < ear_monitors; ++m) {
      push(ears_[s][m].meter, (*slots[s])[m], 1.0 / static_cast<double>(gains_[s].monitors[first_ears + m]));
    }
  }
  if (is_hop) end_hop(slots);
}

void ProgrammeMatch::end_hop(const std::array<const EarBlocks*, 2>& slots) noexcept {
  const std::array<bool, 2> is_loaded{slots[0] != nullptr, slots[1] != nullptr};
  const bool is_silent = !(input_.reading().momentary > static_cast<float>(least_lufs));
  hops_in_silence_ = is_silent ? hops_in_silence_ + 1 : 0;
  if (hops_in_silence_ == silent_hops) return reset_meters();
  note_heard(is_loaded);
  const LoudnessGate::Counted input = input_.gate().counted();
  const bool is_rough = input_.gate().hops() < LoudnessGate::block_hops;
  if (!(lufs(input.power) > least_lufs) || (is_rough && !is_first_)) return;
  for (std::size_t s = 0; s < is_loaded.size(); ++s) {
    if (!is_loaded[s]) continue;
    for (std::size_t m = 0; m < ear_monitors; ++m) {
      const double heard = ears_[s][m].meter.gate().counted().power;
      if (heard > 0.0) found_.ears_db[s][m] = std::clamp(ratio_db(input.power, heard), -most_db, most_db);
    }
  }
  if (!is_held_) move_to(wanted(aim(input.blocks), is_loaded), input.blocks <= fast_blocks);
  apply();
}

void ProgrammeMatch::note_heard(const std::array<bool, 2>& is_loaded) noexcept {
  bypass_heard_.push(square(bypass_gain_) * input_.gate().mean_power(1));
  for (std::size_t s = 0; s < is_loaded.size(); ++s) {
    if (!is_loaded[s]) continue;
    for (std::size_t m = 0; m < ear_monitors; ++m) {
      ears_[s][m].heard.push(square(gains_[s].monitors[first_ears + m]) * ears_[s][m].meter.gate().mean_power(1));
    }
  }
}

/// What was found, and within the stretch what makes up for what was heard, if the rest of it is as loud.
MatchFound ProgrammeMatch::aim(std::uint64_t blocks) const noexcept {
  MatchFound result = found_;
  const double played = static_cast<double>(blocks);
  const double bypass = bypass_heard_.counted().power;
  if (played >= stretch_blocks || bypass <= 0.0) return result;
  const auto share = static_cast<float>(played / std::max(stretch_blocks - played, least_blocks_left));
  for (std::size_t s = 0; s < ears_.size(); ++s) {
    for (std::size_t m = 0; m < ear_monitors; ++m) {
      const double heard = ears_[s][m].heard.counted().power;
      if (heard > 0.0) result.ears_db[s][m] += share * std::clamp(ratio_db(bypass, heard), -most_db, most_db);
    }
  }
  return result;
}

ProgrammeMatch::Wanted ProgrammeMatch::wanted(const MatchFound& found, const std::array<bool, 2>& is_loaded) noexcept {
  float on_ears = 0.0f;  // the most that anything would have to be turned up by
  float on_drivers = 0.0f;
  for (std::size_t s = 0; s < is_loaded.size(); ++s) {
    if (!is_loaded[s]) continue;
    const EarLevels& of_slot = found.ears_db[s];
    on_ears = std::max(on_ears, *std::ranges::max_element(of_slot));
    on_drivers = std::max(on_drivers, of_slot[design] - of_slot[plain]);
  }
  Wanted result{{}, -on_ears, -on_drivers};
  for (std::size_t s = 0; s < is_loaded.size(); ++s) {
    const EarLevels& of_slot = found.ears_db[s];
    result.monitors_db[s][on_speakers] = of_slot[design] - of_slot[plain] - on_drivers;
    for (std::size_t m = 0; m < ear_monitors; ++m) result.monitors_db[s][first_ears + m] = of_slot[m] - on_ears;
  }
  return result;
}

void ProgrammeMatch::move_to(const Wanted& wanted, bool is_fast) noexcept {
  const auto move = [&](float& from, float to) {
    from = is_fast ? to : std::clamp(to, from - step_db, from + step_db);
  };
  for (std::size_t s = 0; s < now_.monitors_db.size(); ++s) {
    for (std::size_t m = 0; m < monitor_count; ++m) move(now_.monitors_db[s][m], wanted.monitors_db[s][m]);
  }
  move(now_.bypass_db, wanted.bypass_db);
  move(now_.bypass_on_speakers_db, wanted.bypass_on_speakers_db);
}

void ProgrammeMatch::apply() noexcept {
  constexpr auto relaxed = std::memory_order_relaxed;
  for (std::size_t s = 0; s < gains_.size(); ++s) {
    for (std::size_t m = 0; m < monitor_count; ++m) {
      gains_[s].monitors[m] = from_db(now_.monitors_db[s][m]);
      shown_db_[s][m].store(now_.monitors_db[s][m], relaxed);
    }
    for (std::size_t m = 0; m < ear_monitors; ++m) shown_found_db_[s][m].store(found_.ears_db[s][m], relaxed);
    gains_[s].bypass_on_speakers = from_db(now_.bypass_on_speakers_db);
  }
  bypass_gain_ = from_db(now_.bypass_db);
  shown_bypass_db_.store(now_.bypass_db, relaxed);
  shown_bypass_on_speakers_db_.store(now_.bypass_on_speakers_db, relaxed);
}

MatchFound ProgrammeMatch::found() const noexcept {
  MatchFound found;
  for (std::size_t s = 0; s < found.ears_db.size(); ++s) {
    for (std::size_t m = 0; m < ear_monitors; ++m) {
      found.ears_db[s][m] = shown_found_db_[s][m].load(std::memory_order_relaxed);
    }
  }
  return found;
}

float ProgrammeMatch::gain_db(std::size_t slot, Monitor monitor, bool is_bypassed) const noexcept {
  if (!is_bypassed) return shown_db_[slot][static_cast<std::size_t>(monitor)].load(std::memory_order_relaxed);
  const bool is_speakers = monitor == Monitor::speakers;
  return (is_speakers ? shown_bypass_on_speakers_db_ : shown_bypass_db_).load(std::memory_order_relaxed);
}

}  // namespace forestage
