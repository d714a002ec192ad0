#include "shared_preset.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace forestage::plugin {

std::shared_ptr<const Preset> shared_preset(Preset preset) {
  static std::mutex mutex;
  static std::vector<std::weak_ptr<const Preset>> all;
  const std::lock_guard guard(mutex);
  std::erase_if(all, [](const auto& held) { return held.expired(); });
  for (const auto& held : all) {
    auto found = held.lock();
    if (found != nullptr && *found == preset) return found;
  }
  auto fresh = std::make_shared<const Preset>(std::move(preset));
  all.push_back(fresh);
  return fresh;
}

}  // namespace forestage::plugin
