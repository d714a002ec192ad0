#include "design_view.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

namespace forestage {
namespace {

using nlohmann::json;

const json* find(const json* node, const char* key) {
  if (node == nullptr || !node->is_object()) return nullptr;
  const auto found = node->find(key);
  return found == node->end() ? nullptr : &*found;
}

template <class... Keys>
std::optional<double> number(const json* node, Keys... keys) {
  ((node = find(node, keys)), ...);
  if (node == nullptr || !node->is_number() || !std::isfinite(node->get<double>())) return std::nullopt;
  return node->get<double>();
}

/// Of a point in the open, or a cap on a body.
std::optional<DesignView::Driver> place_of(const json& driver, std::optional<double> body_radius_m) {
  const json* name = find(&driver, "name");
  DesignView::Driver placed{name != nullptr && name->is_string() ? name->get<std::string>() : "", 0.0, 0.0};
  const json* position = find(&driver, "position_m");
  if (position != nullptr && position->is_array() && position->size() >= 2 && (*position)[0].is_number() &&
      (*position)[1].is_number()) {
    placed.x_m = (*position)[0].get<double>();
    placed.y_m = (*position)[1].get<double>();
    return placed;
  }
  const auto azimuth_deg = number(&driver, "azimuth_deg");
  if (!azimuth_deg || !body_radius_m) return std::nullopt;
  constexpr double radians = std::numbers::pi / 180.0;
  const double radius_m = *body_radius_m * std::cos(number(&driver, "elevation_deg").value_or(0.0) * radians);
  placed.x_m = radius_m * std::cos(*azimuth_deg * radians);
  placed.y_m = radius_m * std::sin(*azimuth_deg * radians);
  return placed;
}

}  // namespace

DesignView design_view(const Preset& preset) {
  DesignView view;
  const json tree = json::parse(preset.design_json, nullptr, false);
  const json* device = find(&tree, "device");
  view.body_radius_m = number(device, "body", "radius_m");
  view.distance_m = number(device, "listener", "distance_m");
  view.head_radius_m = number(device, "listener", "head_radius_m");
  const json* width = find(find(&tree, "metrics"), "width");
  view.heard_left_deg = number(width, "azimuth_by_time_deg", "processed");
  view.heard_right_deg = number(width, "right_azimuth_by_time_deg", "processed");
  view.plain_left_deg = number(width, "azimuth_by_time_deg", "plain");
  view.plain_right_deg = number(width, "right_azimuth_by_time_deg", "plain");
  if (const json* drivers = find(device, "driver"); drivers != nullptr && drivers->is_array()) {
    for (const json& driver : *drivers) {
      if (auto placed = place_of(driver, view.body_radius_m)) view.drivers.push_back(std::move(*placed));
    }
  }
  if (view.drivers.size() != preset.drivers.size()) view.drivers.clear();
  return view;
}

}  // namespace forestage
