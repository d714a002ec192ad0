#include "parameters.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "parameter_text.hpp"

namespace forestage::plugin {
namespace {

juce::ParameterID id_of(const ParamSpec& spec) { return {to_juce(param_id(spec)), 1}; }

juce::AudioProcessorParameterWithIDAttributes attributes_of(const ParamSpec& spec) {
  const auto attributes = juce::AudioProcessorParameterWithIDAttributes().withLabel(to_juce(spec.unit));
  if (!is_read_only(spec)) return attributes;
  return attributes.withAutomatable(false).withCategory(
      juce::AudioProcessorParameter::otherMeter);  // VST3: kIsReadOnly
}

}  // namespace

LinearParameter::LinearParameter(const ParamSpec& spec)
    : juce::RangedAudioParameter(id_of(spec), to_juce(spec.name), attributes_of(spec)),
      spec_(spec),
      range_(spec.min_value, spec.max_value),
      value_(spec.default_value) {}

void LinearParameter::setValue(float normalised) {
  if (is_read_only(spec_) || std::isnan(normalised)) return;
  value_.store(convertFrom0to1(normalised), std::memory_order_relaxed);
}

juce::String LinearParameter::getText(float normalised, int maximum_length) const {
  const auto text = text_of(spec_, convertFrom0to1(usable(normalised, getValue())));
  return maximum_length > 0 ? text.substring(0, maximum_length) : text;
}

float LinearParameter::getValueForText(const juce::String& text) const {
  const auto value = value_of(spec_, text);
  return value ? convertTo0to1(*value) : getValue();
}

ChoiceParameter::ChoiceParameter(const ParamSpec& spec)
    : juce::AudioProcessorParameterWithID(id_of(spec), to_juce(spec.name), attributes_of(spec)),
      spec_(spec),
      texts_(texts_of(spec)),
      index_(static_cast<int>(spec.default_value)) {}

int ChoiceParameter::index_of(float normalised) const noexcept {
  return static_cast<int>(plain_of(spec_, usable(normalised, getValue())));
}

void ChoiceParameter::setValue(float normalised) {
  if (is_read_only(spec_) || std::isnan(normalised)) return;
  index_.store(index_of(normalised), std::memory_order_relaxed);
}

juce::String ChoiceParameter::getText(float normalised, int maximum_length) const {
  const auto& text = texts_[index_of(normalised)];
  return maximum_length > 0 ? text.substring(0, maximum_length) : text;
}

float ChoiceParameter::getValueForText(const juce::String& text) const {
  const auto index = value_of(spec_, text);
  return index ? normalised(spec_, *index) : getValue();
}

HostParameters::HostParameters(juce::AudioProcessor& owner) {
  for (std::size_t i = 0; i < param_count; ++i) {
    if (has_any_value(params[i])) {
      auto parameter = std::make_unique<LinearParameter>(params[i]);
      all_[i] = linear_[i] = parameter.get();
      owner.addParameter(parameter.release());
    } else {
      auto parameter = std::make_unique<ChoiceParameter>(params[i]);
      all_[i] = choice_[i] = parameter.get();
      owner.addParameter(parameter.release());
    }
  }
}

float HostParameters::plain(Param id) const noexcept {
  const auto i = static_cast<std::size_t>(id);
  return linear_[i] != nullptr ? linear_[i]->plain() : choice_[i]->plain();
}

void HostParameters::set(Param id, float plain_value) {
  const ParamSpec& row = spec(id);
  auto& parameter = (*this)[id];
  parameter.beginChangeGesture();
  parameter.setValueNotifyingHost(normalised(row, plain_value));
  parameter.endChangeGesture();
}

void HostParameters::copy_to(Engine& engine) const noexcept {
  for (std::size_t i = 0; i < param_count; ++i) {
    if (is_read_only(params[i])) continue;
    const auto id = static_cast<Param>(i);
    engine.set_param(id, plain(id));
  }
}

bool HostParameters::show(Param id, float plain_value) {
  const auto i = static_cast<std::size_t>(id);
  const bool is_new =
      linear_[i] != nullptr ? linear_[i]->show(plain_value) : choice_[i]->show(static_cast<int>(plain_value));
  if (is_new) all_[i]->sendValueChangedMessageToListeners(all_[i]->getValue());
  return is_new;
}

ParamValues HostParameters::values() const noexcept {
  ParamValues values{};
  for (std::size_t i = 0; i < param_count; ++i) values[i] = plain(static_cast<Param>(i));
  return values;
}

}  // namespace forestage::plugin
