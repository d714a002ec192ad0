#include "check_preset.hpp"

#include <random>

namespace forestage {
namespace {

Fir noise_fir(std::minstd_rand& random, int taps, int main_tap) {
  std::normal_distribution<float> noise(0.0f, 0.02f);
  Fir fir(static_cast<std::size_t>(taps));
  for (float& tap : fir) tap = noise(random);
  fir[static_cast<std::size_t>(main_tap)] += 0.7f;
  return fir;
}

Ears noise_ears(std::minstd_rand& random, std::size_t drivers, int taps) {
  Ears ears;
  ears.sample_rate = 48000;
  ears.delay_frames = 32;
  for (std::size_t ear = 0; ear < 2; ++ear) {
    for (std::size_t d = 0; d < drivers; ++d) ears.device[ear].push_back(noise_fir(random, taps, 32));
    for (std::size_t c = 0; c < 2; ++c) ears.reference[ear][c] = noise_fir(random, taps, 32);
  }
  return ears;
}

}  // namespace

Preset make_check_preset(unsigned seed, int taps, int room_taps) {
  std::minstd_rand random(seed);
  Preset preset;
  preset.name = "Check";
  preset.device = "check";
  preset.drivers = {{"left", 1.0f, 0.0f, {}}, {"right", 0.0f, 1.0f, {}}, {"center", 0.0f, 0.0f, {}}};
  for (const int rate : {44100, 48000, 88200, 96000, 176400, 192000}) {
    FilterSet set;
    set.sample_rate = rate;
    set.delay_frames = taps / 4;
    set.beam_align_frames = 12;
    for (std::size_t d = 0; d < preset.drivers.size(); ++d) {
      set.cancel.push_back({noise_fir(random, taps, taps / 4), noise_fir(random, taps, taps / 4)});
      set.beam.push_back(noise_fir(random, taps, taps / 4));
      set.driver_eq.push_back(noise_fir(random, 32, 0));
    }
    preset.filters.push_back(std::move(set));
  }
  preset.ears = noise_ears(random, preset.drivers.size(), 256);
  if (room_taps > 0) preset.room = Room{"check", noise_ears(random, preset.drivers.size(), room_taps), {}};
  return preset;
}

HeadphoneEq make_check_eq() {
  ParametricEq eq;
  eq.preamp_db = -6.0f;
  eq.bands = {{EqShape::low_shelf, 105.0f, 6.0f, 0.7f, {}}, {EqShape::peaking, 30.0f, 3.0f, 2.0f, {}}};
  return {"check", eq};
}

}  // namespace forestage
