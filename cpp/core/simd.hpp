// Vectors of floats for inner loops that are compiled for several instruction sets. The bodies are templates over a
// vector type, inlined into one function per instruction set; which of them runs is chosen once, by `has_avx2()` and,
// for what the chain spends most of its time in, `has_avx512()`.
// Plain function pointers instead of ifunc, so that modules loaded with dlopen and sanitizer builds work alike.
#pragma once

#include <cmath>
#include <cstdlib>
#include <cstring>

#if defined(__GNUC__) || defined(__clang__)
#define FORESTAGE_INLINE [[gnu::always_inline]] inline
#if defined(__x86_64__)
#define FORESTAGE_HAS_AVX2 1
#if defined(__clang__)
#define FORESTAGE_AVX2 __attribute__((target("avx2,fma")))
#define FORESTAGE_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))
#else
// -std=c++20 turns fused multiply-add off in GCC; in these loops it is what makes them fast.
#define FORESTAGE_AVX2 __attribute__((target("avx2,fma"), optimize("fp-contract=fast")))
#define FORESTAGE_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"), optimize("fp-contract=fast")))
#endif
#endif
#else
#define FORESTAGE_INLINE inline
#endif
#if !defined(FORESTAGE_HAS_AVX2)
#define FORESTAGE_AVX2
#define FORESTAGE_AVX512
#endif

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // what returns a vector here is inlined and has no calling convention
#endif

namespace forestage::simd {

// A vector of 4, 8 or 16 floats, or one float where the compiler knows no vectors. Vectors wider than the registers of
// the target would be correct too, but GCC sends them through memory.
#if defined(__GNUC__) || defined(__clang__)
typedef float Vector4 __attribute__((vector_size(16)));
typedef float Vector8 __attribute__((vector_size(32)));
typedef float Vector16 __attribute__((vector_size(64)));
using Baseline = Vector4;
#else
using Baseline = float;
#endif
#if defined(FORESTAGE_HAS_AVX2)
using Wide = Vector8;
using Widest = Vector16;
#else
using Wide = Baseline;  // there is one set of loops, three times
using Widest = Baseline;
#endif

template <class V>
inline constexpr int width = static_cast<int>(sizeof(V) / sizeof(float));

// Vectors travel by reference: by value they would change the calling convention with the instruction set.
template <class V>
FORESTAGE_INLINE void load(V& to, const float* from) {
  std::memcpy(&to, from, sizeof(V));
}
/// For what is used several times: GCC would load it again for each.
template <class V>
FORESTAGE_INLINE void load_once(V& to, const float* from) {
  load(to, from);
#if defined(FORESTAGE_HAS_AVX2) && !defined(__clang__)
  asm("" : "+v"(to));
#endif
}
template <class V>
FORESTAGE_INLINE void store(float* to, const V& from) {
  std::memcpy(to, &from, sizeof(V));
}

/// Two vectors, element by element in turns.
template <class V>
FORESTAGE_INLINE void interleave(const V& a, const V& b, V& low, V& high) {
  low = a;
  high = b;
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (width<V> == 16) {
    low = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    high = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  } else if constexpr (width<V> == 8) {
    low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    high = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  } else if constexpr (width<V> == 4) {
    low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  }
#endif
}
template <class V>
FORESTAGE_INLINE void interleave(float* to, const V& a, const V& b) {
  V low, high;
  interleave(a, b, low, high);
  store(to, low);
  store(to + width<V>, high);
}

template <class V>
FORESTAGE_INLINE void deinterleave(const V& low, const V& high, V& a, V& b) {
  a = low;
  b = high;
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (width<V> == 16) {
    a = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    b = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  } else if constexpr (width<V> == 8) {
    a = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14);
    b = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
  } else if constexpr (width<V> == 4) {
    a = __builtin_shufflevector(low, high, 0, 2, 4, 6);
    b = __builtin_shufflevector(low, high, 1, 3, 5, 7);
  }
#endif
}
template <class V>
FORESTAGE_INLINE void deinterleave(const float* from, V& a, V& b) {
  V low, high;
  load(low, from);
  load(high, from + width<V>);
  deinterleave(low, high, a, b);
}

/// The same in an order of elements that takes one instruction each, and that join() undoes.
template <class V>
FORESTAGE_INLINE void split(const V& low, const V& high, V& a, V& b) {
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (width<V> == 8) {
    a = __builtin_shufflevector(low, high, 0, 2, 8, 10, 4, 6, 12, 14);
    b = __builtin_shufflevector(low, high, 1, 3, 9, 11, 5, 7, 13, 15);
    return;
  }
#endif
  deinterleave(low, high, a, b);
}
template <class V>
FORESTAGE_INLINE void join(const V& a, const V& b, V& low, V& high) {
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (width<V> == 8) {
    low = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
    high = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
    return;
  }
#endif
  interleave(a, b, low, high);
}

