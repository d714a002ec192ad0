#include "processor.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "editor.hpp"
#include "preset_io.hpp"
#include "state.hpp"

namespace forestage::plugin {
namespace {

constexpr int status_hz = 10;
constexpr std::array meters{Param::gain_db, Param::reduction_db, Param::peak_db, Param::clip};

void log(const juce::String& what, const std::exception& error) {
  juce::Logger::writeToLog("Forestage: " + what + ": " + error.what());
}

}  // namespace

Processor::Processor()
    : AudioProcessor(BusesProperties()
                         .withInput("Stereo In", juce::AudioChannelSet::stereo())
                         .withOutput("Driver Feeds Or Headphones", juce::AudioChannelSet::stereo())),
      parameters_(*this) {
  const SlotPresets presets{program(0), program(1)};
  session_.load(Contents{presets, {}});
  note_programs(presets);
  known_programs_[0] = program_in_slot_[0].load();
  known_programs_[1] = -1;  // nobody has seen it: a program may go into A that is there already
  shown_program_ = program_in_slot_[0].load();
  if (presets[0] != nullptr) follow_preset(*presets[0]);
  // At a likely rate, so that the latency is right before a host prepares; `prepareToPlay` sizes the engine that plays.
  session_.prepare(EngineSpec{}, getCallbackLock());
  report();
  startTimerHz(status_hz);
}

Processor::~Processor() { stopTimer(); }

bool Processor::isBusesLayoutSupported(const BusesLayout& layout) const {
  const auto in = layout.getMainInputChannelSet();
  const auto out = layout.getMainOutputChannelSet();
  const auto is_numbered = [](const auto& set) { return set.getAmbisonicOrder() < 0; };  // ambisonics are no feeds
  return out.size() >= 2 && out.size() <= max_channels && (in.size() == 2 || in.size() == out.size()) &&
         is_numbered(in) && is_numbered(out);
}

void Processor::prepareToPlay(double sample_rate, int) {
  try {
    session_.prepare({.sample_rate = sample_rate, .output_channels = getMainBusNumOutputChannels()}, getCallbackLock());
  } catch (const std::exception& error) {
    log("cannot play at " + juce::String(sample_rate) + " Hz, so stereo passes through", error);
  }
  report();
}

void Processor::reset() {
  if (auto* engine = session_.engine()) engine->reset();
}

void Processor::processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) { play(buffer, false); }

void Processor::processBlockBypassed(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) { play(buffer, true); }

void Processor::play(juce::AudioBuffer<float>& buffer, bool is_bypassed) {
  const juce::ScopedNoDenormals no_denormals;
  auto* engine = session_.engine();
  const int lanes = engine != nullptr ? engine->spec().output_channels : 2;
  for (int lane = lanes; lane < buffer.getNumChannels(); ++lane) buffer.clear(lane, 0, buffer.getNumSamples());
  if (engine == nullptr || buffer.getNumChannels() < lanes) return;  // stereo passes through, as the status says
  parameters_.copy_to(*engine);
  if (is_bypassed) engine->set_param(Param::bypass, 1.0f);
  engine->process({buffer.getArrayOfWritePointers(), lanes, buffer.getNumSamples()});
}

void Processor::play(AudioBlock io, Vst3Automation& automation, int first_frame) noexcept {
  const juce::ScopedNoDenormals no_denormals;
  const juce::ScopedLock guard(getCallbackLock());
  auto* engine = session_.engine();
  const int lanes = engine != nullptr ? engine->spec().output_channels : 2;
  clear({io.lanes + lanes, io.channels - lanes, io.frames});
  if (isSuspended()) return clear(io);
  if (engine == nullptr) return;  // stereo passes through, as the status says
  parameters_.copy_to(*engine);
  const bool is_sound = std::all_of(io[0], io[0] + io.frames, [](float x) { return std::isfinite(x); }) &&
                        std::all_of(io[1], io[1] + io.frames, [](float x) { return std::isfinite(x); });
  // NaN silences its whole block, so that one is not cut.
  for (int start = 0; start < io.frames;) {
    const int next = automation.advance(*engine, first_frame + (is_sound ? start : io.frames - 1)) - first_frame;
    const int end = is_sound ? std::min(next, io.frames) : io.frames;
    std::array<float*, max_channels> from_start{};
    for (int c = 0; c < lanes; ++c) from_start[static_cast<std::size_t>(c)] = io[c] + start;
    engine->process({from_start.data(), lanes, end - start});
    start = end;
  }
}

