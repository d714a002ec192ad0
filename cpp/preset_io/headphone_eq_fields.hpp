// The structure of a headphone equaliser in a state: rows as in preset_fields.hpp.
//
//     {"name": "HD 650", "parametric": {"preamp_db": -6.4, "bands": [...], "curve": {...}}}    or
//     {"name": "HD 650", "parametric_ears": [LEFT, RIGHT]}, each as the one above               or
//     {"name": "HD 650", "impulse_responses": {"sample_rate": 48000, "taps": [LEFT, RIGHT]}}
#pragma once

#include "fir_text.hpp"
#include "headphone_eq.hpp"
#include "preset_fields.hpp"

namespace forestage::preset_detail {

struct Shape {};  // one of eq_shape_names
inline constexpr std::array<std::string_view, 8> eq_shape_names{
    "peaking", "low_shelf", "high_shelf", "low_pass", "high_pass", "band_pass", "notch", "all_pass"};  // as in EqShape

constexpr Number rule_of(const EqRange& range, std::string_view unit = "") {
  return {range.min_value, range.max_value, unit};
}

template <>
inline constexpr auto fields<EqBand> = std::tuple{
    field("shape", &EqBand::shape, Shape{}, "What the band does."),
    field("frequency_hz", &EqBand::frequency_hz, rule_of(eq_frequency_hz, "Hz"),
          "Of the peak, the corner, or halfway up the shelf."),
    field("gain_db", &EqBand::gain_db, rule_of(eq_gain_db, "dB"),
          "Of the peak, or of the shelf; the others do without."),
    field("q", &EqBand::q, rule_of(eq_q), "Quality, as in the cookbook of R. Bristow-Johnson."),
    field("bandwidth_octaves", &EqBand::bandwidth_octaves, rule_of(eq_bandwidth_octaves, "octaves"),
          "As in the cookbook; where it is given, it counts instead of the quality.", Need::optional),
};

template <>
inline constexpr auto fields<EqCurve> = std::tuple{
    field("frequency_hz", &EqCurve::frequency_hz, List<Number>{1, max_eq_points, rule_of(eq_frequency_hz, "Hz")},
          "Rising frequencies."),
    field("gain_db", &EqCurve::gain_db, List<Number>{1, max_eq_points, rule_of(eq_curve_gain_db, "dB")},
          "One gain per frequency."),
};

template <>
inline constexpr auto fields<ParametricEq> = std::tuple{
    field("preamp_db", &ParametricEq::preamp_db, rule_of(eq_gain_db, "dB"), "Gain of all."),
    field("bands", &ParametricEq::bands, List<Object>{0, max_eq_bands, {}}, "The filters, one after the other."),
    field("curve", &ParametricEq::curve, Object{}, "Gain over frequency, in minimum phase.", Need::optional),
};

static_assert(max_eq_frames <= max_taps, "what was loaded must fit into a state");

template <>
inline constexpr auto fields<FirEq> = std::tuple{
    field("sample_rate", &FirEq::sample_rate,
          Number{static_cast<double>(eq_sample_rates[0]), static_cast<double>(eq_sample_rates[1]), "Hz"},
          "The rate of the impulse responses."),
    field("taps", &FirEq::firs, Pair<Taps>{}, "Left, right."),
};

/// The key that says which of the three an equaliser is, and what stands there.
template <class Filter>
inline constexpr std::string_view eq_key{};
template <>
inline constexpr std::string_view eq_key<ParametricEq> = "parametric";
template <>
inline constexpr std::string_view eq_key<EarEqs> = "parametric_ears";
template <>
inline constexpr std::string_view eq_key<FirEq> = "impulse_responses";

template <class Filter>
inline constexpr Object eq_rule{};
template <>
inline constexpr Pair<Object> eq_rule<EarEqs>{};

}  // namespace forestage::preset_detail