/// A vector whose halves lie apart.
template <class V>
FORESTAGE_INLINE void load_halves(V& to, const float* first, const float* second) {
  std::memcpy(&to, first, sizeof(V) / 2);
  std::memcpy(reinterpret_cast<char*>(&to) + sizeof(V) / 2, second, sizeof(V) / 2);
}
template <class V>
FORESTAGE_INLINE void store_halves(float* first, float* second, const V& from) {
  std::memcpy(first, &from, sizeof(V) / 2);
  std::memcpy(second, reinterpret_cast<const char*>(&from) + sizeof(V) / 2, sizeof(V) / 2);
}
#if defined(FORESTAGE_HAS_AVX2)  // the same without a way through memory
FORESTAGE_INLINE void load_halves(Vector16& to, const float* first, const float* second) {
  Vector8 low, high;
  load(low, first);
  load(high, second);
  to = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
FORESTAGE_INLINE void store_halves(float* first, float* second, const Vector16& from) {
  store<Vector8>(first, __builtin_shufflevector(from, from, 0, 1, 2, 3, 4, 5, 6, 7));
  store<Vector8>(second, __builtin_shufflevector(from, from, 8, 9, 10, 11, 12, 13, 14, 15));
}
#endif

/// Of all elements, by halves.
template <class V>
FORESTAGE_INLINE float sum(const V& values) {
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (width<V> == 16) {
    return sum<Vector8>(__builtin_shufflevector(values, values, 0, 1, 2, 3, 4, 5, 6, 7) +
                        __builtin_shufflevector(values, values, 8, 9, 10, 11, 12, 13, 14, 15));
  } else if constexpr (width<V> == 8) {
    return sum<Vector4>(__builtin_shufflevector(values, values, 0, 1, 2, 3) +
                        __builtin_shufflevector(values, values, 4, 5, 6, 7));
  } else if constexpr (width<V> == 4) {
    const V pairs = values + __builtin_shufflevector(values, values, 2, 3, 0, 1);
    return pairs[0] + pairs[1];
  }
#endif
  float first;
  std::memcpy(&first, &values, sizeof(first));
  return first;
}

/// Sum of the products of `count` pairs, whole runs of `dot_lanes`: sums that do not wait for each other, by halves.
inline constexpr int dot_lanes = 16;
template <class V>
FORESTAGE_INLINE float dot(const float* a, const float* b, long count) {
  constexpr int vectors = dot_lanes / width<V>;
  V sums[vectors] = {};
  for (long k = 0; k < count; k += dot_lanes) {
    for (int n = 0; n < vectors; ++n) {
      V x, y;
      load(x, a + k + n * width<V>);
      load(y, b + k + n * width<V>);
      sums[n] += x * y;
    }
  }
  for (int half = vectors / 2; half > 0; half /= 2) {
    for (int n = 0; n < half; ++n) sums[n] += sums[n + half];
  }
  return sum(sums[0]);
}

/// `places`, 1 or 2, elements of `before`, which has the same in all, and `values` from their first on.
template <int places, class V>
FORESTAGE_INLINE V later(const V& before, const V& values) {
#if defined(__GNUC__) || defined(__clang__)
  if constexpr (width<V> == 4 && places == 1) {
    const V turned = __builtin_shufflevector(values, values, 3, 0, 1, 2);  // with SSE2 all in one step takes four
    return __builtin_shufflevector(turned, before, 4, 1, 2, 3);
  } else if constexpr (width<V> == 4) {
    return __builtin_shufflevector(before, values, 0, 1, 4, 5);
  }
#endif
  static_cast<void>(values);
  return before;
}

template <class V>
FORESTAGE_INLINE float last(const V& values) {
  if constexpr (width<V> != 1) {
    return values[width<V> - 1];
  } else {
    return values;
  }
}

template <class V>
FORESTAGE_INLINE V min(const V& a, const V& b) {
  return a < b ? a : b;
}
template <class V>
FORESTAGE_INLINE V max(const V& a, const V& b) {
  return a > b ? a : b;
}
template <class V>
FORESTAGE_INLINE V clamp(const V& value, const V& least, const V& most) {
  return min<V>(max<V>(value, least), most);
}
/// One element after the other: for what nobody waits for.
template <class V>
FORESTAGE_INLINE V sqrt(const V& value) {
  float elements[width<V>];
  store(elements, value);
  for (float& element : elements) element = std::sqrt(element);
  V result;
  load(result, elements);
  return result;
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

/// Whether FORESTAGE_SIMD in the environment says so, which is for comparing the loops.
inline bool is_wanted(const char* set) noexcept {
  const char* wanted = std::getenv("FORESTAGE_SIMD");
  return wanted != nullptr && std::strcmp(wanted, set) == 0;
}

/// Whether loops for AVX2 run: the processor has it, and FORESTAGE_SIMD is not "baseline". Settled at the first call.
/// [any thread]
inline bool has_avx2() noexcept {
#if defined(FORESTAGE_HAS_AVX2)
  static const bool has = [] {
    __builtin_cpu_init();
    return !is_wanted("baseline") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  }();
  return has;
#else
  return false;
#endif
}

/// The same for AVX-512, where FORESTAGE_SIMD is not "avx2" either.  [any thread]
inline bool has_avx512() noexcept {
#if defined(FORESTAGE_HAS_AVX2)
  static const bool has = has_avx2() && !is_wanted("avx2") && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return has;
#else
  return false;
#endif
}

/// Of the same loops, or tables of them, the ones that this processor is to run.  [any thread]
template <class Table>
const Table& best(const Table& baseline, const Table& avx2) noexcept {
  return has_avx2() ? avx2 : baseline;
}
template <class Table>
const Table& best(const Table& baseline, const Table& avx2, const Table& avx512) noexcept {
  return has_avx512() ? avx512 : best(baseline, avx2);
}

}  // namespace forestage::simd