// JUCE's assertion that it has this interface itself is meant: ours stands in front of it.
int32_t Processor::queryIAudioProcessor(const Steinberg::TUID iid, void** found) {
  *found = nullptr;
  auto* juce_audio = Vst3Audio::juce_behind(getPlayHead());
  if (juce_audio == nullptr || !Steinberg::FUnknownPrivate::iidEqual(iid, Steinberg::Vst::IAudioProcessor_iid))
    return Steinberg::kNoInterface;
  if (vst3_audio_ == nullptr) vst3_audio_ = std::make_unique<Vst3Audio>(*this, *juce_audio, parameters_);
  vst3_audio_->addRef();
  *found = static_cast<Steinberg::Vst::IAudioProcessor*>(vst3_audio_.get());
  return Steinberg::kResultOk;
}

void Processor::timerCallback() {
  show_readings();
  if (parameters_.plain(Param::upmix_quality) != reported_quality_.load(std::memory_order_relaxed)) report();
  if (shown_program_ != getCurrentProgram()) {  // the slot was automated
    note_program_shown();
    announce_values();
  }
}

// After the factory presets VST3 hosts see one more program, for a preset that came with a state. Without it a session
// with the user's own preset would claim a factory program, and a host that sends it back would overwrite the preset.
// LV2 has no current program, and would publish the extra one as a preset that does nothing.
int Processor::getNumPrograms() { return factory_->count() + (wrapperType == wrapperType_LV2 ? 0 : 1); }

int Processor::getCurrentProgram() {
  const int program = program_in_slot_[active_slot()].load(std::memory_order_relaxed);
  return std::max(0, std::min(program, getNumPrograms() - 1));
}

const juce::String Processor::getProgramName(int index) {
  if (index < 0 || index >= getNumPrograms()) return {};
  return index < factory_->count() ? juce::String::fromUTF8(factory_->name(index).c_str()) : "Custom";
}

std::optional<float> Processor::decided(Steinberg::Vst::ParamID id) {
  if (id == vst3_program_id) {
    return static_cast<float>(getCurrentProgram()) / static_cast<float>(std::max(1, getNumPrograms() - 1));
  }
  for (std::size_t i = 0; i < param_count; ++i) {
    if (!is_read_only(params[i])) continue;
    const auto& parameter = parameters_[static_cast<Param>(i)];
    if (id == vst3_id_of(parameter)) return parameter.getValue();
  }
  return std::nullopt;
}

void Processor::note_program_shown() {
  const std::size_t slot = active_slot();
  const int program = getCurrentProgram();
  known_programs_[slot] = program;
  shown_program_ = program;
}

// LV2 has no current program, so nothing is written back: whoever asks for one there has chosen it.
bool Processor::is_known_program(int index) const {
  return wrapperType != wrapperType_LV2 &&
         (index == shown_program_ || index == known_programs_[0] || index == known_programs_[1]);
}

// JUCE's wrappers call this from the host's main thread only, so the preset may be built here.
void Processor::setCurrentProgram(int index) {
  if (index < 0 || index >= factory_->count()) return;
  const bool is_written_back = is_known_program(index);
  shown_program_ = index;  // where that is wrong now, the host is told so by the timer and the controller
  if (is_written_back) return;
  const std::size_t slot = active_slot();
  const auto preset = program(index);
  if (preset == nullptr) return;
  try {
    session_.load(static_cast<Slot>(slot), preset);
  } catch (const std::exception& error) {
    log("program \"" + getProgramName(index) + "\" not loaded", error);
    return;
  }
  note_programs(session_.contents().presets);
  known_programs_[slot] = index;
  follow_preset(*preset);
  report();
  report_program();
}

std::shared_ptr<const Preset> Processor::program(int index) const {
  if (index >= factory_->count()) return nullptr;
  try {
    return factory_->load(index);
  } catch (const std::exception& error) {
    log("program not loaded", error);
    return nullptr;
  }
}

juce::AudioProcessorEditor* Processor::createEditor() { return new Editor(*this); }

