// Finds the fastest plans of FFTW for this processor, by trying them, and prints the text for
// cpp/core/fir/fft_wisdom.hpp; with FORESTAGE_SIMD=avx2 for processors that have no more. Takes half a minute of
// processor time. No arguments.
#include <fftw3.h>

#include <complex>
#include <cstdio>

#include "fft.hpp"

int main() {
  for (int frames = 32; frames <= 8192; frames *= 2) {
    const auto count = static_cast<std::size_t>(frames);
    forestage::AlignedVector<std::complex<float>> in(count), out(count);
    auto* from = reinterpret_cast<fftwf_complex*>(in.data());
    auto* to = reinterpret_cast<fftwf_complex*>(out.data());
    for (const int sign : {FFTW_FORWARD, FFTW_BACKWARD}) {
      fftwf_destroy_plan(fftwf_plan_dft_1d(frames, from, to, sign, FFTW_PATIENT | FFTW_PRESERVE_INPUT));
    }
  }
  fftwf_export_wisdom_to_file(stdout);
  return 0;
}
