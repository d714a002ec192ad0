// The plugin: JUCE's view of one forestage::Engine. No filter maths here.
//
// Channels: 2 -> 2, 2 -> N and N -> N for N = 2..16 (a variant has one N); stereo is the host's channels 1-2, and
// driver i its channel i, whatever the layout is called.
// Programs: the list of presets, factory and the user's own, which hosts see as the parameter "Preset". Selecting one
// loads it into the active slot and sets the parameters a preset holds.
// In VST3 the program is a value that hosts write back, late and in any order with the slot and the state, so a program
// that a host knows of either slot, or was shown last, is not a choice and changes nothing.
// State: all parameters, both presets and the headphone equaliser, whole. What is no state changes nothing; of one that
// this version does not know to the end, all that it can read plays, the status says so, and the rest is kept and
// written back. When a state cannot be written, hosts get the last that could.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "editor/plugin_model.hpp"
#include "parameters.hpp"
#include "vst3_audio.hpp"
#include "vst3_host.hpp"

namespace forestage::plugin {

class Processor final : public juce::AudioProcessor,
                        public PluginModel,
                        public Vst3Host,
                        public Vst3Player,
                        private juce::Timer {
 public:
  Processor();
  ~Processor() override;

  const juce::String getName() const override { return JucePlugin_Name; }
  bool acceptsMidi() const override { return false; }
  bool producesMidi() const override { return false; }
  bool isBusesLayoutSupported(const BusesLayout& layout) const override;

  void prepareToPlay(double sample_rate, int block_frames) override;
  void releaseResources() override {}
  void reset() override;
  void processBlock(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) override;
  void processBlockBypassed(juce::AudioBuffer<float>& buffer, juce::MidiBuffer&) override;
  using juce::AudioProcessor::processBlock;
  using juce::AudioProcessor::processBlockBypassed;

  double getTailLengthSeconds() const override { return session_.tail_s(); }
  juce::AudioProcessorParameter* getBypassParameter() const override { return &parameters_[Param::bypass]; }

  int getNumPrograms() override { return PresetList::positions; }
  int getCurrentProgram() override;
  void setCurrentProgram(int index) override;
  const juce::String getProgramName(int index) override;
  void changeProgramName(int, const juce::String&) override {}

  void getStateInformation(juce::MemoryBlock& destination) override;
  void setStateInformation(const void* data, int bytes) override;

  std::optional<float> decided(Steinberg::Vst::ParamID id) override;
  void note_program_shown() override;
  int32_t queryIAudioProcessor(const Steinberg::TUID wanted, void** found) override;  // [main]

  bool hasEditor() const override { return true; }
  juce::AudioProcessorEditor* createEditor() override;

  float value(Param id) const override;
  void begin(Param id) override { parameters_[id].beginChangeGesture(); }
  void set(Param id, float plain) override;
  void end(Param id) override { parameters_[id].endChangeGesture(); }
  const juce::AudioProcessorParameter* host_parameter(Param id) const override { return &parameters_[id]; }
  const Session& session() const override { return session_; }
  std::shared_ptr<const PresetList> presets() const override;  // [any but audio]
  void reload_presets() override;
  int position() const override { return program_in_slot_[active_slot()].load(std::memory_order_relaxed); }
  void load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) override;
  void put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen) override;
  void set_headphone_eq(std::optional<HeadphoneEq> eq) override;
  LevelTap& levels() override { return levels_; }
  SoundTap& sound() override { return sound_; }
  double sample_rate() const override { return host_rate_.load(std::memory_order_relaxed); }
  int latency_frames() const override { return getLatencySamples(); }
  int output_channels() const override { return getMainBusNumOutputChannels(); }

  /// Has the session keep what is answered of blind trials, and sets back what they have taken.  [main]
  void note_blind();

 private:
  void play(juce::AudioBuffer<float>& buffer, bool is_bypassed);
  void play(AudioBlock io, Vst3Automation& automation, int first_frame) noexcept override;
  void note_set_up(double sample_rate) override;
  // The host hears of a new status, latency or meter from here, never from the audio thread.
  void timerCallback() override;
  bool show_readings();  // of the engine; true for a new status
  void follow_preset(const Preset& preset);
  Status status() const;
  int engine_latency_frames() const;
  AudioLock audio_lock();
  void report();
  void report_program();
  std::size_t active_slot() const { return static_cast<std::size_t>(parameters_.plain(Param::slot)); }
  bool is_known_program(int index) const;
  void note_programs();
  void note_loaded(Slot slot);

  const int fixed_outputs_;  // of a variant; 0 = as the host arranges
  mutable std::mutex list_mutex_;
  std::shared_ptr<const PresetList> list_;
  HostParameters parameters_;
  Session session_;
  LevelTap levels_;
  SoundTap sound_;
  std::unique_ptr<Vst3Audio> vst3_audio_;
  std::atomic<double> host_rate_{0.0};         // 0 before the host has set one, when JUCE has one of its own
  std::atomic<float> reported_quality_{0.0f};  // of the latency that the host was told
  std::array<std::atomic<int>, 2> program_in_slot_{};
  std::array<std::atomic<int>, 2> known_programs_{};  // of each slot, as a host may know it; -1 = not at all
  std::array<std::atomic<int>, 2> saved_programs_{};  // where the list of the state's time had them; -1 = unknown
  std::atomic<int> shown_program_{-1};                // what the host was told, has read or has written last

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(Processor)
};

}  // namespace forestage::plugin
