// Objects that the main thread makes and the audio thread uses: they go there by boxes, of which each holds the newest
// only, and come back to be freed.
//
//     put(box, item) [main] ──▶ box ──▶ take(box) [audio] ── uses ── give_back(item) [audio] ──▶ freed by put() [main]
//
// The audio thread neither waits nor frees. What it never took, and what it gave back, the main thread frees.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace forestage {

template <class Item, std::size_t boxes>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  /// What was taken and not given back is whose who took it.
  ~Mailbox() {
    free_returned();
    for (auto& box : boxes_) delete box.load();
  }

  /// The newest wins: what still lies in the box is freed.  [main]
  void put(std::size_t box, std::unique_ptr<Item> item) {
    free_returned();  // first: unmapping memory would disturb the audio thread as it takes the item
    delete boxes_[box].exchange(item.release(), std::memory_order_acq_rel);
  }

  bool has(std::size_t box) const noexcept { return boxes_[box].load(std::memory_order_relaxed) != nullptr; }

  /// What lies in the box, or null.  [audio]
  Item* take(std::size_t box) noexcept { return boxes_[box].exchange(nullptr, std::memory_order_acq_rel); }

  /// False when there is no room before the next put(): it is to be tried again later.  [audio]
  bool give_back(Item* item) noexcept {
    for (auto& place : returned_) {
      Item* empty = nullptr;
      if (place.compare_exchange_strong(empty, item, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

 private:
  void free_returned() {
    for (auto& place : returned_) delete place.exchange(nullptr, std::memory_order_acq_rel);
  }

  std::array<std::atomic<Item*>, boxes> boxes_{};
  std::array<std::atomic<Item*>, 2 * boxes> returned_{};
};

}  // namespace forestage
