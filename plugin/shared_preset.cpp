#include "shared_preset.hpp"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "state.hpp"

namespace forestage::plugin {
namespace {

struct Held {
  std::weak_ptr<const Preset> preset;
  std::shared_ptr<const std::string> packed;  // null until somebody asks
};

class HeldPresets {
 public:
  /// The first that `is_it(preset, packed)` says of; null when there is none.
  template <class IsIt>
  std::shared_ptr<const Preset> find(IsIt is_it) {
    const std::lock_guard guard(mutex_);
    return find_unlocked(is_it);
  }

  std::shared_ptr<const Preset> find_or_add(std::shared_ptr<const Preset> preset) {
    const std::lock_guard guard(mutex_);
    const auto is_it = [&](const Preset& held, const auto&) { return &held == preset.get() || held == *preset; };
    if (auto found = find_unlocked(is_it)) return found;
    all_.push_back({preset, nullptr});
    return preset;
  }

  std::shared_ptr<const std::string> packed(const std::shared_ptr<const Preset>& preset) {
    const std::lock_guard guard(mutex_);
    const auto place = place_of(preset);
    return place != all_.end() ? place->packed : nullptr;
  }

  void set_packed(const std::shared_ptr<const Preset>& preset, std::shared_ptr<const std::string> packed) {
    const std::lock_guard guard(mutex_);
    const auto place = place_of(preset);
    if (place != all_.end()) {
      place->packed = std::move(packed);
    } else {
      all_.push_back({preset, std::move(packed)});
    }
  }

 private:
  template <class IsIt>
  std::shared_ptr<const Preset> find_unlocked(IsIt is_it) {
    std::erase_if(all_, [](const Held& held) { return held.preset.expired(); });
    for (const Held& held : all_) {
      auto preset = held.preset.lock();
      if (preset != nullptr && is_it(*preset, held.packed)) return preset;
    }
    return nullptr;
  }

  std::vector<Held>::iterator place_of(const std::shared_ptr<const Preset>& preset) {
    return std::ranges::find_if(all_, [&](const Held& held) { return held.preset.lock() == preset; });
  }

  std::mutex mutex_;
  std::vector<Held> all_;
};

HeldPresets& held_presets() {
  static HeldPresets presets;
  return presets;
}

}  // namespace

std::shared_ptr<const Preset> shared_preset(std::shared_ptr<const Preset> preset) {
  return held_presets().find_or_add(std::move(preset));
}

std::shared_ptr<const Preset> held_preset(std::string_view packed) {
  return held_presets().find([&](const Preset&, const auto& held) { return held != nullptr && *held == packed; });
}

std::shared_ptr<const std::string> shared_packed(const std::shared_ptr<const Preset>& preset, std::string_view packed) {
  if (auto found = held_presets().packed(preset)) return found;
  auto made = std::make_shared<const std::string>(packed.empty() ? packed_preset(*preset) : std::string(packed));
  held_presets().set_packed(preset, made);
  return made;
}

}  // namespace forestage::plugin
