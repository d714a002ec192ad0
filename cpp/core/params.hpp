// THE table of host parameters. Plugin, preset, Python, README and tests loop over it; nothing declares a parameter
// twice. The id is snake(name) + "_" + unit: JSON key, LV2 symbol, Python keyword and pedalboard attribute alike.
// Append only; tests/core/test_params.py freezes ids and order.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace forestage {

enum class ParamKind {
  toggle,  // 0 or 1
  linear,  // any value in the range
  choice,  // index into `choices`
  status,  // index into `choices`; written by the engine, read-only for the host
  meter,   // any value in the range; written by the engine, read-only for the host
};

struct ParamSpec {
  std::string_view name;
  std::string_view unit;  // "" for percent and for plain numbers: hosts drop the sign
  float min_value;
  float max_value;
  float default_value;
  ParamKind kind;
  bool in_preset;  // false: belongs to the session, not to the sound
  std::span<const std::string_view> choices;
  std::string_view text;  // one sentence for a user
};

enum class Monitor { speakers, headphones, headphones_plain, headphones_reference };
enum class Slot { a, b };
enum class Solo { off, left, right, center };
enum class SafeHeadroom { off, strict, programme };
enum class UpmixQuality { low_latency, high_quality };
enum class Status { ok, no_preset, headphones_preview, converted_rate, no_room, more_in_session };

namespace param_detail {
inline constexpr std::string_view monitors[] = {"Speakers", "Headphones", "Headphones Plain", "Headphones Reference"};
inline constexpr std::string_view slots[] = {"A", "B"};
inline constexpr std::string_view solos[] = {"Off", "Left", "Right", "Center"};
inline constexpr std::string_view headrooms[] = {"Off", "Strict", "Programme"};  // 0 and 1 are those of sessions before
inline constexpr std::string_view clips[] = {"OK", "Clipped"};
inline constexpr std::string_view qualities[] = {"Low Latency", "High Quality"};
inline constexpr std::string_view statuses[] = {
    "OK",
    "No Preset: Passing Stereo Through",
    "Too Few Outputs For Speakers: Playing Headphones",
    "Preset Has No Filters For This Sample Rate: Converted",
    "Preset Has No Room: Playing The Free Field",
    "Session Holds More Than This Version Reads: Kept Whole",
};
}  // namespace param_detail

enum class Param {
  bypass,
  monitor,
  slot,
  amount,
  stage_width_deg,
  stage_crosstalk,
  cancellation,
  center_focus,
  center_level_db,
  upmix,
  solo,
  input_trim_db,
  output_trim_db,
  level_match,
  safe_headroom,
  status,
  upmix_quality,
  room,
  gain_db,
  reduction_db,
  peak_db,
  clip,
  center_presence,
  count,
};

// clang-format off
inline constexpr ParamSpec params[] = {
  {"Bypass", "", 0, 1, 0, ParamKind::toggle, false, {}, "Plays the input, delayed by the reported latency."},
  {"Monitor", "", 0, 3, 1, ParamKind::choice, false, param_detail::monitors,
   "What is heard: driver feeds, or the device, the unaided device or a reference pair on headphones."},
  {"Slot", "", 0, 1, 0, ParamKind::choice, false, param_detail::slots, "Which of the two loaded presets plays."},
  {"Amount", "", 0, 100, 100, ParamKind::linear, true, {},
   "From plain stereo on the device (0) to the whole design (100)."},
  {"Stage Width", "deg", 0, 90, 30, ParamKind::linear, true, {}, "Half angle of the virtual pair of loudspeakers."},
  {"Stage Crosstalk", "", 0, 100, 100, ParamKind::linear, true, {},
   "Crosstalk of the virtual pair; 0 leaves the ears as far apart as the cancellation can."},
  {"Cancellation", "", 0, 100, 100, ParamKind::linear, true, {},
   "Crosstalk cancellation of the real device, from none (0) to the designed filters (100)."},
  {"Center Focus", "", 0, 100, 100, ParamKind::linear, true, {},
   "From the plain mix of the center (0) to the designed beam (100)."},
  {"Center Level", "dB", -12, 6, 0, ParamKind::linear, true, {}, "Level of the extracted center."},
  {"Upmix", "", 0, 100, 100, ParamKind::linear, true, {},
   "How much of the center is taken out of left and right; 0 extracts nothing."},
  {"Solo", "", 0, 3, 0, ParamKind::choice, false, param_detail::solos, "Plays one of the three paths alone."},
  {"Input Trim", "dB", -24, 24, 0, ParamKind::linear, true, {}, "Gain before everything."},
  {"Output Trim", "dB", -24, 24, 0, ParamKind::linear, true, {}, "Gain after everything but the limiter."},
  {"Level Match", "", 0, 1, 1, ParamKind::toggle, true, {},
   "Plays the design as loud as plain stereo on the same device, A as loud as B, and bypass as loud as both."},
  {"Safe Headroom", "", 0, 2, 2, ParamKind::choice, true, param_detail::headrooms,
   "Keeps all that is heard within full scale: by a gain that music hardly ever needs more of and a limiter "
   "(Programme), or on Speakers by a gain for the worst of all inputs (Strict)."},
  {"Status", "", 0, 5, 0, ParamKind::status, false, param_detail::statuses,
   "What the plugin has to say about what is playing (read only)."},
  {"Upmix Quality", "", 0, 1, 0, ParamKind::choice, false, param_detail::qualities,
   "How well the center is found, and how late everything comes: the latency changes with it."},
  {"Room", "", 0, 1, 0, ParamKind::toggle, false, {},
   "Puts the headphones monitors into the room of the preset; off, nothing reflects."},
  {"Gain", "dB", -60, 0, 0, ParamKind::meter, false, {}, "What safe_headroom turns the monitor down by (read only)."},
  {"Reduction", "dB", 0, 60, 0, ParamKind::meter, false, {},
   "What the limiter took besides, at most in the last second (read only)."},
  {"Peak", "dB", -60, 40, -60, ParamKind::meter, false, {},
   "Highest sample of the last second, over full scale (read only)."},
  {"Clip", "", 0, 1, 0, ParamKind::status, false, param_detail::clips,
   "Whether anything went above full scale since the last reset (read only)."},
  {"Center Presence", "", 0, 100, 0, ParamKind::linear, true, {},
   "From a center as it is between two loudspeakers (0) to one that is flat, early and loud (100), in presets that "
   "have both."},
};
// clang-format on

inline constexpr std::size_t param_count = std::size(params);
static_assert(param_count == static_cast<std::size_t>(Param::count));

constexpr bool is_read_only(const ParamSpec& row) {
  return row.kind == ParamKind::status || row.kind == ParamKind::meter;
}

constexpr const ParamSpec& spec(Param id) { return params[static_cast<std::size_t>(id)]; }

/// snake(name) + "_" + unit, lower case.  [main] allocates
std::string param_id(const ParamSpec& spec);

}  // namespace forestage
