// The parameter table as JUCE parameters. The id, the name, the range, the unit and the texts come from params.hpp.
//
// Linear rows are ranged parameters. Toggles and choices hold an index, so that nothing between two steps is kept.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "engine.hpp"
#include "params.hpp"
#include "session.hpp"

namespace forestage::plugin {

/// A normalised value as it may be used, whatever a host has sent: within 0 to 1, and `current` for NaN.
inline float usable(float normalised, float current) noexcept {
  return std::isnan(normalised) ? current : std::clamp(normalised, 0.0f, 1.0f);
}

/// A row with any value in its range; its text carries no unit, because hosts append the label.
class LinearParameter final : public juce::RangedAudioParameter {
 public:
  explicit LinearParameter(const ParamSpec& spec);

  float plain() const noexcept { return value_.load(std::memory_order_relaxed); }
  /// As in ChoiceParameter.
  bool show(float value) noexcept { return value_.exchange(value, std::memory_order_relaxed) != value; }

  const juce::NormalisableRange<float>& getNormalisableRange() const override { return range_; }
  float getValue() const override { return convertTo0to1(plain()); }
  void setValue(float normalised) override;
  float getDefaultValue() const override { return convertTo0to1(spec_.default_value); }
  juce::String getText(float normalised, int maximum_length) const override;
  float getValueForText(const juce::String& text) const override;

 private:
  const ParamSpec& spec_;
  juce::NormalisableRange<float> range_;
  std::atomic<float> value_;
};

/// A toggle, a choice or a read-only status: one of a few texts.
class ChoiceParameter final : public juce::AudioProcessorParameterWithID {
 public:
  explicit ChoiceParameter(const ParamSpec& spec);

  float plain() const noexcept { return static_cast<float>(index_.load(std::memory_order_relaxed)); }
  /// The engine's way in, also for a read-only row. True when the value is a new one.  [any]
  bool show(int index) noexcept { return index_.exchange(index, std::memory_order_relaxed) != index; }

  float getValue() const override { return normalised(spec_, plain()); }
  void setValue(float normalised) override;
  float getDefaultValue() const override { return normalised(spec_, spec_.default_value); }
  int getNumSteps() const override { return texts_.size(); }
  bool isDiscrete() const override { return true; }
  bool isBoolean() const override { return spec_.kind == ParamKind::toggle; }
  juce::String getText(float normalised, int maximum_length) const override;
  float getValueForText(const juce::String& text) const override;

 private:
  int index_of(float normalised) const noexcept;

  const ParamSpec& spec_;
  juce::StringArray texts_;
  std::atomic<int> index_;
};

/// All rows of the table, owned by the processor they are added to.
class HostParameters {
 public:
  explicit HostParameters(juce::AudioProcessor& owner);

  juce::AudioProcessorParameter& operator[](Param id) const noexcept { return *all_[static_cast<std::size_t>(id)]; }

  /// In the unit of the table.  [any]
  float plain(Param id) const noexcept;
  /// Sets the value and tells the host.  [any but audio]
  void set(Param id, float plain_value);
  /// One atomic store per row; runs before each block, so that only the audio thread touches a live engine.  [audio]
  void copy_to(Engine& engine) const noexcept;
  /// The engine's way in to a read-only row, which tells the host of a new value: true for one. JUCE's notice takes a
  /// lock.  [any but audio]
  bool show(Param id, float plain_value);

  /// Every row in the unit of the table.  [any]
  ParamValues values() const noexcept;

 private:
  std::array<juce::AudioProcessorParameter*, param_count> all_{};
  std::array<LinearParameter*, param_count> linear_{};  // null where the row is a choice
  std::array<ChoiceParameter*, param_count> choice_{};  // null where the row is linear
};

}  // namespace forestage::plugin
