// What engines hold: a further one that plays what another plays shares all that is only read, and two slots with rooms
// stay within bounds. Counted is what the allocator has given out, so that every run counts alike.
// Arguments: the two presets of a new plugin, and the two with most drivers, all with rooms.
#include <malloc.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine.hpp"
#include "preset_io.hpp"

namespace {

using namespace forestage;

int failures = 0;

double held_mb() {
  const auto info = mallinfo2();
  return 1e-6 * static_cast<double>(info.uordblks + info.hblkhd);
}

void expect_at_most(double most_mb, double mb, const std::string& what) {
  std::printf("%s: %.2f MB, at most %.1f\n", what.c_str(), mb, most_mb);
  if (!(mb > 0.5 && mb <= most_mb)) {
    ++failures;
    std::printf("FAILED %s\n", what.c_str());
  }
}

std::unique_ptr<Engine> make(double sample_rate, const EngineContents& contents) {
  auto engine = std::make_unique<Engine>(EngineSpec{sample_rate, 2});
  engine->load(contents);
  return engine;
}

void check_two_slots(const std::string& a, const std::string& b, double sample_rate, double most_mb) {
  const double before = held_mb();
  const auto read = [](const std::string& path) { return std::make_shared<const Preset>(load_preset(path)); };
  const EngineContents contents{{read(a), read(b)}, {}};
  const auto engine = make(sample_rate, contents);
  expect_at_most(most_mb, held_mb() - before, "two slots with rooms, presets included");
}

/// Presets that were read twice are two presets, with the same content.
void check_many(const std::string& path, double most_mb) {
  constexpr int further = 63;
  const auto read = [&] { return std::make_shared<const Preset>(load_preset(path)); };
  const EngineContents contents{{read(), nullptr}, {}};
  std::vector<std::unique_ptr<Engine>> engines;
  engines.push_back(make(48000.0, contents));
  const double before = held_mb();
  for (int i = 0; i < further; ++i) engines.push_back(make(48000.0, contents));
  expect_at_most(most_mb, (held_mb() - before) / further, "each further engine with the preset");

  const double with_same = held_mb();
  const EngineContents same_content{{read(), nullptr}, {}};
  const double preset_mb = held_mb() - with_same;
  const double without_engine = held_mb();
  engines.push_back(make(48000.0, same_content));
  expect_at_most(most_mb + preset_mb, held_mb() - without_engine, "a further engine with its content");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  check_two_slots(argv[1], argv[2], 48000.0, 15.0);
  check_two_slots(argv[1], argv[2], 192000.0, 18.0);
  check_two_slots(argv[3], argv[4], 48000.0, 25.0);
  check_two_slots(argv[3], argv[4], 192000.0, 32.0);
  check_many(argv[1], 3.5);
  check_many(argv[3], 4.6);
  check_many(argv[4], 4.5);
  return failures == 0 ? 0 : 1;
}
