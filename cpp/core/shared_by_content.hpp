// Read-only values that are dear to make and to hold, once per process: whoever asks with the same key while somebody
// holds the value gets that one. Nothing is kept for those who may come.
//
// Keys are hashes of the content (64 bits): that two of some thousand contents have the same is a matter of 1 in 10^12.
// Thread: any but the audio thread; what it releases there was held by others, too, or is given back to be freed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace forestage {

/// Of numbers one after the other.
class ContentHash {
 public:
  template <class Number>
  ContentHash& add(std::span<const Number> values) noexcept {
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    value_ = (value_ ^ std::hash<std::string_view>{}(bytes)) * 0x9e3779b97f4a7c15u;
    value_ ^= value_ >> 32;
    return *this;
  }
  ContentHash& add(std::int64_t value) noexcept { return add(std::span<const std::int64_t>(&value, 1)); }
  std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 0;
};

template <class Value>
class SharedByContent {
 public:
  /// The value of this key; `make` makes it when nobody holds one.
  template <class Make>
  std::shared_ptr<const Value> get(std::uint64_t key, Make make) {
    if (auto found = find(key)) return found;
    auto made = std::make_shared<const Value>(make());  // without the lock: others need not wait
    const std::lock_guard guard(mutex_);
    auto& place = values_[key];
    if (auto first = place.lock()) return first;
    place = made;
    std::erase_if(values_, [](const auto& entry) { return entry.second.expired(); });
    return made;
  }

 private:
  std::shared_ptr<const Value> find(std::uint64_t key) {
    const std::lock_guard guard(mutex_);
    const auto found = values_.find(key);
    return found != values_.end() ? found->second.lock() : nullptr;
  }

  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::weak_ptr<const Value>> values_;
};

}  // namespace forestage
