#include "real_time_hooks.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdlib>
#include <typeinfo>

namespace {

thread_local bool is_watched = false;
thread_local forestage::Counts counts;

template <class Function>
Function next_symbol(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

namespace forestage {

void start_watch() noexcept {
  counts = {};
  is_watched = true;
}

Counts stop_watch() noexcept {
  is_watched = false;
  return counts;
}

}  // namespace forestage

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
