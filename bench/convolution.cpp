// Long filters: FirMatrix against uniform partitioning and zita-convolver, without added latency, and a whole chain
// that plays through it. Usage: bench_convolution, or bench_convolution PRESET.json for the chain; bench/convolution.py
// runs both. Prints one JSON object a line. Cost is processor time of all threads, median over interleaved runs. Of the
// blocks, each place in the longest period of a schedule has its own median over the runs: what is left is the
// schedule, not the machine's other work.
#include <fftw3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine.hpp"
#include "fir_matrix.hpp"
#include "float_environment.hpp"
#include "preset_io.hpp"
#include "processor_clock.hpp"

#if defined(BENCH_HAS_ZITA)
#include <zita-convolver.h>
#endif

namespace {

using namespace forestage;

constexpr double sample_rate = 48000.0;
constexpr int period_frames = 8192;  // of the slowest schedule; blocks before that warm the caches up
constexpr int run_frames = 2 * period_frames;
constexpr int runs = 31;
constexpr double full_scale_deviation = 0.577;  // as of a full-scale uniform signal
constexpr double tolerance_db = -100.0;         // peak of one form against another, filters of unit energy: 1500 sums

struct Case {
  int inputs;
  int outputs;
  int taps;
  int block;
  std::string name() const {
    return std::to_string(inputs) + "x" + std::to_string(outputs) + ", " + std::to_string(taps) + " taps, block " +
           std::to_string(block);
  }
};

constexpr Case cases[] = {{3, 2, 24000, 128}, {3, 2, 24000, 16},  {3, 2, 24000, 32},   {3, 2, 24000, 64},
                          {3, 2, 24000, 256}, {3, 2, 24000, 512}, {3, 2, 24000, 1024}, {3, 2, 24000, 2048},
                          {2, 2, 24000, 128}, {7, 2, 24000, 128}, {2, 2, 4096, 64},    {2, 2, 1024, 512}};

using Rows = std::vector<std::vector<float>>;

Rows noise(int rows, int frames, double deviation, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, static_cast<float>(deviation));
  Rows values(static_cast<std::size_t>(rows), std::vector<float>(static_cast<std::size_t>(frames)));
  for (auto& row : values) {
    for (float& value : row) value = normal(generator);
  }
  return values;
}

struct FreeFftw {
  void operator()(void* memory) const { fftwf_free(memory); }
};
struct DestroyFftwPlan {
  void operator()(fftwf_plan plan) const { fftwf_destroy_plan(plan); }
};
using Real = std::unique_ptr<float[], FreeFftw>;
using Plan = std::unique_ptr<std::remove_pointer_t<fftwf_plan>, DestroyFftwPlan>;

Real real(int count) {
  Real memory(fftwf_alloc_real(static_cast<std::size_t>(count)));
  std::fill_n(memory.get(), count, 0.0f);
  return memory;
}

/// The usual real-time convolver: one input, one output, uniform partitions of one block, measured real FFTs (split, so
/// that the multiply-accumulate vectorises), a ring of input spectra.
class UniformConvolver {
 public:
  UniformConvolver(const std::vector<float>& taps, int block)
      : block_(block),
        bins_(block + 1),
        partitions_((static_cast<int>(taps.size()) + block - 1) / block),
        window_(real(2 * block)),
        frames_(real(2 * block)),
        sum_(real(2 * bins_)),
        filters_(real(2 * bins_ * partitions_)),
        spectra_(real(2 * bins_ * partitions_)) {
    const fftwf_iodim size{2 * block, 1, 1};
    forward_.reset(fftwf_plan_guru_split_dft_r2c(1, &size, 0, nullptr, window_.get(), sum_.get(), sum_.get() + bins_,
                                                 FFTW_MEASURE | FFTW_PRESERVE_INPUT));
    backward_.reset(fftwf_plan_guru_split_dft_c2r(1, &size, 0, nullptr, sum_.get(), sum_.get() + bins_, frames_.get(),
                                                  FFTW_MEASURE));
    for (int p = 0; p < partitions_; ++p) {
      std::fill_n(window_.get(), 2 * block, 0.0f);
      const int begin = p * block;
      const int count = std::min(block, static_cast<int>(taps.size()) - begin);
      std::transform(taps.begin() + begin, taps.begin() + begin + count, window_.get(),
                     [&](float tap) { return tap / static_cast<float>(2 * block); });
      transform(filters_.get() + 2L * bins_ * p);
    }
    std::fill_n(window_.get(), 2 * block, 0.0f);
  }

