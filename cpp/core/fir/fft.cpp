#include "fft.hpp"

#include <fftw3.h>

#include <stdexcept>
#include <string>

#include "fft_wisdom.hpp"
#include "simd.hpp"

// FFTW asks these which of its transforms may run, and takes ours before those of its archive: so the processor is
// asked in one place, and FORESTAGE_SIMD goes for transforms too. An FFTW without these instructions does not ask.
extern "C" {
int fftwf_have_simd_avx2() { return forestage::simd::has_avx2() ? 1 : 0; }
int fftwf_have_simd_avx2_128() { return fftwf_have_simd_avx2(); }
int fftwf_have_simd_avx512() { return forestage::simd::has_avx512() ? 1 : 0; }
}

namespace forestage {
namespace {

// FFTW's planner has global state; this makes it safe when two instances are built at once, and gives it what it would
// find out by trying, of which it takes what was found out with the same instructions; without any it estimates.
void prepare_planner() {
  static const bool done = [] {
    fftwf_make_planner_thread_safe();
    for (const char* wisdom : {fft_wisdom_avx512, fft_wisdom_avx2, fft_wisdom_avx}) {
      fftwf_import_wisdom_from_string(wisdom);
    }
    return true;
  }();
  static_cast<void>(done);
}

detail::FftPlan checked(fftwf_plan plan, int frames) {
  if (plan == nullptr)
    throw std::runtime_error("FFTW cannot plan a transform of " + std::to_string(frames) + " frames");
  return detail::FftPlan(plan);
}

int checked_frames(int frames) {
  if (frames < 1) throw std::invalid_argument("a transform has at least 1 frame, not " + std::to_string(frames));
  prepare_planner();
  return frames;
}

// std::complex<float> and fftwf_complex have the same layout by the C++ standard.
fftwf_complex* as_fftw(const std::complex<float>* values) {
  return reinterpret_cast<fftwf_complex*>(const_cast<std::complex<float>*>(values));
}

}  // namespace

void detail::DestroyPlan::operator()(fftwf_plan_s* plan) const noexcept { fftwf_destroy_plan(plan); }

ComplexFft::ComplexFft(int frames) : frames_(checked_frames(frames)) {
  AlignedVector<std::complex<float>> in(static_cast<std::size_t>(frames));
  AlignedVector<std::complex<float>> out(static_cast<std::size_t>(frames));
  const auto plan = [&](int sign) {
    return checked(
        fftwf_plan_dft_1d(frames, as_fftw(in.data()), as_fftw(out.data()), sign, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT),
        frames);
  };
  forward_ = plan(FFTW_FORWARD);
  backward_ = plan(FFTW_BACKWARD);
}

void ComplexFft::forward(const std::complex<float>* in, std::complex<float>* out) const noexcept {
  fftwf_execute_dft(forward_.get(), as_fftw(in), as_fftw(out));
}

void ComplexFft::backward(const std::complex<float>* in, std::complex<float>* out) const noexcept {
  fftwf_execute_dft(backward_.get(), as_fftw(in), as_fftw(out));
}

RealFft::RealFft(int frames) : frames_(checked_frames(frames)) {
  AlignedVector<float> time(static_cast<std::size_t>(frames));
  AlignedVector<std::complex<float>> bins(static_cast<std::size_t>(frames / 2 + 1));
  forward_ = checked(
      fftwf_plan_dft_r2c_1d(frames, time.data(), as_fftw(bins.data()), FFTW_ESTIMATE | FFTW_PRESERVE_INPUT), frames);
  backward_ = checked(fftwf_plan_dft_c2r_1d(frames, as_fftw(bins.data()), time.data(), FFTW_ESTIMATE), frames);
}

void RealFft::forward(const float* in, std::complex<float>* out) const noexcept {
  fftwf_execute_dft_r2c(forward_.get(), const_cast<float*>(in), as_fftw(out));
}

void RealFft::backward(std::complex<float>* in, float* out) const noexcept {
  fftwf_execute_dft_c2r(backward_.get(), as_fftw(in), out);
}

}  // namespace forestage
