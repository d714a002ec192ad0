// Graphs are handed over, for presets and equalisers, while audio runs on another thread: the newest wins, none is lost
// or freed under the audio thread, and the sound stays finite. Run under the thread and address sanitizers (presets
// tsan and asan).
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "check_preset.hpp"
#include "engine.hpp"

/// Argument: how often to load something.
int main(int argument_count, char** arguments) {
  using namespace forestage;
  const int rounds = argument_count > 1 ? std::atoi(arguments[1]) : 120;
  const auto share = [](Preset preset) { return std::make_shared<const Preset>(std::move(preset)); };
  const std::array presets = {share(make_check_preset(1, 128)), share(make_check_preset(2, 256)),
                              share(make_check_preset(3, 512, 6000))};
  Engine engine({48000.0, 3});
  engine.load(Slot::a, presets[0]);

  std::atomic<bool> is_running{true};
  std::atomic<bool> is_finite{true};
  std::atomic<int> blocks{0};
  std::thread audio([&] {
    std::array<std::vector<float>, 3> memory;
    std::array<float*, 3> lanes{};
    for (std::size_t c = 0; c < lanes.size(); ++c) {
      memory[c].resize(128);
      lanes[c] = memory[c].data();
    }
    int frame = 0;
    while (is_running) {
      for (int n = 0; n < 128; ++n, ++frame) {
        lanes[0][n] = lanes[1][n] = 0.5f * std::sin(0.02f * static_cast<float>(frame));
      }
      engine.process({lanes.data(), 3, 128});
      for (const auto& lane : memory) {
        for (const float sample : lane) is_finite = is_finite && std::isfinite(sample);
      }
      ++blocks;
    }
  });

  for (int round = 0; round < rounds; ++round) {
    const Slot slot = round % 3 == 0 ? Slot::b : Slot::a;
    if (round % 17 == 16) {
      engine.unload(slot);
    } else {
      engine.load(slot, presets[static_cast<std::size_t>(round % 3)]);
    }
    if (round % 5 == 4) engine.set_headphone_eq(round % 2 == 0 ? std::optional(make_check_eq()) : std::nullopt);
    engine.set_param(Param::slot, static_cast<float>(round / 5 % 2));
    engine.set_param(Param::monitor, static_cast<float>(round % 4));
    engine.set_param(Param::room, static_cast<float>(round / 11 % 2));
    engine.set_param(Param::upmix_quality, static_cast<float>(round / 7 % 2));
  }
  const int seen = blocks;
  while (blocks < seen + 200) std::this_thread::yield();
  is_running = false;
  audio.join();
  std::printf("hand-over: %d blocks, sound %s\n", blocks.load(), is_finite ? "finite" : "NOT FINITE");
  return is_finite && engine.latency_frames() > 0 ? 0 : 1;
}
