#include "parameter_text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

namespace forestage::plugin {

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
  if (spec.is_count) return juce::String(std::lround(plain));
  const long hundredths = std::lround(plain * 100.0f);  // pedalboard asks for thousands of them when it loads
  const long rest = std::abs(hundredths) % 100;
  std::string text = (hundredths < 0 ? "-" : "") + std::to_string(std::abs(hundredths) / 100);
  if (rest != 0) text += {'.', static_cast<char>('0' + rest / 10)};
  if (rest % 10 != 0) text += static_cast<char>('0' + rest % 10);
  return text;
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
