// The plugin as its window sees it, in whatever format it runs. All calls are the message thread's.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <memory>
#include <optional>

#include "level_tap.hpp"
#include "preset_list.hpp"
#include "session.hpp"
#include "sound_tap.hpp"

namespace forestage::plugin {

class PluginModel {
 public:
  virtual ~PluginModel() = default;

  virtual float value(Param id) const = 0;  // in the unit of the table, as all below
  /// The host hears of values between the two ends of a gesture.
  virtual void begin(Param id) = 0;
  virtual void set(Param id, float plain) = 0;
  virtual void end(Param id) = 0;
  /// For the host's own menu; null where the format has none.
  virtual const juce::AudioProcessorParameter* host_parameter(Param) const { return nullptr; }

  /// To be asked, not to be changed: `load`, `put_back` and `set_headphone_eq` tell the host, too.
  virtual const Session& session() const = 0;
  virtual std::shared_ptr<const PresetList> presets() const = 0;
  /// Looks into the user's folder again.
  virtual void reload_presets() = 0;
  /// Of what plays, in that list.
  virtual int position() const = 0;
  /// Loads a slot; the one that plays brings the knobs of the preset along. On a throw all stays as it was.
  virtual void load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) = 0;
  /// Has the slots hold these, empty ones left as they are, and leaves the knobs.
  virtual void put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen) = 0;
  /// The equaliser of the listener's headphones; throws std::exception and then keeps the one it has.
  virtual void set_headphone_eq(std::optional<HeadphoneEq> eq) = 0;

  virtual LevelTap& levels() = 0;
  virtual SoundTap& sound() = 0;
  virtual double sample_rate() const = 0;  // 0 before the host has set one
  virtual int latency_frames() const = 0;
  virtual int output_channels() const = 0;
};

}  // namespace forestage::plugin
