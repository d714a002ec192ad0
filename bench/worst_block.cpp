// The dearest block of what a session does to an engine, and of the upmix alone, in blocks of 32 frames.
// Usage: bench_worst_block PRESET OTHER
// Each event is repeated, with the same blocks after it. Of the block at each place the fastest of all repeats counts:
// what is left is work, not the machine's other business. Prints one JSON object a line.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "float_environment.hpp"
#include "lanes.hpp"
#include "preset_io.hpp"
#include "processor_clock.hpp"
#include "upmix.hpp"

namespace {

using namespace forestage;

constexpr int block_frames = 32;
constexpr int blocks_after = 4000;
constexpr int repeats = 26;  // 100 000 blocks in all

using SharedPreset = std::shared_ptr<const Preset>;

/// Plays noise to `process`, block by block.
class Player {
 public:
  Player(int channels, std::function<void(AudioBlock)> process)
      : process_(std::move(process)), io_(channels, block_frames) {
    std::minstd_rand random(1);
    std::normal_distribution<float> noise(0.0f, 0.1f);
    for (auto& lane : source_) std::ranges::generate(lane, [&] { return noise(random); });
  }

  double play_us() {
    for (int c = 0; c < 2; ++c) std::copy_n(source_[next_++ % source_.size()].data(), block_frames, io_[c]);
    const double start = thread_s();
    process_(io_.block(block_frames));
    return 1e6 * (thread_s() - start);
  }

 private:
  std::function<void(AudioBlock)> process_;
  Lanes io_;
  std::array<std::array<float, block_frames>, 64> source_{};
  std::size_t next_ = 0;
};

/// A thread that loads while the audio thread plays on, as hosts do.
class Loader {
 public:
  Loader() : thread_([this](const std::stop_token& stop) { work(stop); }) {}
  ~Loader() {
    thread_.request_stop();
    start();
  }

  /// Returns the dearest of the last blocks: one of them, or the next, is the first with what was loaded.
  double run(const std::function<void()>& load, Player& player) {
    load_ = load;
    start();
    std::array<double, 16> last_us{};
    for (std::size_t n = 0; is_busy_; ++n) last_us[n % last_us.size()] = player.play_us();
    return std::ranges::max(last_us);
  }

 private:
  void start() {
    is_busy_ = true;
    is_busy_.notify_one();
  }
  void work(const std::stop_token& stop) {
    for (is_busy_.wait(false); !stop.stop_requested(); is_busy_.wait(false)) {
      load_();
      is_busy_ = false;
    }
  }

  std::function<void()> load_;
  std::atomic<bool> is_busy_ = false;
  std::jthread thread_;
};

struct Worst {
  double median_us;
  double worst_us;
  int at;  // blocks after the event
};

/// `event(repeat)` happens in front of the first block, which takes no less than it returns; there and back it counts
/// apart.
Worst worst_of(Player& player, const std::function<double(int)>& event) {
  std::vector<double> fastest(2 * blocks_after, 1e300);
  for (int repeat = 0; repeat < repeats; ++repeat) {
    double least_us = event(repeat);
    const int first = repeat % 2 * blocks_after;
    for (int block = 0; block < blocks_after; ++block) {
      double& us = fastest[static_cast<std::size_t>(first + block)];
      us = std::min(us, std::max(player.play_us(), std::exchange(least_us, 0.0)));
    }
  }
  const auto worst = std::ranges::max_element(fastest);
  const Worst found{0.0, *worst, static_cast<int>(worst - fastest.begin()) % blocks_after};
  std::ranges::nth_element(fastest, fastest.begin() + blocks_after);
  return {fastest[blocks_after], found.worst_us, found.at};
}

void print(const std::string& name, double sample_rate, double steady_us, const Worst& found) {
  const double period_us = 1e6 * block_frames / sample_rate;
  std::printf(
      "{\"name\": \"%s\", \"median_us\": %.2f, \"worst_us\": %.2f, \"at_block\": %d, \"x_median\": %.1f, "
      "\"percent_of_period\": %.1f}\n",
      name.c_str(), steady_us, found.worst_us, found.at, found.worst_us / steady_us,
      100.0 * found.worst_us / period_us);
}

std::string at_rate(double sample_rate) { return ", " + std::to_string(static_cast<int>(sample_rate)) + " Hz"; }

double nothing(int) { return 0.0; }

void bench(double sample_rate, bool in_room, const SharedPreset& a, const SharedPreset& b) {
  const int channels = static_cast<int>(std::max(a->drivers.size(), b->drivers.size()));
  Engine engine({sample_rate, channels});
  engine.load({{a, b}, {}});
  Player player(channels, [&](AudioBlock io) { engine.process(io); });
  engine.set_param(Param::room, in_room ? 1.0f : 0.0f);
  const auto turn = [&](Param param, float first) {
    return [&engine, param, first](int repeat) {
      engine.set_param(param, first + static_cast<float>(repeat % 2));
      return 0.0;
    };
  };
  double steady_us = 0.0;
  const auto row = [&](const char* name, const std::function<double(int)>& event) {
    for (int block = 0; block < blocks_after; ++block) player.play_us();  // what was before is over
    const Worst found = worst_of(player, event);
    if (steady_us == 0.0) steady_us = found.median_us;
    print(name + at_rate(sample_rate) + (in_room ? ", room" : ", free field"), sample_rate, steady_us, found);
  };
  row("steady", nothing);
  row("slot", turn(Param::slot, 0.0f));
  engine.set_param(Param::slot, 0.0f);
  row("monitor", turn(Param::monitor, 1.0f));
  engine.set_param(Param::monitor, 1.0f);
  row("quality", turn(Param::upmix_quality, 0.0f));
  engine.set_param(Param::upmix_quality, 0.0f);
  const auto load = [&](int repeat) { engine.load(Slot::a, repeat % 2 == 0 ? b : a); };
  Loader loader;
  row("preset", [&](int repeat) { return loader.run([&] { load(repeat); }, player); });
  row("preset loaded between two blocks", [&](int repeat) {
    load(repeat);
    return 0.0;
  });
  row("reset", [&](int) {
    engine.reset();
    return 0.0;
  });
}

void bench_upmix(double sample_rate, UpmixQuality quality) {
  Upmix upmix(sample_rate, quality);
  const std::vector<float> amount(block_frames, 1.0f);
  Player player(3, [&](AudioBlock io) { upmix.process({io.lanes, 2, io.frames}, amount.data(), io); });
  const Worst found = worst_of(player, nothing);
  const std::string name(param_detail::qualities[static_cast<std::size_t>(quality)]);
  print("upmix alone, " + name + at_rate(sample_rate), sample_rate, found.median_us, found);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_worst_block PRESET.json OTHER.json\n");
    return 2;
  }
  const forestage::FlushToZero flush_to_zero;
  const auto read = [](const char* path) {
    return std::make_shared<const forestage::Preset>(forestage::load_preset(path));
  };
  const auto a = read(argv[1]);
  const auto b = read(argv[2]);
  bench(48000.0, false, a, b);
  bench(48000.0, true, a, b);
  bench(192000.0, true, a, b);
  for (const double sample_rate : {48000.0, 96000.0, 192000.0}) {
    for (const UpmixQuality quality : {UpmixQuality::low_latency, UpmixQuality::high_quality}) {
      bench_upmix(sample_rate, quality);
    }
  }
  return 0;
}
