#include "real_time_hooks.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdlib>
#include <typeinfo>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FORESTAGE_SANITIZER_ALLOCATES
#elif defined(__has_feature)
#if __has_feature(realtime_sanitizer)
#define FORESTAGE_SANITIZER_WATCHES
#endif
#endif

namespace {

thread_local bool is_watched = false;
thread_local forestage::Counts counts;

}  // namespace

namespace forestage {

bool is_counting() noexcept {
#ifdef FORESTAGE_SANITIZER_WATCHES
  return false;
#else
  return true;
#endif
}

void start_watch() noexcept {
  counts = {};
  is_watched = true;
}

Counts stop_watch() noexcept {
  is_watched = false;
  return counts;
}

}  // namespace forestage

#if defined(FORESTAGE_SANITIZER_ALLOCATES)

extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));

namespace {

void count_malloc(const volatile void*, std::size_t) {
  if (is_watched) ++counts.allocations;
}
void count_free(const volatile void* memory) {
  if (is_watched && memory != nullptr) ++counts.allocations;
}
[[maybe_unused]] const int has_hooks = __sanitizer_install_malloc_and_free_hooks(&count_malloc, &count_free);

}  // namespace

#elif !defined(FORESTAGE_SANITIZER_WATCHES)

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) {
  if (is_watched) ++counts.allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  if (is_watched) ++counts.allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  if (is_watched) ++counts.allocations;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  if (is_watched) ++counts.allocations;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  *memory = aligned_alloc(alignment, bytes);
  return *memory == nullptr ? 12 : 0;
}
void free(void* memory) {
  if (is_watched && memory != nullptr) ++counts.allocations;
  __libc_free(memory);
}

}  // extern "C"

#endif

#ifndef FORESTAGE_SANITIZER_WATCHES

namespace {

template <class Function>
Function next_symbol(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  if (is_watched) ++counts.locks;
  static const auto real = next_symbol<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  return real(mutex);
}
int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (is_watched) ++counts.locks;
  static const auto real = next_symbol<int (*)(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
  return real(condition, mutex);
}

[[noreturn]] void __cxa_throw(void* thrown, std::type_info* type, void (*destroy)(void*)) {
  if (is_watched) ++counts.throws;
  static const auto real = next_symbol<void (*)(void*, std::type_info*, void (*)(void*))>("__cxa_throw");
  real(thrown, type, destroy);
  std::abort();
}

}  // extern "C"

#endif
