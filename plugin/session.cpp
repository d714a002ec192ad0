#include "session.hpp"

#include <utility>

namespace forestage::plugin {
namespace {

void fill(Engine& engine, const Contents& contents) {
  engine.set_headphone_eq(contents.headphone_eq);
  for (const Slot slot : {Slot::a, Slot::b}) {
    if (const auto& preset = contents.presets[static_cast<std::size_t>(slot)]) {
      engine.load(slot, *preset);
    } else {
      engine.unload(slot);
    }
  }
}

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
  state.kept = contents.kept;
  return state;
}

void Session::prepare(const EngineSpec& spec, const juce::CriticalSection& callback_lock) {
  const std::lock_guard guard(mutex_);
  std::unique_ptr<Engine> next;
  const auto swap_in = [&] {
    {
      const juce::ScopedLock audio_guard(callback_lock);
      std::swap(engine_, next);
    }
    note_tail();
  };
  try {
    next = std::make_unique<Engine>(spec);
    fill(*next, contents_);
  } catch (...) {
    next = nullptr;
    swap_in();
    throw;
  }
  swap_in();
}

void Session::load(Slot slot, std::shared_ptr<const Preset> preset) {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr) engine_->load(slot, *preset);
  contents_.presets[static_cast<std::size_t>(slot)] = std::move(preset);
  update_kept(contents_);
  note_tail();
}

void Session::load(Contents contents) {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr) {
    Engine rehearsal(engine_->spec());  // refuses what the engine would refuse, before the sound is touched
    fill(rehearsal, contents);
    fill(*engine_, contents);
  }
  contents_ = std::move(contents);
  note_tail();
}

void Session::set_headphone_eq(std::optional<HeadphoneEq> eq) {
  const std::lock_guard guard(mutex_);
  if (engine_ != nullptr) engine_->set_headphone_eq(eq);
  contents_.headphone_eq = std::move(eq);
  update_kept(contents_);
  note_tail();
}

Contents Session::contents() const {
  const std::lock_guard guard(mutex_);
  return contents_;
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

int Session::latency_frames(const HostParameters& parameters) const {
  const std::lock_guard guard(mutex_);
  const auto quality = static_cast<UpmixQuality>(static_cast<int>(parameters.plain(Param::upmix_quality)));
  return engine_ != nullptr ? engine_->latency_frames(quality) : 0;
}

Status Session::status(const HostParameters& parameters) const {
  const std::lock_guard guard(mutex_);
  if (engine_ == nullptr) return Status::no_preset;
  const Status status = engine_->status(static_cast<Slot>(static_cast<int>(parameters.plain(Param::slot))),
                                        static_cast<Monitor>(static_cast<int>(parameters.plain(Param::monitor))),
                                        parameters.plain(Param::room) > 0.5f);
  // Headphones sound in the place of a device must be said in any case.
  return contents_.notes.empty() || status == Status::headphones_preview ? status : Status::more_in_session;
}

float Session::measured(Param id) const {
  const std::lock_guard guard(mutex_);
  return engine_ != nullptr ? engine_->param(id) : spec(id).default_value;
}

void Session::note_tail() {
  const double tail_s = engine_ != nullptr ? engine_->tail_frames() / engine_->spec().sample_rate : 0.0;
  tail_s_.store(tail_s, std::memory_order_relaxed);
}

}  // namespace forestage::plugin
