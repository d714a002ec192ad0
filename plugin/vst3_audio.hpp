// The VST3's way to the engine, in front of JUCE's own.
//
// JUCE's client applies the last automation point of a block to the whole block, and sorts the host's channels by the
// names of their speakers. Driver feeds are numbered, not named, and a block may last 0.2 s. So the host gets this
// IAudioProcessor: it plays the host's channels in the host's order, and cuts a block where automation changes a value.
// Everything else goes to JUCE, also the points (each parameter's last one), so that parameters, editor and program
// follow as ever.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

JUCE_BEGIN_IGNORE_WARNINGS_GCC_LIKE("-Wshadow")
#include <pluginterfaces/vst/ivstaudioprocessor.h>
#include <pluginterfaces/vst/ivstparameterchanges.h>
JUCE_END_IGNORE_WARNINGS_GCC_LIKE

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "automation.hpp"
#include "lanes.hpp"
#include "parameters.hpp"

namespace forestage::plugin {

/// The parameters of a block, as VST3 hosts send them.
class Vst3Automation {
 public:
  explicit Vst3Automation(const HostParameters& parameters);  // [main]

  void forget() noexcept;                                                            // [audio, or stopped]
  void read(Steinberg::Vst::IParameterChanges* changes, int block_frames) noexcept;  // [audio]
  /// Sets what holds from this frame of the block on, and returns the frame where that ends. Rising frames only.
  /// [audio]
  int advance(Engine& engine, int frame) noexcept;

  /// Null where the id is none of the table's.  [audio]
  const Param* find(Steinberg::Vst::ParamID id) const noexcept;
  /// What the block leaves behind; nothing where it has no points.  [audio]
  std::optional<double> last_normalised(Steinberg::Vst::ParamID id) const noexcept;

 private:
  void read(Steinberg::Vst::IParamValueQueue& queue, Param id, int block_frames) noexcept;

  const HostParameters& parameters_;
  std::map<Steinberg::Vst::ParamID, Param> ids_;
  std::array<AutomationCurve, param_count> curves_;
};

constexpr int max_channels = 16;  // of a bus

/// What plays: the processor.
class Vst3Player {
 public:
  virtual ~Vst3Player() = default;
  /// What of the host's block begins at `first_frame`, in place: stereo from lanes 0-1, and every lane is written.
  /// [audio]
  virtual void play(AudioBlock io, Vst3Automation& automation, int first_frame) noexcept = 0;
  /// The host has set the sample rate, and may ask for the latency before it activates the plugin.  [main]
  virtual void note_set_up(double sample_rate) = 0;
};

class Vst3Audio final : public Steinberg::Vst::IAudioProcessor {
 public:
  Vst3Audio(Vst3Player& player, Steinberg::Vst::IAudioProcessor& juce, const HostParameters& parameters);
  virtual ~Vst3Audio() = default;

  /// JUCE's own, which is also the play head that it gives to the processor; null outside VST3.  [main]
  static Steinberg::Vst::IAudioProcessor* juce_behind(juce::AudioPlayHead* play_head) {
    return dynamic_cast<Steinberg::Vst::IAudioProcessor*>(play_head);
  }

  Steinberg::tresult PLUGIN_API queryInterface(const Steinberg::TUID wanted, void** obj) override;
  Steinberg::uint32 PLUGIN_API addRef() override;
  Steinberg::uint32 PLUGIN_API release() override;

  Steinberg::tresult PLUGIN_API setBusArrangements(Steinberg::Vst::SpeakerArrangement* inputs,
                                                   Steinberg::int32 in_count,
                                                   Steinberg::Vst::SpeakerArrangement* outputs,
                                                   Steinberg::int32 out_count) override;
  Steinberg::tresult PLUGIN_API getBusArrangement(Steinberg::Vst::BusDirection direction, Steinberg::int32 index,
                                                  Steinberg::Vst::SpeakerArrangement& arrangement) override;
  Steinberg::tresult PLUGIN_API canProcessSampleSize(Steinberg::int32 size) override;
  Steinberg::uint32 PLUGIN_API getLatencySamples() override;
  Steinberg::tresult PLUGIN_API setupProcessing(Steinberg::Vst::ProcessSetup& setup) override;
  Steinberg::tresult PLUGIN_API setProcessing(Steinberg::TBool state) override;
  Steinberg::tresult PLUGIN_API process(Steinberg::Vst::ProcessData& data) override;
  Steinberg::uint32 PLUGIN_API getTailSamples() override;

 private:
  void play(Steinberg::Vst::ProcessData& data) noexcept;
  Steinberg::tresult follow(Steinberg::Vst::ProcessData& data);

  Vst3Player& player_;
  Steinberg::Vst::IAudioProcessor& juce_;
  Vst3Automation automation_;
  std::map<std::pair<Steinberg::Vst::BusDirection, Steinberg::int32>, Steinberg::Vst::SpeakerArrangement> accepted_;
  std::unique_ptr<Lanes> lanes_;
  int max_frames_ = 0;
};

}  // namespace forestage::plugin