  void add(const float* in, float* out) {
    std::copy_n(window_.get() + block_, block_, window_.get());
    std::copy_n(in, block_, window_.get() + block_);
    transform(spectra_.get() + 2L * bins_ * slot_);
    std::fill_n(sum_.get(), 2 * bins_, 0.0f);
    for (int p = 0; p < partitions_; ++p) {
      accumulate(spectra_.get() + 2L * bins_ * ((slot_ + p) % partitions_), filters_.get() + 2L * bins_ * p, sum_.get(),
                 bins_);
    }
    fftwf_execute_split_dft_c2r(backward_.get(), sum_.get(), sum_.get() + bins_, frames_.get());
    for (int n = 0; n < block_; ++n) out[n] += frames_[static_cast<std::size_t>(block_ + n)];
    slot_ = slot_ == 0 ? partitions_ - 1 : slot_ - 1;
  }

 private:
  void transform(float* to) {
    fftwf_execute_split_dft_r2c(forward_.get(), window_.get(), sum_.get(), sum_.get() + bins_);
    std::copy_n(sum_.get(), 2 * bins_, to);
  }

#if defined(__x86_64__) && defined(__GNUC__)
  __attribute__((target_clones("arch=haswell", "default")))
#endif
  static void
  accumulate(const float* __restrict x, const float* __restrict h, float* __restrict sum, int bins) {
    for (int n = 0; n < bins; ++n) {
      sum[n] += x[n] * h[n] - x[bins + n] * h[bins + n];
      sum[bins + n] += x[n] * h[bins + n] + x[bins + n] * h[n];
    }
  }

  int block_;
  int bins_;
  int partitions_;
  int slot_ = 0;
  Real window_;
  Real frames_;
  Real sum_;
  Real filters_;
  Real spectra_;
  Plan forward_;
  Plan backward_;
};

using Play = std::function<void(ConstAudioBlock, AudioBlock)>;

/// One way to convolve, block by block.
struct Form {
  std::string name;
  Play play;
  bool is_on_this_thread = true;
};

Form forestage_form(const Case& c, const std::vector<FirPath>& paths, const char* name, int partition_frames) {
  const auto matrix = std::make_shared<FirMatrix>(c.inputs, c.outputs, paths, partition_frames, c.block);
  return {name, [matrix](ConstAudioBlock in, AudioBlock out) { matrix->process(in, out); }};
}

Form uniform_form(const Case& c, const Rows& taps) {
  const auto convolvers = std::make_shared<std::vector<UniformConvolver>>();
  for (const auto& path : taps) convolvers->emplace_back(path, c.block);
  return {"uniform, one convolver per path", [convolvers](ConstAudioBlock in, AudioBlock out) {
            for (int o = 0; o < out.channels; ++o) {
              std::fill_n(out[o], out.frames, 0.0f);
              for (int i = 0; i < in.channels; ++i) {
                (*convolvers)[static_cast<std::size_t>(o * in.channels + i)].add(in[i], out[o]);
              }
            }
          }};
}

