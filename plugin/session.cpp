#include "session.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "graph.hpp"
#include "preset_at_rate.hpp"
#include "shared_preset.hpp"

namespace forestage::plugin {
namespace {

constexpr std::size_t most_blind_runs = 50;  // the oldest go

/// What is kept, with what has changed since, and what is then still to be said about it.
void update_kept(Contents& contents) {
  if (contents.kept.empty()) return;
  contents.kept = write_state(state_of(contents, parse_state(contents.kept).parameters));
  contents.notes = parse_state(contents.kept).notes;
}

/// Empty for an empty slot.
std::shared_ptr<const std::string> packed_of(const std::shared_ptr<const Preset>& preset) {
  return preset != nullptr ? shared_packed(preset) : std::make_shared<const std::string>();
}

}  // namespace

PluginState state_of(const Contents& contents, std::map<std::string, float> parameters) {
  PluginState state;
  state.parameters = std::move(parameters);
  state.parameters.insert(contents.unknown_parameters.begin(), contents.unknown_parameters.end());
  state.a = contents.presets[0];
  state.b = contents.presets[1];
  state.has_headphone_eq = true;
  state.headphone_eq = contents.headphone_eq;
  state.chosen = contents.chosen;
  state.blind = contents.blind;
  state.kept = contents.kept;
  return state;
}

void Session::prepare(const EngineSpec& spec, const AudioLock& lock) {
  const std::lock_guard guard(mutex_);
  is_prepared_ = true;
  if (engine_ != nullptr && engine_->spec() == spec) return lock([&] { engine_->reset(); });
  std::unique_ptr<Engine> next;
  take_blind_run();
  const auto swap_in = [&] {
    if (next != nullptr && engine_ != nullptr) next->continue_from(*engine_);
    lock([&] { std::swap(engine_, next); });
    note_contents();
  };
  try {
    next = std::make_unique<Engine>(spec);
    next->load({contents_.presets, contents_.headphone_eq});
  } catch (...) {
    next = nullptr;
    swap_in();
    throw;
  }
  swap_in();
}

void Session::load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr) engine_->load(slot, preset);
  contents_.presets[static_cast<std::size_t>(slot)] = std::move(preset);
  contents_.chosen[static_cast<std::size_t>(slot)] = std::move(chosen);
  update_kept(contents_);
  note_contents();
}

void Session::load(Contents contents) {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr) {
    engine_->load({contents.presets, contents.headphone_eq});
    blind_number_ = engine_->blind_run().number;  // trials of before are no part of it
    is_blind_left_ = true;
  }
  contents_ = std::move(contents);
  note_contents();
}

std::array<bool, 2> Session::put_back(const SlotPresets& presets,
                                      const std::array<std::optional<ChosenPreset>, 2>& chosen) {
  std::array<bool, 2> are_loaded{};
  for (const Slot slot : {Slot::a, Slot::b}) {
    const auto i = static_cast<std::size_t>(slot);
    if (presets[i] == nullptr || presets[i] == this->presets()[i]) continue;
    load(slot, presets[i], chosen[i]);
    are_loaded[i] = true;
  }
  return are_loaded;
}

ParamValues Session::load_state(std::string_view text) {
  auto [state, packed] = read_state(text, &held_preset);
  SlotPresets presets{state.a, state.b};
  for (std::size_t slot = 0; slot < presets.size(); ++slot) {
    auto& preset = presets[slot];
    if (preset == nullptr) continue;
    preset = shared_preset(std::move(preset));
    if (!packed[slot].empty()) shared_packed(preset, packed[slot]);
  }
  ParamValues values{};
  for (std::size_t i = 0; i < param_count; ++i) {
    const auto value = state.parameters.extract(param_id(params[i]));
    values[i] = value.empty() ? params[i].default_value : value.mapped();
  }
  auto headphone_eq = state.has_headphone_eq ? std::move(state.headphone_eq) : contents().headphone_eq;
  load({std::move(presets), std::move(state.chosen), std::move(headphone_eq), std::move(state.parameters),
        std::move(state.kept), std::move(state.notes), std::move(state.blind)});
  return values;
}

Session::StateText Session::state(const ParamValues& values) {
  const std::lock_guard guard(mutex_);
  take_blind_run();
  std::map<std::string, float> parameters;
  for (std::size_t i = 0; i < param_count; ++i)
    if (is_kept(params[i])) parameters.emplace(param_id(params[i]), values[i]);
  try {
    PluginState state = state_of(contents_, std::move(parameters));
    if (!contents_.kept.empty()) {
      last_state_ = packed_state(write_state(state));
    } else {
      const std::array packed{packed_of(state.a), packed_of(state.b)};
      state.a = state.b = nullptr;
      last_state_ = packed_state(state, {*packed[0], *packed[1]});
    }
  } catch (const std::exception& error) {
    return {last_state_, error.what()};
  }
  return {last_state_, {}};
}

void Session::set_headphone_eq(std::optional<HeadphoneEq> eq) {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr) engine_->set_headphone_eq(eq);
  contents_.headphone_eq = std::move(eq);
  update_kept(contents_);
  note_contents();
}