void Processor::set_headphone_eq(std::optional<HeadphoneEq> eq) {
  session_.set_headphone_eq(std::move(eq));
  updateHostDisplay(ChangeDetails().withNonParameterStateChanged(true));  // the session is no longer as it was saved
}

void Processor::follow_preset(const Preset& preset) {
  for (std::size_t i = 0; i < param_count; ++i) {
    if (!params[i].in_preset) continue;
    const auto id = static_cast<Param>(i);
    const auto value = preset.parameters.find(param_id(params[i]));  // absent: the preset means the default
    parameters_.set(id, value != preset.parameters.end() ? value->second : params[i].default_value);
    announce(parameters_[id]);
  }
}

void Processor::getStateInformation(juce::MemoryBlock& destination) {
  const auto contents = session_.contents();
  try {
    remember_state(write_state(state_of(contents, parameters_.values())));
  } catch (const std::exception& error) {
    log("state not written, the last one is kept", error);
  }
  const auto text = last_state();
  destination.replaceAll(text.data(), text.size());
}

void Processor::remember_state(std::string text) {
  const std::lock_guard guard(state_mutex_);
  last_state_ = std::move(text);
}

std::string Processor::last_state() const {
  const std::lock_guard guard(state_mutex_);
  return last_state_;
}

void Processor::setStateInformation(const void* data, int bytes) {
  if (data == nullptr || bytes <= 0) return;
  try {
    load_state({static_cast<const char*>(data), static_cast<std::size_t>(bytes)});
  } catch (const std::exception& error) {
    log("state not loaded, nothing changed", error);
  }
}

void Processor::load_state(std::string_view text) {
  PluginState state = parse_state(text);
  const auto shared = [](std::optional<Preset>& preset) {
    return preset ? std::make_shared<const Preset>(std::move(*preset)) : nullptr;
  };
  const SlotPresets presets{shared(state.a), shared(state.b)};
  std::array<float, param_count> values{};
  for (std::size_t i = 0; i < param_count; ++i) {
    const auto value = state.parameters.extract(param_id(params[i]));
    values[i] = value.empty() ? params[i].default_value : value.mapped();
  }
  auto headphone_eq = state.has_headphone_eq ? std::move(state.headphone_eq) : session_.contents().headphone_eq;
  for (const std::string& note : state.notes) juce::Logger::writeToLog("Forestage: state: " + juce::String(note));
  session_.load(
      {presets, std::move(headphone_eq), std::move(state.parameters), std::move(state.kept), std::move(state.notes)});
  note_programs(presets);
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) known_programs_[slot] = program_in_slot_[slot].load();
  for (std::size_t i = 0; i < param_count; ++i)
    if (!is_read_only(params[i])) parameters_.set(static_cast<Param>(i), values[i]);
  report();
  report_program();
}

void Processor::report() {
  reported_quality_.store(parameters_.plain(Param::upmix_quality), std::memory_order_relaxed);
  bool is_new_latency = false;
  // The host's thread and the timer's may both be here: who comes last must leave the latency of the newest engine.
  for (int frames = -1; frames != session_.latency_frames(parameters_);) {
    frames = session_.latency_frames(parameters_);
    is_new_latency = is_new_latency || frames != getLatencySamples();
    setLatencySamples(frames);
  }
  const bool is_new_status = show_readings();
  if (is_new_latency) announce_latency();
  if (is_new_status) announce(parameters_[Param::status]);
}

bool Processor::show_readings() {
  for (const Param meter : meters) parameters_.show(meter, session_.measured(meter));
  return parameters_.show(Param::status, static_cast<float>(session_.status(parameters_)));
}

void Processor::report_program() {
  updateHostDisplay(ChangeDetails().withProgramChanged(true).withNonParameterStateChanged(true));
}

void Processor::note_programs(const SlotPresets& presets) {
  const auto program_of = [&](std::size_t slot) {
    const auto& preset = presets[slot] != nullptr ? presets[slot] : presets[1 - slot];  // an empty slot plays the other
    return factory_->index_of(preset);
  };
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}})
    program_in_slot_[slot].store(program_of(slot), std::memory_order_relaxed);
}

}  // namespace forestage::plugin

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() { return new forestage::plugin::Processor(); }
