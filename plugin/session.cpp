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

}  // namespace

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

int Session::latency_frames(const HostParameters& parameters) const {
  const std::lock_guard guard(mutex_);
  const auto quality = static_cast<UpmixQuality>(static_cast<int>(parameters.plain(Param::upmix_quality)));
  return engine_ != nullptr ? engine_->latency_frames(quality) : 0;
}

Status Session::status(const HostParameters& parameters) const {
  const std::lock_guard guard(mutex_);
  if (engine_ == nullptr) return Status::no_preset;
  return engine_->status(static_cast<Slot>(static_cast<int>(parameters.plain(Param::slot))),
                         static_cast<Monitor>(static_cast<int>(parameters.plain(Param::monitor))),
                         parameters.plain(Param::room) > 0.5f);
}

void Session::note_tail() {
  const double tail_s = engine_ != nullptr ? engine_->tail_frames() / engine_->spec().sample_rate : 0.0;
  tail_s_.store(tail_s, std::memory_order_relaxed);
}

}  // namespace forestage::plugin
