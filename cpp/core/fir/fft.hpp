// Fast Fourier transforms of one fixed size, on FFTW (single precision).
//
//     forward   X[k] = sum_n x[n] e^{-2 pi i n k / N}        backward   x[n] = sum_k X[k] e^{+2 pi i n k / N}
//     (unnormalised)
//
// Plans come from FFTW_ESTIMATE, with what FFTW_PATIENT once found out about the lengths that matter (fft_wisdom.hpp):
// the same machine always computes the same bits, and a plan takes under 0.1 ms. Estimated plans take up to twice the
// time; FFTW_MEASURE takes 30 to 250 ms a plan and may choose differently each time.
// Construction allocates and is safe from any thread; transforms neither allocate nor lock, and may share one object.
#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

struct fftwf_plan_s;

namespace forestage {

inline constexpr std::size_t simd_alignment_bytes = 64;

template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {}  // NOLINT: allocators convert
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{simd_alignment_bytes}));
  }
  void deallocate(T* memory, std::size_t) noexcept {
    ::operator delete (memory, std::align_val_t{simd_alignment_bytes});
  }
  template <class U>
  bool operator==(const AlignedAllocator<U>&) const noexcept {
    return true;
  }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

namespace detail {
struct DestroyPlan {
  void operator()(fftwf_plan_s* plan) const noexcept;
};
using FftPlan = std::unique_ptr<fftwf_plan_s, DestroyPlan>;
}  // namespace detail

/// Complex to complex. Arrays hold frames() values, start on simd_alignment_bytes and do not overlap.
class ComplexFft {
 public:
  explicit ComplexFft(int frames);
  int frames() const noexcept { return frames_; }
  void forward(const std::complex<float>* in, std::complex<float>* out) const noexcept;
  void backward(const std::complex<float>* in, std::complex<float>* out) const noexcept;

 private:
  int frames_;
  detail::FftPlan forward_;
  detail::FftPlan backward_;
};

/// Real to the frames() / 2 + 1 bins from zero to half the sample rate, and back. Same rules.
class RealFft {
 public:
  explicit RealFft(int frames);
  int frames() const noexcept { return frames_; }
  void forward(const float* in, std::complex<float>* out) const noexcept;
  void backward(std::complex<float>* in, float* out) const noexcept;  // destroys `in`

 private:
  int frames_;
  detail::FftPlan forward_;
  detail::FftPlan backward_;
};

}  // namespace forestage