#if defined(BENCH_HAS_ZITA)
struct Zita {
  Zita(const Case& c, const Rows& taps, unsigned longest_partition) {
    processor.set_options(Convproc::OPT_FFTW_MEASURE | Convproc::OPT_VECTOR_MODE);
    const auto unsigned_of = [](int count) { return static_cast<unsigned>(count); };
    bool is_ready = processor.configure(unsigned_of(c.inputs), unsigned_of(c.outputs), unsigned_of(c.taps),
                                        unsigned_of(c.block), unsigned_of(c.block), longest_partition, 0.0f) == 0;
    for (int p = 0; p < c.inputs * c.outputs; ++p) {
      std::vector<float> path = taps[static_cast<std::size_t>(p)];
      is_ready = is_ready && processor.impdata_create(unsigned_of(p % c.inputs), unsigned_of(p / c.inputs), 1,
                                                      path.data(), 0, c.taps) == 0;
    }
    is_ready = is_ready && processor.start_process(0, SCHED_OTHER) == 0;
    if (!is_ready) throw std::runtime_error("zita-convolver does not take this case");
  }
  ~Zita() {
    processor.stop_process();
    while (!processor.check_stop()) std::this_thread::yield();
    processor.cleanup();
  }
  Convproc processor;
};

Form zita_form(const Case& c, const Rows& taps, const char* name, unsigned longest_partition, bool is_on_this_thread) {
  const auto zita = std::make_shared<Zita>(c, taps, longest_partition);
  const auto play = [zita](ConstAudioBlock in, AudioBlock out) {
    for (int i = 0; i < in.channels; ++i)
      std::copy_n(in[i], in.frames, zita->processor.inpdata(static_cast<unsigned>(i)));
    zita->processor.process(true);
    for (int o = 0; o < out.channels; ++o)
      std::copy_n(zita->processor.outdata(static_cast<unsigned>(o)), out.frames, out[o]);
  };
  return {name, play, is_on_this_thread};
}
#endif

std::vector<Form> forms_of(const Case& c, const Rows& taps, const std::vector<FirPath>& paths) {
  std::vector<Form> forms = {forestage_form(c, paths, "Forestage", 0),
                             forestage_form(c, paths, "Forestage, one level", c.block), uniform_form(c, taps)};
#if defined(BENCH_HAS_ZITA)
  if (c.block < static_cast<int>(Convproc::MINPART)) return forms;  // it would add latency
  forms.push_back(zita_form(c, taps, "zita-convolver, one level", static_cast<unsigned>(c.block), true));
  forms.push_back(zita_form(c, taps, "zita-convolver, threads", Convproc::MAXPART, false));
#endif
  return forms;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Timings of one form over many runs.
struct Times {
  explicit Times(int block) : block_ns(static_cast<std::size_t>(period_frames / block)) {}

  void add_run(const Play& play, const Rows& in, Rows& out, int block) {
    std::vector<const float*> from(in.size());
    std::vector<float*> to(out.size());
    const double run_start = process_s();
    for (int n = 0; n < run_frames; n += block) {
      std::transform(in.begin(), in.end(), from.begin(), [&](const auto& lane) { return lane.data() + n; });
      std::transform(out.begin(), out.end(), to.begin(), [&](auto& lane) { return lane.data() + n; });
      const auto start = std::chrono::steady_clock::now();
      play(ConstAudioBlock(from.data(), static_cast<int>(from.size()), block),
           AudioBlock{to.data(), static_cast<int>(to.size()), block});
      const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
      if (n >= period_frames) block_ns[static_cast<std::size_t>((n - period_frames) / block)].push_back(taken.count());
    }
    run_ns.push_back(1e9 * (process_s() - run_start) / run_frames);
  }

  double ns_per_frame() const { return median(run_ns); }
  std::vector<double> places_us() const {
    std::vector<double> us;
    for (const auto& place : block_ns) us.push_back(1e-3 * median(place));
    return us;
  }

  std::vector<double> run_ns;
  std::vector<std::vector<double>> block_ns;  // [place in the period][run]
};

/// The part of a row that says how even the blocks are.
std::string blocks_text(const Times& times) {
  const std::vector<double> us = times.places_us();
  const double worst = *std::max_element(us.begin(), us.end());
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(),
                ", \"median_block_us\": %.2f, \"worst_block_us\": %.2f, \"worst_to_median\": %.2f", median(us), worst,
                worst / median(us));
  return text.data();
}

