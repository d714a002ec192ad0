// Plays noise through the whole chain for each line that it reads, and prints what that took: ns of processor time per
// frame. Usage: bench_play PRESET.json; a line is MONITOR QUALITY BLOCK MOVES, in numbers: half a second in blocks of
// so many frames, with width and amount in motion or not.
// It compiles against older cores as well, so that bench/against.py can hold them against this one, turn by turn.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "engine.hpp"
#include "float_environment.hpp"
#include "preset_io.hpp"
#include "processor_clock.hpp"

namespace {

using namespace forestage;

constexpr double sample_rate = 48000.0;
constexpr int most_block_frames = 2048;
constexpr int played_frames = 24576;
constexpr int most_lanes = 16;

using Case = std::tuple<int, int, int, int>;  // monitor, quality, frames of a block, whether knobs move

/// A template, as older engines take a preset by value.
template <class AnyEngine>
void load(AnyEngine& engine, const Preset& preset) {
  if constexpr (requires { engine.load(Slot::a, preset); }) {
    engine.load(Slot::a, preset);
  } else {
    engine.load(Slot::a, std::make_shared<const Preset>(preset));
  }
}

class Player {
 public:
  Player(const Preset& preset, int monitor, int quality)
      : engine_({sample_rate, static_cast<int>(preset.drivers.size())}),
        memory_(preset.drivers.size(), std::vector<float>(most_block_frames)) {
    load(engine_, preset);
    engine_.set_param(Param::monitor, static_cast<float>(monitor));
    engine_.set_param(Param::upmix_quality, static_cast<float>(quality));
    std::minstd_rand random(1);
    std::normal_distribution<float> noise(0.0f, 0.1f);
    for (auto& lane : source_) std::ranges::generate(lane, [&] { return noise(random); });
  }

  double play_ns(int block_frames, bool moves) {
    std::array<float*, most_lanes> lanes{};
    std::ranges::transform(memory_, lanes.begin(), [](auto& lane) { return lane.data(); });
    const int blocks = played_frames / block_frames;
    const double start = thread_s();
    for (int block = 0; block < blocks; ++block) {
      for (std::size_t c = 0; c < 2; ++c) std::copy_n(source_[next_++ % source_.size()].data(), block_frames, lanes[c]);
      if (moves) {
        phase_ = std::fmod(phase_ + 0.01f, 1.0f);
        engine_.set_param(Param::stage_width_deg, 20.0f + 20.0f * phase_);
        engine_.set_param(Param::amount, 50.0f + 40.0f * phase_);
      }
      engine_.process({lanes.data(), static_cast<int>(memory_.size()), block_frames});
    }
    return 1e9 * (thread_s() - start) / (blocks * block_frames);
  }

 private:
  Engine engine_;
  std::vector<std::vector<float>> memory_;
  std::array<std::array<float, most_block_frames>, 16> source_{};
  std::size_t next_ = 0;
  float phase_ = 0.0f;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_play PRESET.json\n");
    return 2;
  }
  const FlushToZero flush_to_zero;
  const Preset preset = load_preset(argv[1]);
  std::map<Case, Player> players;
  int monitor = 0, quality = 0, block_frames = 0, moves = 0;
  while (std::scanf("%d %d %d %d", &monitor, &quality, &block_frames, &moves) == 4) {
    const Case asked{monitor, quality, block_frames, moves};
    if (!players.contains(asked)) {
      players.try_emplace(asked, preset, monitor, quality).first->second.play_ns(block_frames, moves != 0);
    }
    std::printf("%.3f\n", players.at(asked).play_ns(block_frames, moves != 0));
    std::fflush(stdout);
  }
  return 0;
}
