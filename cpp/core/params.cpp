#include "params.hpp"

#include <algorithm>

namespace forestage {

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
