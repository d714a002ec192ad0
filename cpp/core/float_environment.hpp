// Denormals cost hundreds of cycles each; the audio thread rounds them to zero while it runs.
#pragma once

#if defined(__SSE__)
#include <immintrin.h>
#endif

namespace forestage {

class FlushToZero {
 public:
#if defined(__SSE__)
  FlushToZero() noexcept : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040u); }  // FTZ and DAZ
  ~FlushToZero() { _mm_setcsr(saved_); }
#elif defined(__aarch64__)
  FlushToZero() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" : : "r"(saved_ | (1ull << 24)));
  }
  ~FlushToZero() { asm volatile("msr fpcr, %0" : : "r"(saved_)); }
#endif
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
#if defined(__aarch64__)
  unsigned long long saved_ = 0;
#else
  unsigned int saved_ = 0;
#endif
};

}  // namespace forestage
