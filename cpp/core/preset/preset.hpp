// What a preset is, as values. preset_io reads and writes it; graph.hpp makes a graph of it.
// Matrices of filters are [where it goes][where it comes from].
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "params.hpp"

namespace forestage {

inline constexpr int preset_schema = 2;

using Fir = std::vector<float>;  // taps; empty = silence
/// Room responses are most of a preset. Longer filters than this are held as FLAC where every tap is in fixed point of
/// 24 bits.
inline constexpr std::size_t long_taps = 4096;
inline constexpr std::size_t room_block_taps = 2048;  // of a FLAC frame
inline constexpr float max_tap = 1000.0f;             // 60 dB: past any filter, so damaged or not what it is said to be

struct DriverRoute {
  std::string name;
  float plain_left_gain = 0.0f;  // how plain stereo reaches this driver
  float plain_right_gain = 0.0f;
  std::optional<float> high_pass_hz;  // in its driver_eq, where no other driver plays what is below
  bool operator==(const DriverRoute&) const = default;
};

/// All filters of the chain at one sample rate. Cancel, beam and phantom carry `delay_frames` of modelling delay.
struct FilterSet {
  int sample_rate = 0;
  int delay_frames = 0;
  int cancel_align_frames = 0;  // extra delay of the faster path, so that L, R and C arrive together
  int beam_align_frames = 0;
  int crosstalk_delay_frames = 0;
  std::vector<Fir> crosstalk;  // [from left, from right]: weight of the virtual crosstalk; empty = all of it
  std::vector<std::array<Fir, 2>> cancel;  // [driver][left, right]
  std::vector<Fir> beam;                   // [driver]; empty = the device cannot beam, the center is mixed plain
  std::vector<Fir> phantom;                // [driver]; a beam as a phantom sounds; empty = the beam alone
  std::vector<Fir> driver_eq;              // [driver]; empty = flat
  std::vector<std::vector<Fir>> bass;      // [driver][from driver's feed], beside driver_eq; empty = none
  int driver_eq_delay_frames = 0;          // not in files: what converting minimum-phase filters to another rate adds
  bool operator==(const FilterSet&) const = default;
};

/// Device-to-ear responses of the headphones monitors. The main tap of the near ear stands at `delay_frames`.
struct Ears {
  int sample_rate = 0;
  int delay_frames = 0;
  std::array<std::vector<Fir>, 2> device;       // [ear][driver]
  std::array<std::array<Fir, 2>, 2> reference;  // [ear][channel]: the ideal pair
  bool operator==(const Ears&) const = default;
};

/// Static gains, from BS.1770 loudness of a reference programme at the ears.
struct Loudness {
  float processed_db = 0.0f;         // brings the design to plain stereo on the same device
  float device_ears_db = 0.0f;       // brings plain stereo at the simulated ears to the loudness of the input
  float reference_ears_db = 0.0f;    // the same for the reference pair
  std::optional<float> headroom_db;  // keeps programme within full scale; empty: estimated from the filters
  bool operator==(const Loudness&) const = default;
};

/// The headphones monitors in a room: ears that are as late as those of the free field, and gains of their own.
struct Room {
  std::string name;
  Ears ears;
  Loudness loudness;
  bool operator==(const Room&) const = default;
};

/// A curve that the editor and the report draw.
struct Curve {
  std::string name;
  std::string unit;
  std::vector<float> frequency_hz;
  std::vector<float> values;
  bool operator==(const Curve&) const = default;
};

/// A figure over the seats around the device. One row of `values` per distance, one after the other.
struct Map {
  std::string name;
  std::string unit;
  std::vector<float> lateral_m;   // to the listener's left of the device's axis
  std::vector<float> distance_m;  // from the device, along its axis
  std::vector<float> values;      // values[row * lateral_m.size() + column]
  bool operator==(const Map&) const = default;
};

/// What each driver makes of its feed, in front of its equaliser, all around the device in the plane of the listener.
struct Directions {
  std::vector<float> azimuth_deg;   // rising; positive to the listener's left
  std::vector<float> frequency_hz;  // rising
  std::vector<Fir> drivers;         // [driver]: real and imaginary part [azimuth][frequency], no filter
  bool operator==(const Directions&) const = default;
};

struct Preset {
  int schema = preset_schema;
  std::string name;
  std::string device;
  std::string text;                         // one line for a user
  std::map<std::string, float> parameters;  // parameter id -> value, only what the preset sets
  std::vector<DriverRoute> drivers;
  std::vector<FilterSet> filters;
  Ears ears;  // in the free field
  Loudness loudness;
  std::optional<Room> room;
  std::vector<Curve> analysis;
  std::vector<Map> maps;
  std::optional<Directions> directions;
  std::string design_json;  // provenance, opaque to the DSP
  bool operator==(const Preset&) const = default;
};

/// What a preset wants of a parameter; what it does not name, it means the default of.
inline float setting(const Preset& preset, const ParamSpec& row) {
  const auto found = preset.parameters.find(param_id(row));
  return found != preset.parameters.end() ? found->second : row.default_value;
}

}  // namespace forestage
