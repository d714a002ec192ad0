// Values as a user reads and types them.
#pragma once

#include <juce_core/juce_core.h>

#include <optional>

#include "params.hpp"

namespace forestage::plugin {

juce::String to_juce(std::string_view text);

/// Texts of a row with a few values, in order.
juce::StringArray texts_of(const ParamSpec& spec);
/// Without the unit, because hosts append it.
juce::String text_of(const ParamSpec& spec, float plain);
/// Nothing where the text says nothing.
std::optional<float> value_of(const ParamSpec& spec, const juce::String& text);

}  // namespace forestage::plugin
