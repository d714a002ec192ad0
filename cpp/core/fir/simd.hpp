// Vectors of floats for inner loops that are compiled for several instruction sets. The bodies are templates over a
// vector type, inlined into one function per instruction set; which of them runs is chosen once, by `has_avx2()`.
// Plain function pointers instead of ifunc, so that modules loaded with dlopen and sanitizer builds work alike.
#pragma once

#include <cstring>

#if defined(__GNUC__) || defined(__clang__)
#define FORESTAGE_INLINE [[gnu::always_inline]] inline
#if defined(__x86_64__)
#define FORESTAGE_HAS_AVX2 1
#if defined(__clang__)
#define FORESTAGE_AVX2 __attribute__((target("avx2,fma")))
#else
// -std=c++20 turns fused multiply-add off in GCC; in these loops it is what makes them fast.
#define FORESTAGE_AVX2 __attribute__((target("avx2,fma"), optimize("fp-contract=fast")))
#endif
#endif
#else
#define FORESTAGE_INLINE inline
#endif

namespace forestage::simd {

// A vector of 4 or 8 floats, or one float where the compiler knows no vectors. Vectors wider than the registers of the
// target would be correct too, but GCC sends them through memory.
#if defined(__GNUC__) || defined(__clang__)
typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector8 __attribute__((vector_size(32)));
using Baseline = Vector4;
#else
using Baseline = float;
#endif

template <class V>
inline constexpr int width = static_cast<int>(sizeof(V) / sizeof(float));

// Vectors travel by reference: by value they would change the calling convention with the instruction set.
template <class V>
FORESTAGE_INLINE void load(V& to, const float* from) {
  std::memcpy(&to, from, sizeof(V));
}
template <class V>
FORESTAGE_INLINE void store(float* to, const V& from) {
  std::memcpy(to, &from, sizeof(V));
}

/// `vectors` neighbouring vectors that compilers keep in registers; arrays of arrays they spill.
template <class V, int vectors>
struct Run {
  V first{};
  Run<V, vectors - 1> rest{};

  FORESTAGE_INLINE void read(const float* from) {
    load(first, from);
    rest.read(from + width<V>);
  }
  FORESTAGE_INLINE void add(const Run& other) {
    first += other.first;
    rest.add(other.rest);
  }
  FORESTAGE_INLINE void add_scaled(const Run& other, float gain) {
    first += other.first * gain;
    rest.add_scaled(other.rest, gain);
  }
  FORESTAGE_INLINE void write(float* to) const {
    store(to, first);
    rest.write(to + width<V>);
  }
};
template <class V>
struct Run<V, 0> {
  FORESTAGE_INLINE void read(const float*) {}
  FORESTAGE_INLINE void add(const Run&) {}
  FORESTAGE_INLINE void add_scaled(const Run&, float) {}
  FORESTAGE_INLINE void write(float*) const {}
};

/// [any thread]
inline bool has_avx2() noexcept {
#if defined(FORESTAGE_HAS_AVX2)
  static const bool has = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }();
  return has;
#else
  return false;
#endif
}

}  // namespace forestage::simd
