// Long filters: FirMatrix against other convolvers (peers/), without added latency, and a whole chain that plays them.
// Usage: bench_convolution, or bench_convolution PRESET.json for the chain; bench/convolution.py runs both. Prints one
// JSON object a line. Cost is processor time of all threads, median over interleaved runs. Of the blocks, each place in
// the longest period of a schedule has its own median over the runs: what is left is the schedule, not the machine's
// other work.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine.hpp"
#include "fir_matrix.hpp"
#include "float_environment.hpp"
#include "peers/peers.hpp"
#include "preset_io.hpp"
#include "processor_clock.hpp"

namespace {

using namespace forestage;
using peers::Case;
using peers::Form;
using peers::Play;
using peers::Rows;

constexpr double sample_rate = 48000.0;
constexpr int period_frames = 8192;  // of the slowest schedule; blocks before that warm the caches up
constexpr int run_frames = 2 * period_frames;
constexpr int runs = 31;
constexpr double full_scale_deviation = 0.577;  // as of a full-scale uniform signal
constexpr double tolerance_db = -100.0;         // peak of one form against another, filters of unit energy: 1500 sums

constexpr Case cases[] = {{3, 2, 24000, 128}, {3, 2, 24000, 16},  {3, 2, 24000, 32},   {3, 2, 24000, 64},
                          {3, 2, 24000, 256}, {3, 2, 24000, 512}, {3, 2, 24000, 1024}, {3, 2, 24000, 2048},
                          {2, 2, 24000, 128}, {7, 2, 24000, 128}, {2, 2, 4096, 64},    {2, 2, 1024, 512}};

Rows noise(int rows, int frames, double deviation, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, static_cast<float>(deviation));
  Rows values(static_cast<std::size_t>(rows), std::vector<float>(static_cast<std::size_t>(frames)));
  for (auto& row : values) {
    for (float& value : row) value = normal(generator);
  }
  return values;
}

Form forestage_form(const Case& c, const std::vector<FirPath>& paths, const char* name, int partition_frames) {
  const auto matrix = std::make_shared<FirMatrix>(c.inputs, c.outputs, paths, partition_frames, c.block);
  return {name, [matrix](ConstAudioBlock in, AudioBlock out) { matrix->process(in, out); }};
}

std::vector<Form> forms_of(const Case& c, const Rows& taps, const std::vector<FirPath>& paths) {
  std::vector<Form> forms = {forestage_form(c, paths, "Forestage", 0),
                             forestage_form(c, paths, "Forestage, one level", c.block)};
  std::ranges::move(peers::uniform_forms(c, taps), std::back_inserter(forms));
#if defined(BENCH_HAS_ZITA)
  std::ranges::move(peers::zita_forms(c, taps), std::back_inserter(forms));
#endif
#if defined(BENCH_HAS_JUCE)
  std::ranges::move(peers::juce_forms(c, taps), std::back_inserter(forms));
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
      // Where other threads have work, too, its own may come late
      if (!forms[f].is_on_this_thread || !forms[f].is_heard) continue;
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
