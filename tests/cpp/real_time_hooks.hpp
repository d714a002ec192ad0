// Counts what the audio thread must not do. The program's own malloc, pthread_mutex_lock, pthread_cond_wait and
// __cxa_throw stand in front of the real ones, for this binary and for every shared library it loads. Under the address
// and thread sanitizers their allocators report; the real-time sanitizer has hooks of its own, and nothing is counted.
#pragma once

namespace forestage {

struct Counts {
  int allocations = 0;  // and frees
  int locks = 0;
  int throws = 0;

  int total() const { return allocations + locks + throws; }
  Counts& operator+=(const Counts& other) {
    allocations += other.allocations;
    locks += other.locks;
    throws += other.throws;
    return *this;
  }
};

/// Whether anything is counted.
bool is_counting() noexcept;

/// Everything this thread does between the two calls is counted.
void start_watch() noexcept;
Counts stop_watch() noexcept;

/// Counts what a call does.
template <class Call>
Counts watch(Call&& call) {
  start_watch();
  call();
  return stop_watch();
}

}  // namespace forestage
