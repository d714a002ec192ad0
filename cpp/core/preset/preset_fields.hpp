// THE structure of a preset: one row per key. Reader, writer, schema, checks, the conversion to other sample rates and
// Python are loops over these rows. A new key is a member in preset.hpp and a row here; what Python designs has it in
// forestage/firs.py, too. A new kind of value is a rule here and one overload in each of read_preset.cpp,
// write_preset.cpp and schema.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "preset.hpp"

namespace forestage::preset_detail {

// Rules: what a value may be. Whether a Number is whole follows from the type of the member.
struct Number {
  double min_value;
  double max_value;
  std::string_view unit = "";
};
struct SampleRate {};  // one of required_sample_rates
struct Text {
  std::size_t min_chars;
  std::size_t max_chars;
};
struct Taps {};        // fir_text.hpp
struct Parameters {};  // ids and ranges from the table in params.hpp, those of the preset only
struct FreeForm {};    // any object; kept as its JSON text
struct Object {};      // a struct with rows of its own
template <class Item>
struct List {
  std::size_t min_items;
  std::size_t max_items;
  Item item;
};
template <class Item>
struct Pair {
  Item item;
};

/// Whether values of a rule are filters, however deep in lists.
template <class Rule>
inline constexpr bool holds_filters = false;
template <>
inline constexpr bool holds_filters<Taps> = true;
template <class Item>
inline constexpr bool holds_filters<List<Item>> = holds_filters<Item>;
template <class Item>
inline constexpr bool holds_filters<Pair<Item>> = holds_filters<Item>;

enum class Need { required, optional };  // optional: absent when empty, as std::optional can be

template <class Struct, class Value, class Rule>
struct Field {
  std::string_view key;
  Value Struct::*member;
  Rule rule;
  Need need;
  std::string_view text;
  static constexpr bool is_filters = holds_filters<Rule>;
  // Of filters: the members that say how late their main tap is, and what whole frames are waited besides
  int Struct::*delay = nullptr;
  int Struct::*align = nullptr;
  bool is_per_driver = false;  // a row of filters for each driver, or none at all where optional

