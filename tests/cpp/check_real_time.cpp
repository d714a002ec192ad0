// Proof that the audio thread never allocates, locks or throws: Engine::process and Engine::reset run under the hooks
// of real_time_hooks.hpp, through everything a session can do to them.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "check_preset.hpp"
#include "engine.hpp"
#include "level_tap.hpp"
#include "real_time_hooks.hpp"
#include "sound_tap.hpp"

namespace {

using namespace forestage;

class Player {
 public:
  explicit Player(double sample_rate) : engine_({sample_rate, 3}) {
    for (auto& lane : memory_) lane.resize(8192);
    for (std::size_t c = 0; c < lanes_.size(); ++c) lanes_[c] = memory_[c].data();
  }

  Counts play(int frames, float bad_sample = 0.0f) {
    for (auto& lane : memory_) {
      for (int n = 0; n < frames; ++n) lane[static_cast<std::size_t>(n)] = std::sin(0.05f * static_cast<float>(n));
    }
    if (frames > 0) memory_[0][0] += bad_sample;
    return watch([&] { engine_.process({lanes_.data(), 3, frames}); });
  }

  Engine& engine() { return engine_; }

 private:
  Engine engine_;
  std::array<std::vector<float>, 3> memory_;
  std::array<float*, 3> lanes_{};
};

int failures = 0;

void expect_none(const char* what, const Counts& found) {
  if (found.total() == 0) return;
  ++failures;
  std::printf("FAILED %s: %d allocations, %d locks, %d throws\n", what, found.allocations, found.locks, found.throws);
}

/// Meters and the spectrum of a window that is open, and that somebody closes and opens.
void check_taps() {
  plugin::LevelTap levels;
  plugin::SoundTap sound;
  std::array<std::vector<float>, 3> memory;
  std::array<float*, 3> lanes{};
  for (std::size_t c = 0; c < lanes.size(); ++c) {
    memory[c].assign(8192, 0.1f);
    lanes[c] = memory[c].data();
  }
  Counts sum;
  for (const double sample_rate : {48000.0, 96000.0}) {
    levels.watch(sample_rate);
    sound.listen(3, 16384);
    for (const int frames : {0, 1, 64, 8192, 480}) {
      sum += watch([&] {
        levels.read_input({lanes.data(), 3, frames});
        levels.read_output({lanes.data(), 3, frames});
        sound.write({lanes.data(), 3, frames});
      });
    }
    levels.forget();
  }
  expect_none("meters", sum);
}

/// Every block size, every parameter jumping to both ends, every monitor, both slots, presets and equalisers changing,
/// bad samples.
void check_engine(double sample_rate) {
  const auto short_preset = std::make_shared<const Preset>(make_check_preset(1, 256));
  const auto long_preset = std::make_shared<const Preset>(make_check_preset(2, 1024, 6000));
  Player player(sample_rate);
  Counts sum;
  sum += player.play(64);  // no preset yet
  player.engine().load(Slot::a, short_preset);
  player.engine().load(Slot::b, long_preset);
  for (const int frames : {0, 1, 17, 64, 128, 480, 1024, 8192}) sum += player.play(frames);
  // No delay between the ears, and blocks that end everywhere in buffers, also at their end
  player.engine().set_param(Param::stage_width_deg, 0.0f);
  for (int block = 0; block < 100; ++block) sum += player.play(33);
  expect_none("blocks", sum);

  for (std::size_t p = 0; p < param_count; ++p) {
    sum = {};
    for (const float value : {params[p].max_value, params[p].min_value, params[p].default_value}) {
      player.engine().set_param(static_cast<Param>(p), value);
      for (int block = 0; block < 40; ++block) sum += player.play(480);
    }
    expect_none(param_id(params[p]).c_str(), sum);
  }

  sum = {};
  for (int round = 0; round < 8; ++round) {
    player.engine().load(round % 2 == 0 ? Slot::a : Slot::b, round % 3 == 0 ? long_preset : short_preset);
    player.engine().set_param(Param::slot, static_cast<float>(round / 2 % 2));
    for (int block = 0; block < 60; ++block) sum += player.play(256);
  }
  expect_none("preset changes", sum);

  sum = {};
  for (const bool has_eq : {true, false, true}) {
    player.engine().set_headphone_eq(has_eq ? std::optional(make_check_eq()) : std::nullopt);
    for (int block = 0; block < 120; ++block) sum += player.play(256);
  }
  expect_none("equaliser changes", sum);

  sum = player.play(512, std::numeric_limits<float>::quiet_NaN());
  sum += player.play(512, std::numeric_limits<float>::infinity());
  sum += player.play(512);
  sum += watch([&] { player.engine().reset(); });
  expect_none("bad samples and reset", sum);
}

/// Every monitor plays in half a second of room and in the free field, and hands over to the next.
void check_room(double sample_rate) {
  const auto preset = std::make_shared<const Preset>(make_check_preset(3, 256, 24000));
  Player player(sample_rate);
  player.engine().load(Slot::a, preset);
  Counts sum = player.play(64);
  for (const auto& [monitor, room] : {std::pair{1.0f, 0.0f}, {1.0f, 1.0f}, {2.0f, 1.0f}, {3.0f, 1.0f}, {0.0f, 1.0f}}) {
    player.engine().set_param(Param::monitor, monitor);
    player.engine().set_param(Param::room, room);
    const int until_it_sounds = player.engine().tail_frames() + static_cast<int>(sample_rate / 10);
    for (int done = 0; done < until_it_sounds; done += 17 + 128 + 480) {
      for (const int frames : {17, 128, 480}) sum += player.play(frames);
    }
  }
  sum += watch([&] { player.engine().reset(); });
  sum += player.play(8192);
  expect_none("room", sum);
}

void allocate() noexcept FORESTAGE_NONBLOCKING { delete new volatile int(1); }

/// Where a sanitizer watches, it ends what allocates.
void check_sanitizer() {
  std::printf("an error of the sanitizer is meant to follow\n");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    allocate();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return;
  ++failures;
  std::printf("FAILED the sanitizer does not watch\n");
}

/// The hooks themselves must see what they claim to see.
void check_hooks() {
  if (!is_counting()) return check_sanitizer();
  const Counts allocation = watch([] { delete new volatile int(1); });
  const Counts lock = watch([] {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
  });
  const Counts exception = watch([] {
    try {
      throw 1;
    } catch (int) {
    }
  });
  if (allocation.allocations < 2 || lock.locks != 1 || exception.throws != 1) {
    ++failures;
    std::printf("FAILED the hooks do not count\n");
  }
}

}  // namespace

/// Arguments are sample rates; all kinds without any.
int main(int argument_count, char** arguments) {
  std::vector<double> sample_rates;
  for (int i = 1; i < argument_count; ++i) sample_rates.push_back(std::atof(arguments[i]));
  if (sample_rates.empty()) sample_rates = {44100.0, 48000.0, 50000.0, 96000.0, 192000.0};
  check_hooks();
  check_taps();
  for (const double sample_rate : sample_rates) {
    check_engine(sample_rate);
    check_room(sample_rate);
  }
  std::printf("real time: %s\n", failures == 0 ? "process() never allocates, locks or throws" : "FAILED");
  return failures == 0 ? 0 : 1;
}
