// The live values of the parameter table: one atomic per row, so that any thread may write and the audio thread read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>

#include "params.hpp"

namespace forestage {

class ParamStore {
 public:
  ParamStore() noexcept {
    for (std::size_t i = 0; i < param_count; ++i) values_[i].store(params[i].default_value, std::memory_order_relaxed);
  }

  /// Takes all values of another one.  [any]
  void copy_from(const ParamStore& other) noexcept {
    for (std::size_t i = 0; i < param_count; ++i) {
      values_[i].store(other.values_[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    version_.fetch_add(1, std::memory_order_release);
  }

  /// Clamped to the table; whole numbers for choices, toggles and counts; NaN is ignored.  [any]
  void set(Param id, float value) noexcept {
    if (std::isnan(value)) return;
    const ParamSpec& row = spec(id);
    if (!has_any_value(row) || row.is_count) value = std::round(value);
    value = std::clamp(value, row.min_value, row.max_value);
    if (at(id).load(std::memory_order_relaxed) == value) return;
    at(id).store(value, std::memory_order_relaxed);
    version_.fetch_add(1, std::memory_order_release);
  }

  /// Another number after each change; values that are read after it are at least as new.  [any]
  unsigned version() const noexcept { return version_.load(std::memory_order_acquire); }

  float get(Param id) const noexcept { return values_[static_cast<std::size_t>(id)].load(std::memory_order_relaxed); }
  bool is_on(Param id) const noexcept { return get(id) >= 0.5f; }
  float fraction(Param id) const noexcept { return 0.01f * get(id); }
  template <class Enum>
  Enum choice(Param id) const noexcept {
    return static_cast<Enum>(static_cast<int>(get(id)));
  }

 private:
  std::atomic<float>& at(Param id) noexcept { return values_[static_cast<std::size_t>(id)]; }

  std::array<std::atomic<float>, param_count> values_;
  std::atomic<unsigned> version_{0};
};

}  // namespace forestage
