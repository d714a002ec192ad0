// Two threads and a mailbox: every item is whole when it is taken, none is taken twice or after a newer one of its box,
// all are freed once, and none by the thread that plays. Run under the thread sanitizer as well (preset tsan).
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>

#include "mailbox.hpp"

namespace {

constexpr std::size_t boxes = 2;
constexpr int enough = 1000;

std::atomic<int> alive{0};
std::atomic<int> freed_by_audio{0};
std::thread::id audio_thread;

struct Item {
  explicit Item(int round) : number(round) {
    std::iota(content.begin(), content.end(), round);
    ++alive;
  }
  ~Item() {
    if (std::this_thread::get_id() == audio_thread) ++freed_by_audio;
    --alive;
  }
  bool is_whole() const {
    for (std::size_t i = 0; i < content.size(); ++i) {
      if (content[i] != number + static_cast<int>(i)) return false;
    }
    return true;
  }

  int number;
  std::array<int, 64> content{};
};

}  // namespace

int main() {
  std::atomic<int> taken{0};
  int wrong = 0;
  int newest = 0;
  std::array<int, boxes> last{};
  {
    forestage::Mailbox<Item, boxes> mailbox;
    std::array<Item*, boxes> live{};
    Item* leaving = nullptr;
    std::atomic<bool> is_ready{false};
    std::atomic<bool> is_done{false};
    std::thread audio([&] {
      while (!is_ready.load(std::memory_order_acquire)) std::this_thread::yield();
      for (bool is_last = false; !is_last;) {
        is_last = is_done.load(std::memory_order_acquire);  // before the boxes: what was put before it is still taken
        for (std::size_t box = 0; box < boxes; ++box) {
          if (leaving != nullptr && mailbox.give_back(leaving)) leaving = nullptr;
          if (!mailbox.has(box)) continue;
          if (leaving != nullptr) {
            is_last = false;
            continue;
          }
          Item* fresh = mailbox.take(box);
          wrong += !fresh->is_whole() || fresh->number <= last[box];
          last[box] = fresh->number;
          ++taken;
          leaving = std::exchange(live[box], fresh);
        }
        for (const Item* item : live) wrong += item != nullptr && !item->is_whole();
      }
    });
    audio_thread = audio.get_id();
    is_ready.store(true, std::memory_order_release);
    while (taken < enough) {
      ++newest;
      mailbox.put(static_cast<std::size_t>(newest) % boxes, std::make_unique<Item>(newest));
      std::this_thread::yield();
    }
    is_done.store(true, std::memory_order_release);
    audio.join();
    for (const Item* item : live) delete item;
    delete leaving;
  }
  const bool has_newest = std::max(last[0], last[1]) == newest && std::min(last[0], last[1]) == newest - 1;
  std::printf("mailbox: %d of %d taken, %d wrong, %d left, %d freed by audio, newest %s\n", taken.load(), newest, wrong,
              alive.load(), freed_by_audio.load(), has_newest ? "taken" : "LOST");
  return wrong == 0 && alive == 0 && freed_by_audio == 0 && has_newest ? 0 : 1;
}
