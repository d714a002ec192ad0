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
  std::string_view text;      // one sentence for a user
  bool was_toggle = false;    // a choice whose 0 and 1 are Off and On of sessions and automation before
  bool is_momentary = false;  // a deed, which no session repeats when it opens
  bool is_count = false;      // a whole number, however finely hosts divide the range
};

enum class Monitor { speakers, headphones, headphones_plain, headphones_reference };
enum class Slot { a, b };
enum class Solo { off, left, right, center };
enum class LevelMatch { off, calibrated, programme };
enum class SafeHeadroom { off, strict, programme };
enum class UpmixQuality { low_latency, high_quality };
enum class Blind { off, preference, abx };
enum class BlindPair { slots, design_plain, design_reference, plain_reference };
enum class BlindListen { x, y, a, b };
enum class BlindAnswer { none, x, y };
enum class Status { ok, no_preset, headphones_preview, converted_rate, no_room, more_in_session, nothing_to_compare };

namespace param_detail {
inline constexpr std::string_view monitors[] = {"Speakers", "Headphones", "Headphones Plain", "Headphones Reference"};
inline constexpr std::string_view slots[] = {"A", "B"};
inline constexpr std::string_view solos[] = {"Off", "Left", "Right", "Center"};
inline constexpr std::string_view level_matches[] = {"Off", "Calibrated", "Programme"};
inline constexpr std::string_view headrooms[] = {"Off", "Strict", "Programme"};
inline constexpr std::string_view clips[] = {"OK", "Clipped"};
inline constexpr std::string_view qualities[] = {"Low Latency", "High Quality"};
inline constexpr std::string_view blinds[] = {"Off", "Preference", "ABX"};
inline constexpr std::string_view blind_pairs[] = {"Slots A And B", "Design And Plain", "Design And Reference",
                                                   "Plain And Reference"};
inline constexpr std::string_view blind_listens[] = {"X", "Y", "A", "B"};
inline constexpr std::string_view blind_answers[] = {"None", "X", "Y"};
inline constexpr std::string_view statuses[] = {
    "OK",
    "No Preset: Passing Stereo Through",
    "Too Few Outputs For Speakers: Playing Headphones",
    "Preset Has No Filters For This Sample Rate: Converted",
    "Preset Has No Room: Playing The Free Field",
    "Session Holds More Than This Version Reads: Kept Whole",
    "Nothing To Compare Blind: Two Presets, Or For The Reference Headphones, Are Needed",
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
  match_gain_db,
  blind,
  blind_pair,
  blind_trials,
  blind_listen,
  blind_answer,
  blind_trial,
  blind_hits,
  blind_p,
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
  {"Level Match", "", 0, 2, 1, ParamKind::choice, true, param_detail::level_matches,
   "Plays the design as loud as plain stereo on the same device, A as loud as B, and bypass as loud as both: for noise "
   "with the spectrum of music (Calibrated), or for what plays, which is measured (Programme).", true},
  {"Safe Headroom", "", 0, 2, 2, ParamKind::choice, true, param_detail::headrooms,
   "Keeps all that is heard within full scale: by a gain that music hardly ever needs more of and a limiter "
   "(Programme), or on Speakers by a gain for the worst of all inputs (Strict).", true},
  {"Status", "", 0, 6, 0, ParamKind::status, false, param_detail::statuses,
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
  {"Match Gain", "dB", -60, 0, 0, ParamKind::meter, false, {},
   "What level_match = Programme turns what is heard down by, to be as loud as what it is compared with (read only)."},
  {"Blind", "", 0, 2, 0, ParamKind::choice, false, param_detail::blinds,
   "Begins blind trials, and ends them (Off): which of X and Y is liked better (Preference), or which of them is A "
   "(ABX).", false, true},
  {"Blind Pair", "", 0, 3, 0, ParamKind::choice, false, param_detail::blind_pairs,
   "What blind trials compare, A and B: the two slots, or two monitors of the slot that plays. Taken when they begin."},
  {"Blind Trials", "", 1, 100, 12, ParamKind::linear, false, {},
   "How many blind trials there are. Taken when they begin.", false, false, true},
  {"Blind Listen", "", 0, 3, 0, ParamKind::choice, false, param_detail::blind_listens,
   "What is heard in a blind trial: X or Y, and in ABX also A or B.", false, true},
  {"Blind Answer", "", 0, 2, 0, ParamKind::choice, false, param_detail::blind_answers,
   "Answers a blind trial, once for each time that it leaves None: the one that is liked better, or the one that is A.",
   false, true},
  {"Blind Trial", "", 0, 100, 0, ParamKind::meter, false, {},
   "The blind trial that is to be answered, 0 for none (read only).", false, false, true},
  {"Blind Hits", "", 0, 100, 0, ParamKind::meter, false, {},
   "How often A was preferred, or found, in the last blind trials, once all are answered (read only).",
   false, false, true},
  {"Blind P", "", 0, 1, 1, ParamKind::meter, false, {},
   "How likely that is by guessing: for both sides for a preference, for as many or more in ABX (read only)."},
};
// clang-format on

inline constexpr std::size_t param_count = std::size(params);
static_assert(param_count == static_cast<std::size_t>(Param::count));

/// Not one of a few.
constexpr bool has_any_value(const ParamSpec& row) {
  return row.kind == ParamKind::linear || row.kind == ParamKind::meter;
}

/// Shown with a sign that is not part of its unit.
constexpr bool is_percent(const ParamSpec& row) {
  return has_any_value(row) && row.unit.empty() && row.max_value == 100.0f && !row.is_count;
}

constexpr bool is_read_only(const ParamSpec& row) {
  return row.kind == ParamKind::status || row.kind == ParamKind::meter;
}

/// Part of what sessions keep.
constexpr bool is_kept(const ParamSpec& row) { return !is_read_only(row) && !row.is_momentary; }

constexpr const ParamSpec& spec(Param id) { return params[static_cast<std::size_t>(id)]; }

/// The value as hosts have it that know nothing but 0 to 1. What was a toggle keeps its two values at the two ends, and
/// what was added stands between them.
constexpr float normalised(const ParamSpec& row, float plain) {
  const float clamped = plain < row.min_value ? row.min_value : plain > row.max_value ? row.max_value : plain;
  if (!row.was_toggle || clamped == 0.0f) return (clamped - row.min_value) / (row.max_value - row.min_value);
  return clamped == 1.0f ? 1.0f : (clamped - 1.0f) / row.max_value;
}

/// And back; whole numbers for all but linear rows and meters.
float plain_of(const ParamSpec& row, double normalised) noexcept;

/// snake(name) + "_" + unit, lower case.  [main] allocates
std::string param_id(const ParamSpec& spec);

}  // namespace forestage
