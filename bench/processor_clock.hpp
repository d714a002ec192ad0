// Processor time in seconds, of this thread or of all: what else the machine does hardly moves it.
#pragma once

#include <ctime>

inline double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

inline double thread_s() { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }
inline double process_s() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }
