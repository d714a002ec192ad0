// Objects that play may be called from several Python threads: their calls take turns.
//
//     take_turns(turns, call): GIL released ── wait for the turn ── call ── turn given back ── GIL taken again
//
// A thread never waits for a turn while it holds the GIL, and never for the GIL while it holds a turn, so that neither
// can lock up with the other, whatever is thrown.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <stdexcept>

namespace forestage::python {

namespace py = pybind11;

/// A mutex that notices a fork: the copy in the new process is held by a thread that was not copied, and no one would
/// ever give it back.
class Turns {
 public:
  void lock() {
    const int process = getpid();
    for (int holder = 0; !holder_.compare_exchange_weak(holder, process, std::memory_order_acquire); holder = 0) {
      if (holder == process) holder_.wait(process, std::memory_order_relaxed);
      if (holder != 0 && holder != process) {
        throw std::runtime_error(
            "another thread was inside this object when this process was forked, so it is half done; make a new one");
      }
    }
  }

  void unlock() noexcept {
    holder_.store(0, std::memory_order_release);
    holder_.notify_one();
  }

 private:
  std::atomic<int> holder_{0};  // id of the process that is inside
};

/// Runs a call that touches nothing of Python, after those of other threads that take the same turns.
template <class Call>
auto take_turns(Turns& turns, Call&& call) {
  const py::gil_scoped_release release;
  const std::scoped_lock turn(turns);  // given back before the GIL is taken again
  return call();
}

}  // namespace forestage::python
