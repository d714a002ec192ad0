// Cost of the whole chain and of each stage, in ns per frame, on one core. Usage: bench_chain PRESET.json
// Prints one JSON object a line; every figure is the median of many runs over the same noise. Chains have their runs in
// turns, so that each may be held against another.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "float_environment.hpp"
#include "graph.hpp"
#include "monitors.hpp"
#include "path_specs.hpp"
#include "preset_io.hpp"
#include "processor_clock.hpp"

namespace {

using namespace forestage;

constexpr double sample_rate = 48000.0;
constexpr int block_frames = 128;
constexpr int blocks_per_run = 375;  // one second of sound
constexpr int runs = 31;

using Process = std::function<void(AudioBlock)>;

/// Noise for `channels` lanes, and lanes to write to.
struct Bench {
  Bench() : in(8, block_frames), out(8, block_frames) {
    std::minstd_rand random(1);
    std::normal_distribution<float> noise(0.0f, 0.1f);
    for (auto& block : source) {
      for (float& sample : block) sample = noise(random);
    }
  }

  AudioBlock next_input(int channels) {
    position = (position + 1) % source.size();
    for (int c = 0; c < channels; ++c) {
      std::copy_n(source[(position + static_cast<std::size_t>(c)) % source.size()].data(), block_frames, in[c]);
    }
    return in.block(0, channels, block_frames);
  }

  /// Of each of some, with their runs in turns: median ns per frame, less what fetching the input costs.
  std::vector<double> measure(int channels, std::vector<Process> all) {
    all.emplace_back([](AudioBlock) {});
    const auto play = [&](const Process& process, int blocks) {
      const double start = thread_s();
      for (int b = 0; b < blocks; ++b) process(next_input(channels));
      return 1e9 * (thread_s() - start) / (blocks * block_frames);
    };
    std::vector<std::vector<double>> ns_per_frame(all.size());
    for (int run = 0; run < runs; ++run) {
      for (std::size_t p = 0; p < all.size(); ++p) {
        play(all[p], blocks_per_run / 3);  // its memory is in the caches again
        ns_per_frame[p].push_back(play(all[p], blocks_per_run));
      }
    }
    std::vector<double> medians;
    for (auto& each : ns_per_frame) {
      std::ranges::nth_element(each, each.begin() + runs / 2);
      medians.push_back(each[runs / 2]);
    }
    const double idle = medians.back();
    medians.pop_back();
    for (double& median : medians) median -= idle;
    return medians;
  }
  double measure(int channels, const Process& process) { return measure(channels, std::vector{process}).front(); }

