#include "processor.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "editor/editor.hpp"
#include "preset_io.hpp"
#include "vst3_variants.hpp"

namespace forestage::plugin {
namespace {

constexpr int status_hz = 10;

void log(const juce::String& what) { juce::Logger::writeToLog("Forestage: " + what); }

void log(const juce::String& what, const std::exception& error) {
  log(what + ": " + juce::String::fromUTF8(error.what()));
}

}  // namespace

Processor::Processor()
    : AudioProcessor(BusesProperties()
                         .withInput("Stereo In", juce::AudioChannelSet::stereo())
                         .withOutput("Driver Feeds Or Headphones",
                                     juce::AudioChannelSet::canonicalChannelSet(std::max(fixed_outputs, 2)))),
      fixed_outputs_(fixed_outputs),
      list_(std::make_shared<const PresetList>()),
      parameters_(*this) {
  session_.load(Contents{list_->first(), {}, {}});
  note_programs();
  known_programs_[0] = program_in_slot_[0].load();
  known_programs_[1] = -1;  // nobody has seen it: a program may go into A that is there already
  for (auto& program : saved_programs_) program = -1;
  shown_program_ = program_in_slot_[0].load();
  if (const auto first = session_.presets()[0]) follow_preset(*first);
  report();
  startTimerHz(status_hz);
}

Processor::~Processor() { stopTimer(); }

bool Processor::isBusesLayoutSupported(const BusesLayout& layout) const {
  const auto in = layout.getMainInputChannelSet();
  const auto out = layout.getMainOutputChannelSet();
  const auto is_numbered = [](const auto& set) { return set.getAmbisonicOrder() < 0; };  // ambisonics are no feeds
  if (fixed_outputs_ != 0 && out.size() != fixed_outputs_) return false;
  return out.size() >= 2 && out.size() <= max_channels && (in.size() == 2 || in.size() == out.size()) &&
         is_numbered(in) && is_numbered(out);
}

void Processor::note_set_up(double sample_rate) {
  host_rate_.store(sample_rate, std::memory_order_relaxed);
  report();
}

void Processor::prepareToPlay(double sample_rate, int) {
  host_rate_.store(sample_rate, std::memory_order_relaxed);
  try {
    session_.prepare({.sample_rate = sample_rate, .output_channels = getMainBusNumOutputChannels()}, audio_lock());
  } catch (const std::exception& error) {
    log("cannot play at " + juce::String(sample_rate) + " Hz, so stereo passes through", error);
  }
  report();
}

// The format wrappers hold JUCE's callback lock around each block.
AudioLock Processor::audio_lock() {
  return [this](const auto& swap) {
    const juce::ScopedLock guard(getCallbackLock());
    swap();
  };
}

Status Processor::status() const {
  return session_.status(static_cast<Slot>(active_slot()),
                         static_cast<Monitor>(static_cast<int>(parameters_.plain(Param::monitor))),
                         parameters_.plain(Param::room) > 0.5f);
}

int Processor::engine_latency_frames() const {
  const auto quality = static_cast<UpmixQuality>(static_cast<int>(parameters_.plain(Param::upmix_quality)));
  return session_.latency_frames(quality, sample_rate());
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
  const AudioBlock io{buffer.getArrayOfWritePointers(), lanes, buffer.getNumSamples()};
  levels_.read_input(io);
  engine->process(io);
  levels_.read_output(io);
  sound_.write(io);
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
  const AudioBlock heard{io.lanes, lanes, io.frames};
  levels_.read_input(heard);
  // NaN silences its whole block, so that one is not cut.
  for (int start = 0; start < io.frames;) {
    const int next = automation.advance(*engine, first_frame + (is_sound ? start : io.frames - 1)) - first_frame;
    const int end = is_sound ? std::min(next, io.frames) : io.frames;
    std::array<float*, max_channels> from_start{};
    for (int c = 0; c < lanes; ++c) from_start[static_cast<std::size_t>(c)] = io[c] + start;
    engine->process({from_start.data(), lanes, end - start});
    start = end;
  }
  levels_.read_output(heard);
  sound_.write(heard);
}

// JUCE's assertion that it has this interface itself is meant: ours stands in front of it.
int32_t Processor::queryIAudioProcessor(const Steinberg::TUID wanted, void** found) {
  *found = nullptr;
  auto* juce_audio = Vst3Audio::juce_behind(getPlayHead());
  if (juce_audio == nullptr || !Steinberg::FUnknownPrivate::iidEqual(wanted, Steinberg::Vst::IAudioProcessor_iid))
    return Steinberg::kNoInterface;
  if (vst3_audio_ == nullptr) vst3_audio_ = std::make_unique<Vst3Audio>(*this, *juce_audio, parameters_);
  vst3_audio_->addRef();
  *found = static_cast<Steinberg::Vst::IAudioProcessor*>(vst3_audio_.get());
  return Steinberg::kResultOk;
}

void Processor::timerCallback() {
  note_blind();
  show_readings();
  if (parameters_.plain(Param::upmix_quality) != reported_quality_.load(std::memory_order_relaxed)) report();
  if (shown_program_ != getCurrentProgram()) {  // the slot was automated
    note_program_shown();
    announce_values();
  }
}

/// What blind trials have taken is set back, so that it can be done again.
void Processor::note_blind() {
  const auto blind = session_.blind();
  if (session_.note_blind()) updateHostDisplay(ChangeDetails().withNonParameterStateChanged(true));
  const auto is_taken = [&](Param id, auto taken) {
    const float plain = parameters_.plain(id);
    return plain != 0.0f && plain == static_cast<float>(taken);
  };
  if (is_taken(Param::blind_answer, blind.taken.answer)) parameters_.set(Param::blind_answer, 0.0f);
  const bool has_ended = !blind.is_running && !blind.taken.is_refused;
  if (has_ended && is_taken(Param::blind, blind.taken.method)) parameters_.set(Param::blind, 0.0f);
}

// One of the positions stands for a preset that came with a state. Without it a session with a preset from elsewhere
// would claim another one, and a host that sends it back would overwrite what was there.
int Processor::getCurrentProgram() { return position(); }

const juce::String Processor::getProgramName(int index) {
  return juce::String::fromUTF8(presets()->name(index).c_str());
}

std::optional<float> Processor::decided(Steinberg::Vst::ParamID id) {
  if (id == vst3_program_id) {
    return static_cast<float>(getCurrentProgram()) / static_cast<float>(getNumPrograms() - 1);
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

bool Processor::is_known_program(int index) const {
  const auto is_among = [index](const auto& programs) { return index == programs[0] || index == programs[1]; };
  return index == shown_program_ || is_among(known_programs_) || is_among(saved_programs_);
}

// JUCE's wrappers call this from the host's main thread only, so the preset may be built here.
void Processor::setCurrentProgram(int index) {
  const auto list = presets();
  if (index < 0 || index >= list->count()) return;
  const bool is_written_back = is_known_program(index);
  shown_program_ = index;  // where that is wrong now, the host is told so by the timer and the controller
  if (is_written_back) return;
  try {
    load(static_cast<Slot>(active_slot()), list->load(index), ChosenPreset{list->name(index), index});
  } catch (const std::exception& error) {
    log("preset \"" + getProgramName(index) + "\" not loaded", error);
  }
}

float Processor::value(Param id) const {
  if (id == Param::status) return static_cast<float>(status());
  return is_read_only(spec(id)) ? session_.measured(id) : parameters_.plain(id);
}

void Processor::set(Param id, float plain) { parameters_[id].setValueNotifyingHost(normalised(spec(id), plain)); }

std::shared_ptr<const PresetList> Processor::presets() const {
  const std::lock_guard guard(list_mutex_);
  return list_;
}

void Processor::reload_presets() {
  auto next = std::make_shared<const PresetList>();
  {
    const std::lock_guard guard(list_mutex_);
    list_ = std::move(next);
  }
  note_programs();
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    known_programs_[slot] = program_in_slot_[slot].load();
    saved_programs_[slot] = -1;  // positions of the list before
  }
  report_program();
}

void Processor::load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) {
  session_.load(slot, preset, std::move(chosen));
  note_loaded(slot);
  if (static_cast<std::size_t>(slot) == active_slot()) follow_preset(*preset);
  report();
  report_program();
}

void Processor::put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen) {
  const auto are_loaded = session_.put_back(presets, chosen);
  for (const Slot slot : {Slot::a, Slot::b})
    if (are_loaded[static_cast<std::size_t>(slot)]) note_loaded(slot);
  report();
  report_program();
}