  constexpr Field delayed(int Struct::*by, int Struct::*aligned_by = nullptr) const {
    Field row = *this;
    row.delay = by;
    row.align = aligned_by;
    return row;
  }
  constexpr Field per_driver() const {
    Field row = *this;
    row.is_per_driver = true;
    return row;
  }
};

template <class Struct, class Value, class Rule>
constexpr Field<Struct, Value, Rule> field(std::string_view key, Value Struct::*member, Rule rule,
                                           std::string_view text, Need need = Need::required) {
  return {key, member, rule, need, text};
}

inline constexpr std::array<int, 6> required_sample_rates{44100, 48000, 88200, 96000, 176400, 192000};
inline constexpr std::size_t min_drivers = 2;
inline constexpr std::size_t max_drivers = 16;
/// Room enough for any room; bounds what a conversion to a higher rate may take.
inline constexpr int longest_ears_s = 2;

inline constexpr Text name_rule{1, 100};
inline constexpr Number delay_rule{0, 65535, "frames"};
inline constexpr Number gain_rule{-10, 10};
inline constexpr Number loudness_rule{-60, 60, "dB"};
inline constexpr List<Taps> firs_of_drivers{min_drivers, max_drivers, {}};
inline constexpr List<Taps> firs_or_none{0, max_drivers, {}};
inline constexpr List<Pair<Taps>> fir_pairs_of_drivers{min_drivers, max_drivers, {}};

/// The rows of a struct: specialised below, once per struct of preset.hpp.
template <class Struct>
inline constexpr std::tuple<> fields{};

/// Whether a row that each_field() visits is one of filters, as a constant.
template <class Row>
inline constexpr bool is_filters = std::remove_cvref_t<Row>::is_filters;

/// Calls visit(row) for every row of a struct, in their order.
template <class Struct, class Visit>
void each_field(Visit&& visit) {
  std::apply([&](const auto&... row) { (visit(row), ...); }, fields<Struct>);
}

template <>
inline constexpr auto fields<DriverRoute> = std::tuple{
    field("name", &DriverRoute::name, name_rule, "What the driver is called; no two alike."),
    field("plain_left_gain", &DriverRoute::plain_left_gain, gain_rule,
          "How left of plain stereo reaches this driver, linear."),
    field("plain_right_gain", &DriverRoute::plain_right_gain, gain_rule,
          "How right of plain stereo reaches this driver, linear."),
    field("high_pass_hz", &DriverRoute::high_pass_hz, Number{1, 96000, "Hz"},
          "Below, what it should play is left out by a high-pass in its driver_eq, as no other driver plays it.",
          Need::optional),
};

template <>
inline constexpr auto fields<FilterSet> = std::tuple{
    field("sample_rate", &FilterSet::sample_rate, SampleRate{}, "The rate these filters are for, in Hz."),
    field("delay_frames", &FilterSet::delay_frames, delay_rule,
          "Modelling delay in every cancel, beam and phantom filter."),
    field("cancel_align_frames", &FilterSet::cancel_align_frames, delay_rule,
          "Extra delay of left and right, so that the three paths arrive together."),
    field("beam_align_frames", &FilterSet::beam_align_frames, delay_rule,
          "Extra delay of the center, so that the three paths arrive together."),
    field("crosstalk_delay_frames", &FilterSet::crosstalk_delay_frames, delay_rule,
          "Modelling delay in every crosstalk filter.", Need::optional),
    field("crosstalk", &FilterSet::crosstalk, List<Taps>{0, 2, {}},
          "From left, from right: how much virtual crosstalk is played, where the real one is gone. Empty: all of it.",
          Need::optional)
        .delayed(&FilterSet::crosstalk_delay_frames),
    field("cancel", &FilterSet::cancel, fir_pairs_of_drivers, "Per driver: filter from left, filter from right.")
        .delayed(&FilterSet::delay_frames, &FilterSet::cancel_align_frames)
        .per_driver(),
    field("beam", &FilterSet::beam, firs_or_none,
          "Per driver: filter from the center. Empty: the device cannot beam, the center is mixed plain.",
          Need::optional)
        .delayed(&FilterSet::delay_frames, &FilterSet::beam_align_frames)
        .per_driver(),
    field("phantom", &FilterSet::phantom, firs_or_none,
          "Per driver: filter from the center, which then sounds as between two loudspeakers. Empty: beam alone.",
          Need::optional)
        .delayed(&FilterSet::delay_frames, &FilterSet::beam_align_frames)
        .per_driver(),
    field("driver_eq", &FilterSet::driver_eq, firs_or_none, "Per driver: equalisation, no delay. Empty: flat.",
          Need::optional)
        .delayed(&FilterSet::driver_eq_delay_frames)
        .per_driver(),
    field(
        "bass", &FilterSet::bass, List<List<Taps>>{0, max_drivers, firs_of_drivers},
        "Per driver: what it plays besides of the feed of every driver, as these leave their bass to it. Empty: none.",
        Need::optional)
        .delayed(&FilterSet::driver_eq_delay_frames)
        .per_driver(),
};

template <>
inline constexpr auto fields<Ears> = std::tuple{
    field("sample_rate", &Ears::sample_rate, Number{8000, 192000, "Hz"}, "The rate these responses are for."),
    field("delay_frames", &Ears::delay_frames, delay_rule, "Where the main tap of the near ear stands."),
    field("device", &Ears::device, Pair<List<Taps>>{firs_of_drivers},
          "Left ear, right ear: per driver, the response from driver to ear.")
        .delayed(&Ears::delay_frames),
    field("reference", &Ears::reference, Pair<Pair<Taps>>{},
          "Left ear, right ear: response from the left, from the right of an ideal pair.")
        .delayed(&Ears::delay_frames),
};

template <>
inline constexpr auto fields<Loudness> = std::tuple{
    field("processed_db", &Loudness::processed_db, loudness_rule,
          "Brings the design to the loudness of plain stereo on the same device."),
    field("device_ears_db", &Loudness::device_ears_db, loudness_rule,
          "Brings plain stereo at the simulated ears to the loudness of the input."),
    field("reference_ears_db", &Loudness::reference_ears_db, loudness_rule,
          "Brings the reference pair at the ears to the loudness of the input."),
    field("headroom_db", &Loudness::headroom_db, Number{-60, 0, "dB"},
          "Turns all monitors down alike, so that loud music hardly ever needs the limiter.", Need::optional),
};

template <>
inline constexpr auto fields<Room> = std::tuple{
    field("name", &Room::name, name_rule, "What the room is called."),
    field("ears", &Room::ears, Object{}, "Responses at the listener's ears in the room; as late as in the free field."),
    field("loudness", &Room::loudness, Object{}, "Static gains that make comparisons in the room fair."),
};

inline constexpr std::size_t max_points = 16384;
inline constexpr std::size_t max_seats = 1024;  // along one side of a map
inline constexpr std::size_t max_azimuths = 256;

template <>
inline constexpr auto fields<Curve> = std::tuple{
    field("name", &Curve::name, name_rule, "What the curve shows; no two alike."),
    field("unit", &Curve::unit, Text{0, 32}, "Unit of the values; empty for plain numbers."),
    field("frequency_hz", &Curve::frequency_hz, List<Number>{1, max_points, {0, 1e6, "Hz"}}, "Rising frequencies."),
    field("values", &Curve::values, List<Number>{1, max_points, {-1e9, 1e9}}, "One value per frequency."),
};

template <>
inline constexpr auto fields<Map> = std::tuple{
    field("name", &Map::name, name_rule, "What the map shows; no two alike."),
    field("unit", &Map::unit, Text{0, 32}, "Unit of the values; empty for plain numbers."),
    field("lateral_m", &Map::lateral_m, List<Number>{1, max_seats, {-1000, 1000, "m"}},
          "Rising places of the head, to the listener's left of the device's axis."),
    field("distance_m", &Map::distance_m, List<Number>{1, max_seats, {0, 1000, "m"}},
          "Rising places of the head, from the device along its axis."),
    field("values", &Map::values, List<Number>{1, max_points, {-1e9, 1e9}},
          "One value per seat: a row over lateral_m for the first distance, then the next."),
};

template <>
inline constexpr auto fields<Directions> = std::tuple{
    field("azimuth_deg", &Directions::azimuth_deg, List<Number>{1, max_azimuths, {-360, 360, "degrees"}},
          "Rising directions around the device, 0 to the listener, positive to the listener's left."),
    field("frequency_hz", &Directions::frequency_hz, List<Number>{1, max_azimuths, {0, 1e6, "Hz"}},
          "Rising frequencies."),
    field(
        "drivers", &Directions::drivers, firs_of_drivers,
        "Per driver: what it sends there of its feed, real and imaginary part in turn, a row over frequency_hz for the "
        "first direction, then the next."),
};

template <>
inline constexpr auto fields<Preset> = std::tuple{
    field("schema", &Preset::schema, Number{preset_schema, preset_schema}, "Version of this format."),
    field("name", &Preset::name, name_rule, "What the preset is called."),
    field("device", &Preset::device, name_rule, "The device it was designed for."),
    field("text", &Preset::text, Text{0, 1000}, "One line for a user.", Need::optional),
    field("parameters", &Preset::parameters, Parameters{}, "Parameter id -> value; those left out have their default."),
    field("drivers", &Preset::drivers, List<Object>{min_drivers, max_drivers, {}},
          "The drivers of the device; every matrix of filters has a row for each, in this order."),
    field("filters", &Preset::filters, List<Object>{1, required_sample_rates.size(), {}},
          "The filters: one set for each of the sample rates."),
    field("ears", &Preset::ears, Object{},
          "Responses at the listener's ears in the free field, for the headphones monitors."),
    field("loudness", &Preset::loudness, Object{}, "Static gains that make comparisons fair."),
    field("room", &Preset::room, Object{}, "The same in a room.", Need::optional),
    field("analysis", &Preset::analysis, List<Object>{0, 256, {}}, "Curves that the editor and the report draw.",
          Need::optional),
    field("maps", &Preset::maps, List<Object>{0, 64, {}}, "Figures over the seats around the device.", Need::optional),
    field("directions", &Preset::directions, Object{},
          "What each driver sends in which direction, for pictures of beams.", Need::optional),
    field("design", &Preset::design_json, FreeForm{}, "Where the filters come from; the sound does not depend on it.",
          Need::optional),
};

}  // namespace forestage::preset_detail