  Lanes in;
  Lanes out;
  std::array<std::array<float, block_frames>, 64> source{};
  std::size_t position = 0;
};

/// Worst block over the median one. Of each block of a run the fastest of all runs counts: what is left is work.
double evenness(Bench& bench, const Process& process, const std::function<void()>& reset) {
  std::array<double, blocks_per_run> fastest;
  fastest.fill(1e300);
  for (int run = 0; run < runs; ++run) {
    reset();
    for (double& ns : fastest) {
      const AudioBlock block = bench.next_input(2);
      const double start = thread_s();
      process(block);
      ns = std::min(ns, 1e9 * (thread_s() - start));
    }
  }
  std::ranges::sort(fastest);
  return fastest.back() / fastest[blocks_per_run / 2];
}

void print(const std::string& name, double ns_per_frame) {
  std::printf("{\"name\": \"%s\", \"ns_per_frame\": %.2f, \"x_real_time\": %.1f}\n", name.c_str(), ns_per_frame,
              1e9 / sample_rate / ns_per_frame);
}

const FilterSet& filters_at_48k(const Preset& preset) {
  return *std::ranges::find_if(preset.filters, [](const FilterSet& set) { return set.sample_rate == 48000; });
}

void bench_chain(Bench& bench, const Preset& preset) {
  const int drivers = static_cast<int>(preset.drivers.size());
  const auto shared = std::make_shared<const Preset>(preset);
  using Play = std::function<void(Engine&, AudioBlock)>;
  const Play whole = [](Engine& engine, AudioBlock io) { engine.process(io); };
  std::vector<std::string> names;
  std::vector<Process> chains;
  const auto add = [&](const std::string& name, std::size_t monitor, UpmixQuality quality, double rate = sample_rate,
                       const Play& play = Play()) {
    const auto engine = std::make_shared<Engine>(EngineSpec{rate, drivers});
    engine->load(Slot::a, shared);
    engine->set_param(Param::monitor, static_cast<float>(monitor));
    engine->set_param(Param::upmix_quality, static_cast<float>(quality));
    names.push_back("chain, " + name);
    chains.emplace_back([engine, play = play ? play : whole](AudioBlock io) { play(*engine, io); });
  };
  for (std::size_t m = 0; m < std::size(param_detail::monitors); ++m) {
    add(std::string(param_detail::monitors[m]), m, UpmixQuality::low_latency);
  }
  add("Speakers, High Quality", 0, UpmixQuality::high_quality);
  add("Speakers, 44.1 kHz", 0, UpmixQuality::low_latency, 44100.0);
  add("Speakers, blocks of 32", 0, UpmixQuality::low_latency, sample_rate, [](Engine& engine, AudioBlock io) {
    constexpr int short_frames = 32;
    for (int start = 0; start < io.frames; start += short_frames) {
      std::array<float*, 16> lanes{};
      for (int c = 0; c < io.channels; ++c) lanes[static_cast<std::size_t>(c)] = io[c] + start;
      engine.process({lanes.data(), io.channels, short_frames});
    }
  });
  add("Speakers, width and amount between", 0, UpmixQuality::low_latency, sample_rate,
      [](Engine& engine, AudioBlock io) {
        engine.set_param(Param::stage_width_deg, 33.0f);
        engine.set_param(Param::amount, 70.0f);
        engine.process(io);
      });
  float phase = 0.0f;
  add("Speakers, width and amount move", 0, UpmixQuality::low_latency, sample_rate, [&](Engine& engine, AudioBlock io) {
    phase = std::fmod(phase + 0.01f, 1.0f);
    engine.set_param(Param::stage_width_deg, 20.0f + 20.0f * phase);
    engine.set_param(Param::amount, 50.0f + 40.0f * phase);
    engine.process(io);
  });
  const std::vector<double> ns = bench.measure(drivers, chains);
  for (std::size_t c = 0; c < ns.size(); ++c) print(names[c], ns[c]);
}

void bench_stages(Bench& bench, const Preset& preset) {
  const FilterSet& filters = filters_at_48k(preset);
  const int drivers = static_cast<int>(preset.drivers.size());
  const auto ramp = [](float value) {
    Ramp steady(sample_rate, block_frames);
    steady.snap(value);
    return steady;
  };
  Ramp on = ramp(1.0f);
  Ramp width = ramp(30.0f);
  for (const UpmixQuality quality : {UpmixQuality::low_latency, UpmixQuality::high_quality}) {
    Upmix upmix(sample_rate, quality);
    const std::string name(param_detail::qualities[static_cast<std::size_t>(quality)]);
    const auto process = [&](AudioBlock io) {
      upmix.process(io, on.advance(io.frames), bench.out.block(0, 3, io.frames));
    };
    print("stage, Upmix, " + name, bench.measure(2, process));
    std::printf("{\"name\": \"stage, Upmix, %s\", \"worst_block_over_median\": %.2f}\n", name.c_str(),
                evenness(bench, process, [&] { upmix.reset(); }));
  }
  VirtualStereo virtual_stereo = make_virtual_stereo(filters, block_frames);
  print("stage, VirtualStereo", bench.measure(2, [&](AudioBlock io) { virtual_stereo.process(io, width, on, io); }));
  Ramp off = ramp(0.0f);
  DriverMatrix matrix(driver_matrix_spec(preset, filters), block_frames);
  print("stage, DriverMatrix", bench.measure(3, [&](AudioBlock io) {
    const RampBlock one = on.advance(io.frames);
    matrix.process(io, {one, one, off.advance(io.frames)}, bench.out.block(0, drivers, io.frames));
  }));
  Delay alignment(2, filters.delay_frames, block_frames);
  print("stage, alignment delays", bench.measure(2, [&](AudioBlock io) { alignment.process(io, io); }));
  std::vector<MonitorEars> places;
  places.emplace_back(preset.ears, plays_plain(preset, filters), preset.loudness, block_frames);
  Monitors monitors(std::move(places), preset.ears.delay_frames, drivers, drivers, sample_rate, block_frames);
  for (const Monitor monitor : {Monitor::speakers, Monitor::headphones}) {
    monitors.jump_to({monitor});
    const std::string name(param_detail::monitors[static_cast<std::size_t>(monitor)]);
    print("stage, monitor " + name, bench.measure(drivers, [&](AudioBlock io) {
      const AudioBlock stereo{io.lanes, 2, io.frames};
      const RampBlock gain = on.advance(io.frames);
      monitors.process({io, io, io, stereo, {gain, gain, gain, gain}, true}, bench.out.block(0, drivers, io.frames));
    }));
  }
  Limiter limiter(drivers, preset.ears.delay_frames, sample_rate, block_frames);
  print("stage, Limiter, at rest", bench.measure(drivers, [&](AudioBlock io) { limiter.process(io, true); }));
  Ramp loud = ramp(10.0f);
  print("stage, Limiter, at work", bench.measure(drivers, [&](AudioBlock io) {
    scale(io, loud.advance(io.frames));
    limiter.process(io, true);
  }));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_chain PRESET.json\n");
    return 2;
  }
  const forestage::FlushToZero flush_to_zero;
  const forestage::Preset preset = forestage::load_preset(argv[1]);
  Bench bench;
  bench_chain(bench, preset);
  bench_stages(bench, preset);
  return 0;
}
