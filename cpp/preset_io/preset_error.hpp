// What reading presets, states and equalisers throws. Below all that reads, which throws it, and knows nothing of it.
#pragma once

#include <stdexcept>

namespace forestage {

/// What is wrong with a preset or a state. what() has the JSON pointer, the value, and what would be right.
class PresetError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace forestage
