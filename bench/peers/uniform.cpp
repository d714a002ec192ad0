// The usual real-time convolver: one input, one output, uniform partitions of one block, a ring of input spectra. On
// measured real FFTs of FFTW, and on PFFFT where its source is.
#include <fftw3.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "fft.hpp"
#include "peers.hpp"
#include "simd.hpp"

#if defined(BENCH_HAS_PFFFT)
#include <pffft.h>
#endif

namespace peers {
namespace {

using Floats = forestage::AlignedVector<float>;

std::size_t size(int count) { return static_cast<std::size_t>(count); }

struct Product {
  const float* x;
  const float* h;
  float* sum;
  int bins;
};
FORESTAGE_INLINE void add_product(const Product& job) {
  const float* __restrict x = job.x, * __restrict h = job.h;
  float* __restrict sum = job.sum;
  const int bins = job.bins;
  for (int n = 0; n < bins; ++n) {
    sum[n] += x[n] * h[n] - x[bins + n] * h[bins + n];
    sum[bins + n] += x[n] * h[bins + n] + x[bins + n] * h[n];
  }
}

/// Split, so that the multiply-accumulate vectorises.
class Fftw {
 public:
  explicit Fftw(int frames) : bins_(frames / 2 + 1) {
    Floats window(size(frames)), spectrum(size(floats()));
    const fftwf_iodim whole{frames, 1, 1};
    forward_.reset(fftwf_plan_guru_split_dft_r2c(1, &whole, 0, nullptr, window.data(), spectrum.data(),
                                                 spectrum.data() + bins_, FFTW_MEASURE | FFTW_PRESERVE_INPUT));
    backward_.reset(fftwf_plan_guru_split_dft_c2r(1, &whole, 0, nullptr, spectrum.data(), spectrum.data() + bins_,
                                                  window.data(), FFTW_MEASURE));
  }
  static constexpr const char* name = "uniform, one convolver per path";
  int floats() const { return (2 * bins_ + 15) / 16 * 16; }  // of a spectrum: each starts on an aligned place
  void forward(float* window, float* spectrum) {
    fftwf_execute_split_dft_r2c(forward_.get(), window, spectrum, spectrum + bins_);
  }
  void backward(float* spectrum, float* window) {
    fftwf_execute_split_dft_c2r(backward_.get(), spectrum, spectrum + bins_, window);
  }
  void accumulate(const float* x, const float* h, float* sum) { accumulate({x, h, sum, bins_}); }

 private:
#if defined(__x86_64__) && defined(__GNUC__)
  __attribute__((target_clones("arch=haswell", "default")))
#endif
  static void
  accumulate(const Product& job) {
    add_product(job);
  }

  struct DestroyPlan {
    void operator()(fftwf_plan plan) const { fftwf_destroy_plan(plan); }
  };
  using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, DestroyPlan>;

  int bins_;
  Plan forward_;
  Plan backward_;
};

#if defined(BENCH_HAS_PFFFT)
class Pffft {
 public:
  explicit Pffft(int frames) : frames_(frames), setup_(pffft_new_setup(frames, PFFFT_REAL)), work_(size(frames)) {}
  static constexpr const char* name = "uniform on PFFFT, one convolver per path";
  int floats() const { return frames_; }
  void forward(float* window, float* spectrum) {
    pffft_transform(setup_.get(), window, spectrum, work_.data(), PFFFT_FORWARD);
  }
  void backward(float* spectrum, float* window) {
    pffft_transform(setup_.get(), spectrum, window, work_.data(), PFFFT_BACKWARD);
  }
  void accumulate(const float* x, const float* h, float* sum) {
    pffft_zconvolve_accumulate(setup_.get(), x, h, sum, 1.0f);
  }

 private:
  struct DestroySetup {
    void operator()(PFFFT_Setup* setup) const { pffft_destroy_setup(setup); }
  };

  int frames_;
  std::unique_ptr<PFFFT_Setup, DestroySetup> setup_;
  Floats work_;
};
#endif

void baseline_product(const Product& job) { add_product(job); }
FORESTAGE_AVX2 void avx2_product(const Product& job) { add_product(job); }
FORESTAGE_AVX512 void avx512_product(const Product& job) { add_product(job); }

/// Transforms that cost nothing: what is left is the least that a convolver of this kind takes, whichever it is on.
class Free {
 public:
  explicit Free(int frames) : bins_(frames / 2) {}
  static constexpr const char* name = "uniform, products alone";
  int floats() const { return 2 * bins_; }
  void forward(const float*, float*) {}
  void backward(const float*, float*) {}
  void accumulate(const float* x, const float* h, float* sum) {
    forestage::simd::best(&baseline_product, &avx2_product, &avx512_product)({x, h, sum, bins_});
  }

 private:
  int bins_;
};

template <class Transform>
class Uniform {
 public:
  Uniform(const std::vector<float>& taps, int block)
      : block_(block),
        partitions_((static_cast<int>(taps.size()) + block - 1) / block),
        transform_(2 * block),
        window_(size(2 * block)),
        frames_(size(2 * block)),
        sum_(size(transform_.floats())),
        filters_(size(transform_.floats() * partitions_)),
        spectra_(filters_.size()) {
    for (int p = 0; p < partitions_; ++p) {
      std::ranges::fill(window_, 0.0f);
      const int begin = p * block;
      const int count = std::min(block, static_cast<int>(taps.size()) - begin);
      std::transform(taps.begin() + begin, taps.begin() + begin + count, window_.begin(),
                     [&](float tap) { return tap / static_cast<float>(2 * block); });
      transform_.forward(window_.data(), spectrum(filters_, p));
    }
    std::ranges::fill(window_, 0.0f);
  }

  void add(const float* in, float* out) {
    std::copy_n(window_.data() + block_, block_, window_.data());
    std::copy_n(in, block_, window_.data() + block_);
    transform_.forward(window_.data(), spectrum(spectra_, slot_));
    std::ranges::fill(sum_, 0.0f);
    for (int p = 0; p < partitions_; ++p) {
      transform_.accumulate(spectrum(spectra_, (slot_ + p) % partitions_), spectrum(filters_, p), sum_.data());
    }
    transform_.backward(sum_.data(), frames_.data());
    for (int n = 0; n < block_; ++n) out[n] += frames_[size(block_ + n)];
    slot_ = slot_ == 0 ? partitions_ - 1 : slot_ - 1;
  }

 private:
  float* spectrum(Floats& all, int p) { return all.data() + static_cast<std::ptrdiff_t>(transform_.floats()) * p; }

  int block_;
  int partitions_;
  int slot_ = 0;
  Transform transform_;
  Floats window_;
  Floats frames_;
  Floats sum_;
  Floats filters_;
  Floats spectra_;
};

template <class Transform>
Form uniform_form(const Case& c, const Rows& taps) {
  const auto convolvers = std::make_shared<std::vector<Uniform<Transform>>>();
  for (const auto& path : taps) convolvers->emplace_back(path, c.block);
  return {Transform::name, play_paths(convolvers)};
}

}  // namespace

std::vector<Form> uniform_forms(const Case& c, const Rows& taps) {
  std::vector<Form> forms = {uniform_form<Fftw>(c, taps)};
#if defined(BENCH_HAS_PFFFT)
  forms.push_back(uniform_form<Pffft>(c, taps));
#endif
  forms.push_back(uniform_form<Free>(c, taps));
  forms.back().is_heard = false;
  return forms;
}

}  // namespace peers
