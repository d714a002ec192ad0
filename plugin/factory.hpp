// The presets that are compiled into the plugin: its programs. Parsed once per process and shared by all instances.
#pragma once

#include <memory>
#include <vector>

#include "preset.hpp"

namespace forestage::plugin {

class FactoryPresets {
 public:
  FactoryPresets();  // [main] a broken file cannot get here: it would fail the tests of the presets

  int count() const noexcept { return static_cast<int>(all_.size()); }
  std::shared_ptr<const Preset> operator[](int index) const { return all_[static_cast<std::size_t>(index)]; }
  /// Which factory preset this is, to the last tap; count() if it is none of them.  [any but audio]
  int index_of(const Preset& preset) const;

 private:
  std::vector<std::shared_ptr<const Preset>> all_;
};

}  // namespace forestage::plugin
