// How a long computation is stopped, from any thread.
#pragma once

#include <atomic>
#include <stdexcept>

namespace forestage::room {

using CancelFlag = std::atomic<bool>;

/// A long computation was stopped by its CancelFlag.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

inline void stop_if(const CancelFlag& cancel) {
  if (cancel.load(std::memory_order_relaxed)) throw Cancelled();
}

}  // namespace forestage::room