MatchFound Session::match_found() const {
  const std::lock_guard guard(mutex_);
  return engine_ != nullptr ? engine_->match_found() : MatchFound{};
}

Session::BlindNow Session::blind() const {
  const std::lock_guard guard(mutex_);
  if (engine_ == nullptr) return {};
  return {engine_->is_blind(), engine_->blind_taken()};
}

std::vector<BlindRecord> Session::blind_records() const {
  const std::lock_guard guard(mutex_);
  return contents_.blind;
}

bool Session::note_blind() {
  const std::lock_guard guard(mutex_);
  return take_blind_run();
}

bool Session::take_blind_run() {
  if (engine_ == nullptr) return false;
  BlindRun run = engine_->blind_run();
  if (run.number == 0 || run.trials.empty()) return false;
  const bool is_known = run.number == blind_number_;
  if (is_known && (is_blind_left_ || contents_.blind.back().run == run)) return false;
  is_blind_left_ = false;
  blind_number_ = run.number;
  if (is_known) {
    contents_.blind.back().run = std::move(run);
  } else {
    const auto names = compared_names(run.pair);
    contents_.blind.push_back({std::move(run), names});
    if (contents_.blind.size() > most_blind_runs) contents_.blind.erase(contents_.blind.begin());
  }
  update_kept(contents_);
  return true;
}

std::array<std::string, 2> Session::compared_names(BlindPair pair) const {
  const auto name = [&](std::size_t slot) {
    return contents_.presets[slot] != nullptr ? contents_.presets[slot]->name : std::string();
  };
  if (pair == BlindPair::slots) return {name(0), name(1)};
  const auto chosen = static_cast<std::size_t>(engine_->param(Param::slot));
  const std::size_t playing = contents_.presets[chosen] != nullptr ? chosen : 1 - chosen;
  const std::string a = pair == BlindPair::plain_reference ? "plain" : "design";
  const std::string b = pair == BlindPair::design_plain ? "plain" : "reference";
  return {name(playing) + ", " + a, name(playing) + ", " + b};
}

Contents Session::contents() const {
  const std::lock_guard guard(mutex_);
  return contents_;
}

SlotPresets Session::presets() const {
  const std::lock_guard guard(mutex_);
  return contents_.presets;
}

std::optional<std::string> Session::headphone_eq_name() const {
  const std::lock_guard guard(mutex_);
  if (!contents_.headphone_eq) return std::nullopt;
  return contents_.headphone_eq->name;
}

std::vector<std::string> Session::notes() const {
  const std::lock_guard guard(mutex_);
  return contents_.notes;
}

int Session::latency_frames(UpmixQuality quality, double sample_rate) const {
  const std::lock_guard guard(mutex_);
  const bool is_set = sample_rate > 0.0;
  if (engine_ != nullptr && (!is_set || sample_rate == engine_->spec().sample_rate))
    return engine_->latency_frames(quality);
  if (engine_ == nullptr && is_prepared_) return 0;  // stereo passes through
  int longest = 0;
  try {
    const int rate = checked_rate(is_set ? sample_rate : EngineSpec{}.sample_rate);
    for (const auto& preset : contents_.presets) {
      if (preset == nullptr) continue;
      const auto delays = delays_at_rate(*preset, rate);
      longest = std::max(longest, natural_latency_frames(delays)[static_cast<std::size_t>(quality)]);
    }
  } catch (const std::exception&) {
    return 0;  // no engine will play at this rate
  }
  return longest;
}

Status Session::status(Slot slot, Monitor monitor, bool in_room) const {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr || is_prepared_) return playing_status(slot, monitor, in_room);
  const auto& chosen = contents_.presets[static_cast<std::size_t>(slot)];
  const auto& preset = chosen != nullptr ? chosen : contents_.presets[1 - static_cast<std::size_t>(slot)];
  return with_notes(preset != nullptr ? status_of(lacks(*preset, EngineSpec{}), monitor, in_room) : Status::no_preset);
}

float Session::measured(Param id) const {
  const std::lock_guard guard(mutex_);
  return engine_ != nullptr ? engine_->param(id) : spec(id).default_value;
}

Status Session::playing_status(Slot slot, Monitor monitor, bool in_room) const noexcept {
  if (engine_ == nullptr) return Status::no_preset;
  return with_notes(engine_->status(slot, monitor, in_room));
}

Status Session::with_notes(Status status) const noexcept {
  // Headphones sound in the place of a device must be said in any case.
  const bool is_more_to_say = has_notes_.load(std::memory_order_relaxed) && status != Status::headphones_preview;
  return is_more_to_say ? Status::more_in_session : status;
}

void Session::note_contents() {
  const double tail_s = engine_ != nullptr ? engine_->tail_frames() / engine_->spec().sample_rate : 0.0;
  tail_s_.store(tail_s, std::memory_order_relaxed);
  has_notes_.store(!contents_.notes.empty(), std::memory_order_relaxed);
}

}  // namespace forestage::plugin
