// What many instances cost: memory, loading and playing, in processor time.
// Usage: bench_instances PRESET.json OTHER.json MORE.json...
// The first two are loaded together, the first is played, and of each many instances hold it.
// Prints one JSON object a line.
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine.hpp"
#include "float_environment.hpp"
#include "lanes.hpp"
#include "preset_io.hpp"
#include "processor_clock.hpp"

namespace {

using namespace forestage;

constexpr int block_frames = 128;
constexpr int many = 64;

using SharedPreset = std::shared_ptr<const Preset>;

/// What the process has allocated.
double held_mb() {
  const auto info = mallinfo2();
  return 1e-6 * static_cast<double>(info.uordblks + info.hblkhd);
}

void print(const std::string& name, const char* unit, double value) {
  std::printf("{\"name\": \"%s\", \"%s\": %.2f}\n", name.c_str(), unit, value);
}

std::string kilohertz(double sample_rate) {
  std::string text = std::to_string(sample_rate / 1000.0);
  return text.substr(0, text.find_last_not_of("0.") + 1) + " kHz";
}

SharedPreset read(const char* path) { return std::make_shared<const Preset>(load_preset(path)); }

std::unique_ptr<Engine> make(double sample_rate, const SharedPreset& a, const SharedPreset& b) {
  auto engine = std::make_unique<Engine>(EngineSpec{sample_rate, static_cast<int>(a->drivers.size())});
  engine->load({{a, b}, {}});
  return engine;
}

void bench_loading(const char* path, const char* other) {
  double start = process_s();
  const SharedPreset a = read(path);
  const SharedPreset b = read(other);
  print("read two presets", "cpu_ms", 1e3 * (process_s() - start));
  for (const double sample_rate : {48000.0, 44100.0, 192000.0}) {
    const double before = held_mb();
    std::vector<std::unique_ptr<Engine>> engines;
    std::vector<double> ms, mb;
    for (int i = 0; i < 3; ++i) {
      start = process_s();
      engines.push_back(make(sample_rate, a, b));
      ms.push_back(1e3 * (process_s() - start));
      mb.push_back(held_mb() - before);
    }
    const std::string suffix = ", two slots with rooms, " + kilohertz(sample_rate);
    print("first engine" + suffix, "cpu_ms", ms[0]);
    print("further engine" + suffix, "cpu_ms", ms[2]);
    print("first engine" + suffix, "mb", mb[0]);
    print("further engine" + suffix, "mb", mb[2] - mb[1]);
  }
}

std::vector<std::unique_ptr<Engine>> make_many(const SharedPreset& preset) {
  std::vector<std::unique_ptr<Engine>> engines;
  for (int i = 0; i < many; ++i) engines.push_back(make(48000.0, preset, nullptr));
  return engines;
}

void bench_holding(const SharedPreset& preset) {
  const auto first = make(48000.0, preset, nullptr);
  const double before = held_mb();
  const auto engines = make_many(preset);
  print("each of 64 further engines, one slot with room, 48 kHz, " + preset->device, "mb", (held_mb() - before) / many);
}

void bench_playing(const SharedPreset& preset) {
  const auto engines = make_many(preset);
  Lanes io(static_cast<int>(preset->drivers.size()), block_frames);
  std::minstd_rand random(1);
  std::normal_distribution<float> noise(0.0f, 0.1f);
  std::array<std::array<float, block_frames>, 64> source{};
  for (auto& lane : source) std::ranges::generate(lane, [&] { return noise(random); });
  std::size_t next = 0;
  constexpr int blocks = 375;  // one second
  double fastest = 1e9;
  for (int run = 0; run < 3; ++run) {
    const double start = process_s();
    for (int block = 0; block < blocks; ++block) {
      for (const auto& engine : engines) {
        for (int c = 0; c < 2; ++c) std::copy_n(source[next++ % source.size()].data(), block_frames, io[c]);
        engine->process(io.block(block_frames));
      }
    }
    fastest = std::min(fastest, process_s() - start);
  }
  print("64 instances at once, Headphones, on one core", "x_real_time", 1.0 / fastest);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_instances PRESET.json OTHER.json MORE.json...\n");
    return 2;
  }
  const forestage::FlushToZero flush_to_zero;
  bench_loading(argv[1], argv[2]);
  for (int i = 1; i < argc; ++i) bench_holding(read(argv[i]));
  bench_playing(read(argv[1]));
  return 0;
}
