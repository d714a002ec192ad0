// A session brings presets packed: those that somebody holds are known by their bytes and not read again, others are
// read, and what is more than a preset of today stays whole.
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "check_preset.hpp"
#include "state.hpp"

namespace {

using namespace forestage;

int failures = 0;

void expect(bool is_right, const char* what) {
  if (is_right) return;
  ++failures;
  std::printf("FAILED %s\n", what);
}

using SharedPreset = std::shared_ptr<const Preset>;

void check_held_presets_are_not_read() {
  const auto a = std::make_shared<const Preset>(make_check_preset(2, 100));
  const auto b = std::make_shared<const Preset>(make_check_preset(3, 200));
  const std::string packed_a = packed_preset(*a);
  const std::string packed_b = packed_preset(*b);
  const std::string bytes = packed_state(PluginState{}, {packed_a, packed_b});
  int asked = 0;
  const auto [state, packed] = read_state(bytes, [&](std::string_view part) -> SharedPreset {
    ++asked;
    return part == packed_a ? a : nullptr;
  });
  expect(asked == 2, "each packed preset is asked for");
  expect(state.a == a, "a preset that is held is the very one");
  expect(state.b != b && state.b && *state.b == *b, "another one is read");
  expect(packed[0] == packed_a && packed[1] == packed_b, "the bytes of each slot are told");
  expect(state.kept.empty() && state.notes.empty(), "nothing more is in it");
}

void check_empty_slots() {
  const auto b = std::make_shared<const Preset>(make_check_preset(2, 100));
  const std::string part = packed_preset(*b);
  const std::string bytes = packed_state(PluginState{}, {"", part});
  const auto [state, packed] = read_state(bytes, {});
  expect(!state.a && state.b && *state.b == *b, "an empty slot stays empty");
  expect(packed[0].empty() && packed[1] == part, "and has no bytes");
}

void check_what_is_kept_is_whole() {
  const Preset preset = make_check_preset(2, 100);
  const std::string part = packed_preset(preset);
  const std::string bytes = packed_state(PluginState{.parameters = {{"of_later", 1.0f}}}, {part, ""});
  std::string text = unpacked_state(bytes);
  text.insert(1, "\"later\": {}, ");
  const std::string packed_text = packed_state(text);
  const auto [state, packed] = read_state(packed_text, {});
  expect(state.kept == text, "a state with more in it is kept as its whole text");
  expect(state.a && *state.a == preset, "and plays");
  expect(packed[0].empty(), "its presets are read from text");
}

}  // namespace

int main() {
  check_held_presets_are_not_read();
  check_empty_slots();
  check_what_is_kept_is_whole();
  return failures == 0 ? 0 : 1;
}
