// Cost of FirMatrix against a register-blocked direct form, and a check of both against double precision.
// Prints one JSON object per line: medians over interleaved runs, one thread. No arguments; about 15 s.
#include "fir_matrix.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "fir_kernels.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define BENCH_HAS_AVX2 1
#if defined(__clang__)
#define BENCH_AVX2 __attribute__((target("avx2,fma")))
#else
#define BENCH_AVX2 __attribute__((target("avx2,fma"), optimize("fp-contract=fast")))
#endif
#endif

namespace {

using forestage::AudioBlock;
using forestage::ConstAudioBlock;
using forestage::FirMatrix;
using forestage::FirPath;

constexpr double sample_rate = 48000.0;
constexpr int runs = 31;
constexpr double full_scale_variance = 1.0 / 3.0;  // as of a full-scale uniform signal
constexpr double tolerance_db = -115.0;            // peak, against double precision, filters of unit energy
constexpr double direct_tolerance_db = -90.0;      // long running sums round more

struct Case {
  const char* name;
  int inputs;
  int outputs;
  int taps;
  int block;
};

constexpr Case cases[] = {
    {"2x5, 1024 taps, block 128", 2, 5, 1024, 128}, {"2x2, 256 taps, block 32", 2, 2, 256, 32},
    {"2x2, 1024 taps, block 128", 2, 2, 1024, 128}, {"2x5, 4096 taps, block 512", 2, 5, 4096, 512},
    {"2x3, 256 taps, block 128", 2, 3, 256, 128},   {"2x3, 256 taps, block 1", 2, 3, 256, 1},
    {"2x3, 256 taps, block 17", 2, 3, 256, 17},     {"2x3, 256 taps, block 480", 2, 3, 256, 480},
};

#if defined(__GNUC__)
typedef float Vector __attribute__((vector_size(32)));
#else
#error "the direct form of this bench is written with the vector extensions of GCC and Clang"
#endif
constexpr int width = 8;

/// Neighbouring vectors as nested members: compilers keep these in registers, and spill arrays of arrays.
template <int vectors>
struct Run {
  Vector first{};
  Run<vectors - 1> rest{};
  [[gnu::always_inline]] inline void read(const float* from) {
    std::memcpy(&first, from, sizeof(first));
    rest.read(from + width);
  }
  [[gnu::always_inline]] inline void add_scaled(const Run& other, float gain) {
    first += other.first * gain;
    rest.add_scaled(other.rest, gain);
  }
  [[gnu::always_inline]] inline void write(float* to) const {
    std::memcpy(to, &first, sizeof(first));
    rest.write(to + width);
  }
};
template <>
struct Run<0> {
  [[gnu::always_inline]] inline void read(const float*) {}
  [[gnu::always_inline]] inline void add_scaled(const Run&, float) {}
  [[gnu::always_inline]] inline void write(float*) const {}
};

/// What one call of the direct form works on.
struct Job {
  const Case& c;
  const std::vector<float>& taps;                  // [input][tap][output]
  const std::vector<std::vector<float>>& history;  // [input]: taps - 1 past frames, the block, one tile to spare
  AudioBlock out;
};

template <int vectors, int count>
[[gnu::always_inline]] inline void tile(const Job& job, int frame, int output) {
  Run<vectors> sum[count];
  const float* taps = job.taps.data() + output;
  const int outputs = job.c.outputs;
  for (const auto& lane : job.history) {
    const float* x = lane.data() + job.c.taps - 1 + frame;
    for (int k = 0; k < job.c.taps; ++k, --x, taps += outputs) {
      Run<vectors> in;
      in.read(x);
      for (int o = 0; o < count; ++o) sum[o].add_scaled(in, taps[o]);
    }
  }
  const int frames = job.out.frames - frame;
  for (int o = 0; o < count; ++o) {
    if (frames >= vectors * width) {
      sum[o].write(job.out[output + o] + frame);
    } else {
      float last[vectors * width];
      sum[o].write(last);
      std::memcpy(job.out[output + o] + frame, last, static_cast<std::size_t>(frames) * sizeof(float));
    }
  }
}

template <int vectors, int count>
[[gnu::always_inline]] inline void column(const Job& job, int output) {
  int frame = 0;
  for (; frame + vectors * width <= job.out.frames; frame += vectors * width) tile<vectors, count>(job, frame, output);
  for (; frame < job.out.frames; frame += width) tile<1, count>(job, frame, output);
}

template <int vectors, int most>
[[gnu::always_inline]] inline void direct_body(const Job& job) {
  int output = 0;
  for (; output + most <= job.c.outputs; output += most) column<vectors, most>(job, output);
  for (; output + 2 <= job.c.outputs; output += 2) column<vectors, 2>(job, output);
  for (; output < job.c.outputs; ++output) column<vectors, 1>(job, output);
}

template <int vectors, int most>
void direct_portable(const Job& job) {
  direct_body<vectors, most>(job);
}

#if defined(BENCH_HAS_AVX2)
template <int vectors, int most>
BENCH_AVX2 void direct_avx2(const Job& job) {
  direct_body<vectors, most>(job);
}
#endif

using DirectLoop = void (*)(const Job&);

template <int vectors, int most>
DirectLoop loop_for_this_cpu() {
#if defined(BENCH_HAS_AVX2)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return direct_avx2<vectors, most>;
#endif
  return direct_portable<vectors, most>;
}

/// Time-domain FIR matrix as a careful programmer writes it: sums of several vectors of frames x several outputs live
/// in registers, outputs share each input vector, their taps are adjacent, and the instruction set is chosen at run
/// time. Which tile is fastest depends on case and compiler: the bench measures all and compares with the fastest.
class DirectForm {
 public:
  DirectForm(const Case& c, const std::vector<std::vector<float>>& taps, DirectLoop loop)
      : c_(c),
        loop_(loop),
        taps_(taps.size() * static_cast<std::size_t>(c.taps)),
        history_(static_cast<std::size_t>(c.inputs)) {
    for (int i = 0; i < c.inputs; ++i) {
      for (int k = 0; k < c.taps; ++k) {
        for (int o = 0; o < c.outputs; ++o) {
          taps_[static_cast<std::size_t>((i * c.taps + k) * c.outputs + o)] =
              taps[static_cast<std::size_t>(o * c.inputs + i)][static_cast<std::size_t>(k)];
        }
      }
    }
    for (auto& lane : history_) lane.resize(static_cast<std::size_t>(c.taps - 1 + c.block + width));
  }