double difference_db(const Rows& a, const Rows& b) {
  float worst = 1e-12f;
  for (std::size_t c = 0; c < a.size(); ++c) {
    for (std::size_t n = 0; n < a[c].size(); ++n) worst = std::max(worst, std::abs(a[c][n] - b[c][n]));
  }
  return 20.0 * std::log10(static_cast<double>(worst));
}

/// Prints a row per form; false when they do not sound alike.
bool compare(const Case& c) {
  const Rows taps = noise(c.inputs * c.outputs, c.taps, std::sqrt(1.0 / (c.taps * c.inputs)), 1);
  std::vector<FirPath> paths;
  for (int p = 0; p < c.inputs * c.outputs; ++p)
    paths.push_back({p % c.inputs, p / c.inputs, taps[static_cast<std::size_t>(p)]});
  const Rows in = noise(c.inputs, run_frames, full_scale_deviation, 2);
  const std::vector<Form> forms = forms_of(c, taps, paths);
  std::vector<Rows> out(forms.size(), Rows(static_cast<std::size_t>(c.outputs), std::vector<float>(run_frames)));
  std::vector<Times> times(forms.size(), Times(c.block));
  bool agree = true;
  for (int run = 0; run < runs; ++run) {
    for (std::size_t f = 0; f < forms.size(); ++f) {
      times[f].add_run(forms[f].play, in, out[f], c.block);
      if (!forms[f].is_on_this_thread) continue;  // where others have work, too, its own may come late
      const double apart_db = difference_db(out[f], out[0]);
      if (apart_db < tolerance_db) continue;
      if (agree) std::fprintf(stderr, "%s: %s is %.1f dB apart\n", c.name().c_str(), forms[f].name.c_str(), apart_db);
      agree = false;
    }
  }
  for (std::size_t f = 0; f < forms.size(); ++f) {
    const double ns = times[f].ns_per_frame();
    std::printf(
        "{\"name\": \"%s: %s\", \"ns_per_output_frame\": %.2f, \"times_forestage\": %.2f, \"x_real_time\": %.0f%s}\n",
        c.name().c_str(), forms[f].name.c_str(), ns / c.outputs, ns / times[0].ns_per_frame(), 1e9 / sample_rate / ns,
        forms[f].is_on_this_thread ? blocks_text(times[f]).c_str() : "");
    std::fflush(stdout);
  }
  return agree;
}

/// The whole chain, as a host plays it.
void play_chain(const Preset& preset) {
  constexpr int block = 128;
  const Rows in = noise(2, run_frames, 0.1, 3);
  Rows out(2, std::vector<float>(run_frames));
  for (std::size_t m = 1; m < std::size(param_detail::monitors); ++m) {
    Engine engine({sample_rate, 2});
    engine.load(Slot::a, std::make_shared<const Preset>(preset));
    engine.set_param(Param::monitor, static_cast<float>(m));
    const Play play = [&](ConstAudioBlock from, AudioBlock to) {
      for (int c = 0; c < 2; ++c) std::copy_n(from[c], from.frames, to[c]);
      engine.process(to);
    };
    Times times(block);
    for (int run = 0; run < runs; ++run) times.add_run(play, in, out, block);
    const double ns = times.ns_per_frame();
    std::printf(
        "{\"name\": \"chain with 0.5 s ears, block 128: %s\", \"ns_per_output_frame\": %.2f, \"x_real_time\": "
        "%.0f%s}\n",
        std::string(param_detail::monitors[m]).c_str(), ns / 2, 1e9 / sample_rate / ns, blocks_text(times).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const FlushToZero flush_to_zero;
  if (argc == 2) {
    play_chain(load_preset(argv[1]));
    return EXIT_SUCCESS;
  }
  bool agree = true;
  for (const Case& c : cases) agree = compare(c) && agree;
  return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}