/// A host has not chosen it, but knows of it from now on.
void Processor::note_loaded(Slot slot) {
  note_programs();
  for (auto& program : saved_programs_) program = -1;
  const auto i = static_cast<std::size_t>(slot);
  known_programs_[i] = program_in_slot_[i].load();
}

juce::AudioProcessorEditor* Processor::createEditor() { return new Editor(*this, *this); }

void Processor::set_headphone_eq(std::optional<HeadphoneEq> eq) {
  session_.set_headphone_eq(std::move(eq));
  updateHostDisplay(ChangeDetails().withNonParameterStateChanged(true));  // the session is no longer as it was saved
}

void Processor::follow_preset(const Preset& preset) {
  for (std::size_t i = 0; i < param_count; ++i) {
    if (!params[i].in_preset) continue;
    const auto id = static_cast<Param>(i);
    parameters_.set(id, setting(preset, params[i]));
    announce(parameters_[id]);
  }
}

void Processor::getStateInformation(juce::MemoryBlock& destination) {
  const auto state = session_.state(parameters_.values());
  if (!state.problem.empty()) log("state not written, the last one is kept: " + state.problem);
  destination.replaceAll(state.text.data(), state.text.size());
}

void Processor::setStateInformation(const void* data, int bytes) {
  if (data == nullptr || bytes <= 0) return;
  ParamValues values{};
  try {
    values = session_.load_state({static_cast<const char*>(data), static_cast<std::size_t>(bytes)});
  } catch (const std::exception& error) {
    log("state not loaded, nothing changed", error);
    return;
  }
  note_programs();
  const auto chosen = session_.contents().chosen;
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    known_programs_[slot] = program_in_slot_[slot].load();
    saved_programs_[slot] = chosen[slot] ? chosen[slot]->position : -1;
  }
  for (const std::string& note : session_.notes()) log("state: " + juce::String::fromUTF8(note.c_str()));
  for (std::size_t i = 0; i < param_count; ++i)
    if (!is_read_only(params[i])) parameters_.set(static_cast<Param>(i), values[i]);
  report();
  report_program();
}

