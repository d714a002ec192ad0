// Whether FFTW takes what fft_wisdom.hpp says about the transforms that matter, with the instructions that run here:
// otherwise they would be slower by half, and nothing else would tell.
#include <fftw3.h>

#include <complex>
#include <cstdio>
#include <cstdlib>

#include "fft.hpp"
#include "simd.hpp"

int main() {
  using namespace forestage;
  if (!simd::has_avx2()) {
    std::printf("nothing is said about processors without AVX2\n");
    return EXIT_SUCCESS;
  }
  const ComplexFft first(12);  // has told the planner
  int missing = 0;
  for (int frames = 32; frames <= 8192; frames *= 2) {
    const auto count = static_cast<std::size_t>(frames);
    AlignedVector<std::complex<float>> in(count), out(count);
    for (const int sign : {FFTW_FORWARD, FFTW_BACKWARD}) {
      const fftwf_plan plan = fftwf_plan_dft_1d(frames, reinterpret_cast<fftwf_complex*>(in.data()),
                                                reinterpret_cast<fftwf_complex*>(out.data()), sign,
                                                FFTW_ESTIMATE | FFTW_PRESERVE_INPUT | FFTW_WISDOM_ONLY);
      if (plan == nullptr) {
        std::printf("%d points, sign %d: FFTW estimates; bench/fft_wisdom.cpp finds out about this build\n", frames,
                    sign);
        ++missing;
      }
      fftwf_destroy_plan(plan);
    }
  }
  return missing == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
