// Parameters by the names that Python has for them.
#pragma once

#include <stdexcept>
#include <string>

#include "params.hpp"

namespace forestage::python {

inline Param find_param(const std::string& id) {
  for (std::size_t i = 0; i < param_count; ++i) {
    if (param_id(params[i]) == id) return static_cast<Param>(i);
  }
  throw std::invalid_argument("no parameter is called \"" + id + "\"");
}

}  // namespace forestage::python
