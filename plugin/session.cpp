#include "session.hpp"

#include <exception>
#include <utility>

#include "shared_preset.hpp"

namespace forestage::plugin {
namespace {

/// What is kept, with what has changed since, and what is then still to be said about it.
void update_kept(Contents& contents) {
  if (contents.kept.empty()) return;
  contents.kept = write_state(state_of(contents, parse_state(contents.kept).parameters));
  contents.notes = parse_state(contents.kept).notes;
}

}  // namespace

PluginState state_of(const Contents& contents, std::map<std::string, float> parameters) {
  PluginState state;
  state.parameters = std::move(parameters);
  state.parameters.insert(contents.unknown_parameters.begin(), contents.unknown_parameters.end());
  if (contents.presets[0] != nullptr) state.a = *contents.presets[0];
  if (contents.presets[1] != nullptr) state.b = *contents.presets[1];
  state.has_headphone_eq = true;
  state.headphone_eq = contents.headphone_eq;
  state.chosen = contents.chosen;
  state.kept = contents.kept;
  return state;
}

void Session::prepare(const EngineSpec& spec, const AudioLock& lock) {
  const std::lock_guard guard(mutex_);
  std::unique_ptr<Engine> next;
  const auto swap_in = [&] {
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
  if (engine_ != nullptr) engine_->load({contents.presets, contents.headphone_eq});
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
  PluginState state = parse_state(text);
  const auto shared = [](std::optional<Preset>& preset) {
    return preset ? shared_preset(std::move(*preset)) : nullptr;
  };
  ParamValues values{};
  for (std::size_t i = 0; i < param_count; ++i) {
    const auto value = state.parameters.extract(param_id(params[i]));
    values[i] = value.empty() ? params[i].default_value : value.mapped();
  }
  auto headphone_eq = state.has_headphone_eq ? std::move(state.headphone_eq) : contents().headphone_eq;
  load({{shared(state.a), shared(state.b)},
        std::move(state.chosen),
        std::move(headphone_eq),
        std::move(state.parameters),
        std::move(state.kept),
        std::move(state.notes)});
  return values;
}

Session::StateText Session::state(const ParamValues& values) {
  const std::lock_guard guard(mutex_);
  std::map<std::string, float> parameters;
  for (std::size_t i = 0; i < param_count; ++i)
    if (!is_read_only(params[i])) parameters.emplace(param_id(params[i]), values[i]);
  try {
    if (!contents_.kept.empty()) {
      last_state_ = packed_state(write_state(state_of(contents_, std::move(parameters))));
    } else {
      if (!packed_) packed_.emplace(state_of(contents_, {}));
      parameters.insert(contents_.unknown_parameters.begin(), contents_.unknown_parameters.end());
      last_state_ = packed_->with(parameters);
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

int Session::latency_frames(UpmixQuality quality) const {
  const std::lock_guard guard(mutex_);
  return engine_ != nullptr ? engine_->latency_frames(quality) : 0;
}

Status Session::status(Slot slot, Monitor monitor, bool in_room) const {
  const std::lock_guard guard(mutex_);
  return playing_status(slot, monitor, in_room);
}

float Session::measured(Param id) const {
  const std::lock_guard guard(mutex_);
  return engine_ != nullptr ? engine_->param(id) : spec(id).default_value;
}

Status Session::playing_status(Slot slot, Monitor monitor, bool in_room) const noexcept {
  if (engine_ == nullptr) return Status::no_preset;
  const Status status = engine_->status(slot, monitor, in_room);
  // Headphones sound in the place of a device must be said in any case.
  const bool is_more_to_say = has_notes_.load(std::memory_order_relaxed) && status != Status::headphones_preview;
  return is_more_to_say ? Status::more_in_session : status;
}

void Session::note_contents() {
  packed_.reset();
  const double tail_s = engine_ != nullptr ? engine_->tail_frames() / engine_->spec().sample_rate : 0.0;
  tail_s_.store(tail_s, std::memory_order_relaxed);
  has_notes_.store(!contents_.notes.empty(), std::memory_order_relaxed);
}

}  // namespace forestage::plugin
