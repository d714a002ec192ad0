// Equalisers of headphones as files: parametric text (.txt) or impulse responses (.wav).
#pragma once

#include <juce_core/juce_core.h>

#include "headphone_eq.hpp"

namespace forestage::plugin {

/// Throws std::exception with a message a user can act on.  [any but audio]
HeadphoneEq load_headphone_eq(const juce::File& file);

}  // namespace forestage::plugin