  void process(ConstAudioBlock in, AudioBlock out) {
    for (int i = 0; i < c_.inputs; ++i) {
      std::copy_n(in[i], in.frames, history_[static_cast<std::size_t>(i)].begin() + c_.taps - 1);
    }
    loop_({c_, taps_, history_, out});
    const auto past = static_cast<std::size_t>(c_.taps - 1);
    for (auto& lane : history_) std::memmove(lane.data(), lane.data() + in.frames, past * sizeof(float));
  }

 private:
  Case c_;
  DirectLoop loop_;
  std::vector<float> taps_;
  std::vector<std::vector<float>> history_;
};

std::vector<std::vector<float>> noise(int rows, int frames, double variance, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, static_cast<float>(std::sqrt(variance)));
  std::vector<std::vector<float>> values(static_cast<std::size_t>(rows));
  for (auto& row : values) {
    row.resize(static_cast<std::size_t>(frames));
    for (float& value : row) value = normal(generator);
  }
  return values;
}

/// Streams all of `in` through the processor in blocks; returns nanoseconds per frame.
template <class P>
double stream(P& processor, const std::vector<std::vector<float>>& in, std::vector<std::vector<float>>& out,
              int block) {
  const auto frames = static_cast<int>(in[0].size()) / block * block;
  std::vector<const float*> from(in.size());
  std::vector<float*> to(out.size());
  const auto start = std::chrono::steady_clock::now();
  for (int n = 0; n < frames; n += block) {
    for (std::size_t i = 0; i < in.size(); ++i) from[i] = in[i].data() + n;
    for (std::size_t o = 0; o < out.size(); ++o) to[o] = out[o].data() + n;
    processor.process(ConstAudioBlock(from.data(), static_cast<int>(from.size()), block),
                      AudioBlock{to.data(), static_cast<int>(to.size()), block});
  }
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / frames;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + runs / 2, values.end());
  return values[runs / 2];
}