void Processor::report() {
  reported_quality_.store(parameters_.plain(Param::upmix_quality), std::memory_order_relaxed);
  bool is_new_latency = false;
  // The host's thread and the timer's may both be here: who comes last must leave the latency of the newest engine.
  for (int frames = -1; frames != engine_latency_frames();) {
    frames = engine_latency_frames();
    is_new_latency = is_new_latency || frames != getLatencySamples();
    setLatencySamples(frames);
  }
  const bool is_new_status = show_readings();
  if (is_new_latency) announce_latency();
  if (is_new_status) announce(parameters_[Param::status]);
}

bool Processor::show_readings() {
  for (std::size_t i = 0; i < param_count; ++i) {
    const auto id = static_cast<Param>(i);
    if (is_read_only(params[i]) && id != Param::status) parameters_.show(id, session_.measured(id));
  }
  return parameters_.show(Param::status, static_cast<float>(status()));
}

void Processor::report_program() {
  updateHostDisplay(ChangeDetails().withProgramChanged(true).withNonParameterStateChanged(true));
}

void Processor::note_programs() {
  const auto contents = session_.contents();
  const auto list = presets();
  for (const std::size_t slot : {std::size_t{0}, std::size_t{1}}) {
    const std::size_t playing = contents.presets[slot] != nullptr ? slot : 1 - slot;  // an empty slot plays the other
    const auto& preset = contents.presets[playing];
    const auto& chosen = contents.chosen[playing];
    const int position = preset != nullptr ? list->position_of(preset, chosen ? chosen->name : "") : PresetList::custom;
    program_in_slot_[slot].store(position, std::memory_order_relaxed);
  }
}

}  // namespace forestage::plugin

juce::AudioProcessor* JUCE_CALLTYPE createPluginFilter() { return new forestage::plugin::Processor(); }
