#include "params.hpp"

#include <algorithm>
#include <cmath>

namespace forestage {

float plain_of(const ParamSpec& row, double normalised) noexcept {
  const double plain = row.min_value + std::clamp(normalised, 0.0, 1.0) * (row.max_value - row.min_value);
  if (has_any_value(row)) return static_cast<float>(plain);
  const auto step = static_cast<float>(std::round(plain));
  if (!row.was_toggle || step == 0.0f) return step;
  return step == row.max_value ? 1.0f : step + 1.0f;
}

std::string param_id(const ParamSpec& spec) {
  std::string id(spec.name);
  if (!spec.unit.empty()) id.append("_").append(spec.unit);
  std::ranges::transform(id, id.begin(), [](char c) {
    const char lower = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
    return lower == ' ' ? '_' : lower;
  });
  return id;
}

}  // namespace forestage