/// Largest error of `out` against the same sum in double precision, over the frames that are cheap to compute.
double error_db(const Case& c, const std::vector<FirPath>& paths, const std::vector<std::vector<float>>& in,
                const std::vector<std::vector<float>>& out) {
  constexpr std::size_t last = 8192;
  constexpr std::size_t step = 13;
  double worst = 1e-12;
  for (std::size_t n = 0; n < last; n += step) {
    std::vector<double> truth(static_cast<std::size_t>(c.outputs));
    for (const FirPath& path : paths) {
      for (std::size_t k = 0; k < path.taps.size() && k <= n; ++k) {
        truth[static_cast<std::size_t>(path.output)] +=
            static_cast<double>(path.taps[k]) * static_cast<double>(in[static_cast<std::size_t>(path.input)][n - k]);
      }
    }
    for (std::size_t o = 0; o < out.size(); ++o) {
      worst = std::max(worst, std::abs(static_cast<double>(out[o][n]) - truth[o]));
    }
  }
  return 20.0 * std::log10(worst);
}

/// Prints the row; false when one of the forms is wrong.
bool measure(const Case& c) {
  const auto taps = noise(c.inputs * c.outputs, c.taps, 1.0 / c.taps, 1);
  std::vector<FirPath> paths;
  for (int p = 0; p < c.inputs * c.outputs; ++p) {
    paths.push_back({p % c.inputs, p / c.inputs, taps[static_cast<std::size_t>(p)]});
  }
  FirMatrix matrix(c.inputs, c.outputs, paths);
  std::vector<DirectForm> directs;
  for (const DirectLoop loop : {loop_for_this_cpu<4, 3>(), loop_for_this_cpu<4, 2>(), loop_for_this_cpu<3, 4>(),
                                loop_for_this_cpu<2, 5>(), loop_for_this_cpu<8, 1>()}) {
    directs.emplace_back(c, taps, loop);
  }

  const auto in = noise(c.inputs, 16384, full_scale_variance, 2);
  auto out = noise(c.outputs, 16384, 0.0, 3);
  double direct_error_db = -240.0;
  for (DirectForm& direct : directs) {
    stream(direct, in, out, c.block);
    direct_error_db = std::max(direct_error_db, error_db(c, paths, in, out));
  }
  stream(matrix, in, out, c.block);
  const double matrix_error_db = error_db(c, paths, in, out);

  const auto short_in = noise(c.inputs, 2048, full_scale_variance, 4);
  std::vector<double> matrix_ns;
  std::vector<std::vector<double>> direct_ns(directs.size());
  for (int run = 0; run < runs; ++run) {
    matrix_ns.push_back(stream(matrix, in, out, c.block));
    for (std::size_t d = 0; d < directs.size(); ++d) direct_ns[d].push_back(stream(directs[d], short_in, out, c.block));
  }
  const double ns = median(matrix_ns);
  double fastest_direct_ns = median(direct_ns[0]);
  for (const auto& tile_ns : direct_ns) fastest_direct_ns = std::min(fastest_direct_ns, median(tile_ns));
  std::printf(
      "{\"name\": \"FIR matrix %s\", \"ns_per_frame\": %.2f, \"x_real_time\": %.0f, \"direct_form_ns_per_frame\": "
      "%.2f, "
      "\"ratio\": %.2f, \"partition_frames\": %d, \"error_db\": %.1f, \"direct_form_error_db\": %.1f, "
      "\"instructions\": \"%s\"}\n",
      c.name, ns, 1e9 / sample_rate / ns, fastest_direct_ns, fastest_direct_ns / ns, matrix.partition_frames(),
      matrix_error_db, direct_error_db, forestage::fir_kernels::best().name);
  std::fflush(stdout);
  return matrix_error_db < tolerance_db && direct_error_db < direct_tolerance_db;
}

}  // namespace

int main() {
  bool agree = true;
  for (const Case& c : cases) agree = measure(c) && agree;
  if (!agree) std::fputs("FirMatrix or the direct form is wrong\n", stderr);
  return agree ? EXIT_SUCCESS : EXIT_FAILURE;
}
