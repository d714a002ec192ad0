#include "parameter_text.hpp"

#include <algorithm>
#include <cmath>

namespace forestage::plugin {
namespace {

bool has_any_value(const ParamSpec& spec) { return spec.kind == ParamKind::linear || spec.kind == ParamKind::meter; }

}  // namespace

juce::String to_juce(std::string_view text) {
  return juce::String::fromUTF8(text.data(), static_cast<int>(text.size()));
}

juce::StringArray texts_of(const ParamSpec& spec) {
  if (spec.kind == ParamKind::toggle) return {"Off", "On"};
  juce::StringArray texts;
  for (const auto choice : spec.choices) texts.add(to_juce(choice));
  return texts;
}

juce::String text_of(const ParamSpec& spec, float plain) {
  if (!has_any_value(spec)) return texts_of(spec)[static_cast<int>(std::lround(plain))];
  const float rounded = std::round(plain * 100.0f) / 100.0f;
  const juce::String text(rounded == 0.0f ? 0.0f : rounded, 2);  // no "-0.00"
  return text.trimCharactersAtEnd("0").trimCharactersAtEnd(".");
}

std::optional<float> value_of(const ParamSpec& spec, const juce::String& text) {
  if (!has_any_value(spec)) {
    const int index = texts_of(spec).indexOf(text.trim(), true);
    return index < 0 ? std::nullopt : std::optional(static_cast<float>(index));
  }
  const float value = text.containsAnyOf("0123456789") ? text.trim().getFloatValue() : NAN;  // JUCE reads "nan1" as NaN
  return std::isnan(value) ? std::nullopt : std::optional(std::clamp(value, spec.min_value, spec.max_value));
}

}  // namespace forestage::plugin
