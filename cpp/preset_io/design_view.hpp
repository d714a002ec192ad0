// What a preset says of its design, for pictures: where the drivers and the listener are, and where sounds are heard.
// It is provenance that no sound depends on, so whatever is missing or odd is left out and never an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "preset.hpp"

namespace forestage {

struct DesignView {
  struct Driver {
    std::string name;
    double x_m, y_m;  // towards the listener, and to the listener's left
  };
  std::vector<Driver> drivers;          // empty when the places are not known, or drivers sit at the ears
  std::optional<double> body_radius_m;  // of a round device
  std::optional<double> distance_m;     // of the listener
  std::optional<double> head_radius_m;
  std::optional<double> heard_left_deg;  // by time, a sound in the left channel; positive is left
  std::optional<double> heard_right_deg;
  std::optional<double> plain_left_deg;  // the same of the unaided device
  std::optional<double> plain_right_deg;
};

/// [any but audio]
DesignView design_view(const Preset& preset);

}  // namespace forestage
