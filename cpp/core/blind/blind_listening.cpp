#include "blind_listening.hpp"

#include <algorithm>
#include <cmath>

#include "lanes.hpp"

namespace forestage {
namespace {

constexpr double gap_s = 0.3;

bool can_compare(BlindPair pair, const ParamStore& asked, const SlotsThere& there) noexcept {
  if (!there.heard(asked)) return false;
  if (pair == BlindPair::slots) return there.is_filled[0] && there.is_filled[1];
  return pair == BlindPair::design_plain || !there.plays_speakers(asked);
}

}  // namespace

std::optional<std::size_t> SlotsThere::heard(const ParamStore& store) const noexcept {
  const auto slot = static_cast<std::size_t>(store.choice<Slot>(Param::slot));
  for (const std::size_t s : {slot, 1 - slot}) {
    if (is_filled[s]) return s;
  }
  return std::nullopt;
}

bool SlotsThere::plays_speakers(const ParamStore& store) const noexcept {
  const auto slot = heard(store);
  return slot && can_play_speakers[*slot] && store.choice<Monitor>(Param::monitor) == Monitor::speakers;
}

BlindListening::BlindListening(double sample_rate, int max_block_frames)
    : gap_frames_(static_cast<int>(gap_s * sample_rate)), gain_(sample_rate, max_block_frames) {
  gain_.snap(1.0f);
}

void BlindListening::follow(const ParamStore& asked, const SlotsThere& there) noexcept {
  State& state = *state_;
  const auto method = asked.choice<Blind>(Param::blind);
  const auto answer = asked.choice<BlindAnswer>(Param::blind_answer);
  if (method != state.seen.exchange(method, std::memory_order_relaxed)) {
    state.trials.stop();
    if (method != Blind::off) begin(method, asked, there);
  }
  if (method == Blind::off) state.is_refused.store(false, std::memory_order_relaxed);
  if (is_running() && there.number != number_) state.trials.stop();  // it is about something that is no longer there
  const BlindAnswer before = state.seen_answer.exchange(answer, std::memory_order_relaxed);
  if (!is_running()) return;
  if (answer != before && answer != BlindAnswer::none) {
    state.trials.answer(answer);
    open_gap();
  }
  choose(asked, there);
}

void BlindListening::begin(Blind method, const ParamStore& asked, const SlotsThere& there) noexcept {
  const auto pair = asked.choice<BlindPair>(Param::blind_pair);
  const bool is_possible = can_compare(pair, asked, there);
  state_->is_refused.store(!is_possible, std::memory_order_relaxed);
  if (!is_possible) return;
  state_->latched.copy_from(asked);
  number_ = there.number;
  state_->trials.start(method, pair, static_cast<int>(std::lround(asked.get(Param::blind_trials))));
  open_gap();
}

/// What is heard now, of what is compared. Trims move both alike.
void BlindListening::choose(const ParamStore& asked, const SlotsThere& there) noexcept {
  ParamStore& store = state_->latched;
  for (const Param trim : {Param::input_trim_db, Param::output_trim_db}) store.set(trim, asked.get(trim));
  const bool is_first = state_->trials.plays_first(asked.choice<BlindListen>(Param::blind_listen));
  const Candidate chosen = candidates(there)[is_first ? 0 : 1];
  store.set(Param::slot, static_cast<float>(chosen.slot));
  store.set(Param::monitor, static_cast<float>(chosen.monitor));
  store.set(Param::bypass, chosen.is_bypassed ? 1.0f : 0.0f);
}

std::array<Candidate, 2> BlindListening::candidates(const SlotsThere& there) const noexcept {
  const ParamStore& store = state_->latched;
  const auto slot = store.choice<Slot>(Param::slot);
  const auto monitor = store.choice<Monitor>(Param::monitor);
  switch (state_->trials.pair()) {
    case BlindPair::slots:
      return {{{Slot::a, monitor, false}, {Slot::b, monitor, false}}};
    case BlindPair::design_plain:
      if (there.plays_speakers(store)) return {{{slot, monitor, false}, {slot, monitor, true}}};
      return {{{slot, Monitor::headphones, false}, {slot, Monitor::headphones_plain, false}}};
    case BlindPair::design_reference:
      return {{{slot, Monitor::headphones, false}, {slot, Monitor::headphones_reference, false}}};
    case BlindPair::plain_reference:
      return {{{slot, Monitor::headphones_plain, false}, {slot, Monitor::headphones_reference, false}}};
  }
  return {};
}

void BlindListening::apply_gap(AudioBlock io) noexcept {
  if (gap_left_ == 0 && gain_.is_steady() && gain_.value() == 1.0f) return;
  gain_.glide_to(gap_left_ > 0 ? 0.0f : 1.0f);
  gap_left_ = std::max(0, gap_left_ - io.frames);
  scale(io, gain_.advance(io.frames));
}

std::optional<float> BlindListening::reading(Param id) const noexcept {
  const BlindTrials& trials = state_->trials;
  switch (id) {
    case Param::blind_trial:
      return static_cast<float>(trials.trial());
    case Param::blind_hits:
      return static_cast<float>(trials.final_hits());
    case Param::blind_p:
      return static_cast<float>(trials.final_p());
    default:
      return is_running() ? std::optional(spec(id).default_value) : std::nullopt;
  }
}

BlindTaken BlindListening::taken() const noexcept {
  return {state_->seen.load(std::memory_order_relaxed), state_->seen_answer.load(std::memory_order_relaxed),
          state_->is_refused.load(std::memory_order_relaxed)};
}

void BlindListening::continue_from(const BlindListening& replaced, unsigned number) noexcept {
  state_ = replaced.state_;
  number_ = number;
}

}  // namespace forestage
