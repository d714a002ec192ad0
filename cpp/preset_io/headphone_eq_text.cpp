#include "headphone_eq_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "headphone_eq_line.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

constexpr std::size_t max_name_bytes = 100;

// -- filters ----------------------------------------------------------------------------------------------------------

struct Type {
  std::string_view word;
  EqShape shape;
  std::optional<double> default_q;
  bool has_corner = false;  // with a slope, the frequency is that of the corner
};
constexpr double butterworth_q = 1.0 / std::numbers::sqrt2;
constexpr double notch_q = 30.0;  // of Room EQ Wizard
constexpr std::array types{
    Type{"pk", EqShape::peaking, {}},
    Type{"peq", EqShape::peaking, {}},
    Type{"modal", EqShape::peaking, {}},
    Type{"lsc", EqShape::low_shelf, {}},
    Type{"hsc", EqShape::high_shelf, {}},
    Type{"lsq", EqShape::low_shelf, {}},
    Type{"hsq", EqShape::high_shelf, {}},
    Type{"ls", EqShape::low_shelf, {}, true},
    Type{"hs", EqShape::high_shelf, {}, true},
    Type{"lp", EqShape::low_pass, butterworth_q},
    Type{"hp", EqShape::high_pass, butterworth_q},
    Type{"lpq", EqShape::low_pass, butterworth_q},
    Type{"hpq", EqShape::high_pass, butterworth_q},
    Type{"bp", EqShape::band_pass, butterworth_q},
    Type{"no", EqShape::notch, notch_q},
    Type{"ap", EqShape::all_pass, {}},
};
constexpr std::string_view known_types = "PK, LSC, LS, HSC, HS, LP, HP, BP, NO or AP would be right";

const Type& read_type(const Line& line, std::string_view word) {
  const auto* const found = std::ranges::find(types, lower(word), &Type::word);
  if (found != types.end()) return *found;
  const std::string what = "a filter of type " + in_quotes(word);
  if (lower(word) == "iir") line.fail(what + " holds for one sample rate only; " + std::string(known_types));
  if (lower(word) == "lp1" || lower(word) == "hp1") line.fail(what + " is of first order; LP or HP would be right");
  line.fail(what + "; " + std::string(known_types));
}

bool is_shelf(EqShape shape) { return shape == EqShape::low_shelf || shape == EqShape::high_shelf; }
bool has_gain(EqShape shape) { return is_shelf(shape) || shape == EqShape::peaking; }

struct Values {
  std::optional<double> frequency_hz, gain_db, q, bandwidth_octaves, slope_db;
};

constexpr EqRange slopes_db{1.0, 12.0};  // the cookbook's S of 1 is the steepest without a bump
constexpr double default_slope_db = 10.8;

double read_q(Tokens& tokens) {
  // 0.00 is what rounding left: below 0.005.
  return std::max(tokens.plain("Q", {0.0, eq_q.max_value}), eq_q.min_value);
}

double read_octaves(const Line& line, Tokens& tokens) {
  if (!tokens.take("oct")) line.fail_example("BW without Oct; \"BW Oct 1.5\", or a Q, would be right");
  return tokens.plain("BW Oct", eq_bandwidth_octaves);
}

Values read_values(const Line& line, std::string_view text) {
  Tokens tokens(line, text);
  Values values;
  if (tokens.is_number()) values.slope_db = tokens.gain_db("slope", slopes_db);
  const auto set = [&](std::optional<double>& value, std::string_view name, double number) {
    if (value) line.fail("two of " + std::string(name) + "; one would be right");
    value = number;
  };
  while (!tokens.at_end()) {
    if (tokens.take("fc")) {
      set(values.frequency_hz, "Fc", tokens.frequency_hz("Fc"));
    } else if (tokens.take("gain")) {
      set(values.gain_db, "Gain", tokens.gain_db("Gain", eq_gain_db));
    } else if (tokens.take("q")) {
      set(values.q, "Q", read_q(tokens));
    } else if (tokens.take("bw")) {
      set(values.bandwidth_octaves, "BW", read_octaves(line, tokens));
    } else if (tokens.take("t")) {  // "T60 target 500 ms": what the filter is for
      while (!tokens.at_end() && !tokens.take("ms")) tokens.take();
    } else {
      line.fail_example(in_quotes(tokens.take()) + " is not known here");
    }
  }
  return values;
}

/// The quality of a shelf with this slope, as in the cookbook (S = 1 for 12 dB).
double shelf_q(double slope_db, double gain_db) {
  const double a = std::pow(10.0, gain_db / 40.0);
  return 1.0 / std::sqrt((a + 1.0 / a) * (12.0 / slope_db - 1.0) + 2.0);
}

/// Halfway up the shelf, from its corner, as in Equalizer APO.
double shelf_center_hz(const Type& type, double corner_hz, double slope_db, double gain_db) {
  const double ratio = std::pow(10.0, std::abs(gain_db) / 80.0 * 12.0 / slope_db);
  return type.shape == EqShape::low_shelf ? corner_hz * ratio : corner_hz / ratio;
}

void set_shelf(const Line& line, const Type& type, const Values& values, EqBand& band) {
  if (values.bandwidth_octaves)
    line.fail("a shelf with a bandwidth; Q, or a slope as in \"LSC 12 dB\", would be right");
  if (values.q && values.slope_db) line.fail("a slope and a Q; one of them would be right");
  const double slope_db = values.slope_db.value_or(default_slope_db);
  band.q = static_cast<float>(values.q.value_or(shelf_q(slope_db, *values.gain_db)));
  if (!type.has_corner || !values.slope_db) return;
  const double center_hz = shelf_center_hz(type, *values.frequency_hz, slope_db, *values.gain_db);
  band.frequency_hz = static_cast<float>(std::clamp(center_hz, eq_frequency_hz.min_value, eq_frequency_hz.max_value));
}

void set_width(const Line& line, const Type& type, const Values& values, EqBand& band) {
  if (values.slope_db) line.fail("a slope for what is no shelf; Q would be right");
  if (values.q && values.bandwidth_octaves) line.fail("a Q and a bandwidth; one of them would be right");
  if (values.bandwidth_octaves) {
    band.bandwidth_octaves = static_cast<float>(*values.bandwidth_octaves);
  } else if (values.q || type.default_q) {
    band.q = static_cast<float>(values.q ? *values.q : *type.default_q);
  } else {
    line.fail_example("no Q");
  }
}

/// What follows "Filter 1:"; nothing for a filter that is off, or none.
std::optional<EqBand> read_filter(const Line& line, std::string_view text) {
  const std::string state = lower(take_word(text));
  if (state == "off") return std::nullopt;
  const std::string_view word = take_word(text);
  if (state != "on" || word.empty()) line.fail_example(in_quotes(line.text()) + " is no filter");
  if (lower(word) == "none") return std::nullopt;
  const Type& type = read_type(line, word);
  const Values values = read_values(line, text);
  if (!values.frequency_hz) line.fail_example("no Fc");
  if (has_gain(type.shape) && !values.gain_db) line.fail_example("no Gain");
  if (!has_gain(type.shape) && values.gain_db.value_or(0.0) != 0.0) {
    line.fail("a gain for " + in_quotes(word) + ", which has none; a preamp would be right");
  }
  EqBand band;
  band.shape = type.shape;
  band.frequency_hz = static_cast<float>(*values.frequency_hz);
  band.gain_db = static_cast<float>(values.gain_db.value_or(0.0));
  is_shelf(type.shape) ? set_shelf(line, type, values, band) : set_width(line, type, values, band);
  return band;
}

EqCurve read_curve(const Line& line, std::string_view text) {
  Tokens tokens(line, text);
  std::vector<std::pair<float, float>> points;
  while (!tokens.at_end()) {
    const double frequency_hz = tokens.frequency_hz("a frequency of the curve");
    const double gain_db = tokens.gain_db("a gain of the curve", eq_curve_gain_db);
    points.emplace_back(static_cast<float>(frequency_hz), static_cast<float>(gain_db));
    if (points.size() > max_eq_points) line.fail("more than " + std::to_string(max_eq_points) + " points of a curve");
  }
  if (points.empty()) line.fail("a curve without points; such as \"GraphicEQ: 20 -1.2; 20000 3\" would be right");
  std::ranges::sort(points);
  EqCurve curve;
  for (const auto& [frequency_hz, gain_db] : points) {
    if (!curve.frequency_hz.empty() && curve.frequency_hz.back() == frequency_hz) {
      line.fail("two gains for " + number_text(frequency_hz) + " Hz; one would be right");
    }
    curve.frequency_hz.push_back(frequency_hz);
    curve.gain_db.push_back(gain_db);
  }
  return curve;
}

// -- commands ---------------------------------------------------------------------------------------------------------

struct Refused {
  std::string_view key;
  std::string_view why;
};
constexpr std::array refused{
    Refused{"include", "another file is not read; its lines would be right here"},
    Refused{"if", "conditions are not read; the lines that hold would be right alone"},
    Refused{"elseif", "conditions are not read; the lines that hold would be right alone"},
    Refused{"else", "conditions are not read; the lines that hold would be right alone"},
    Refused{"endif", "conditions are not read; the lines that hold would be right alone"},
    Refused{"eval", "nothing is computed here; the numbers themselves would be right"},
    Refused{"convolution", "load the WAV file itself instead"},
    Refused{"copy", "channels are not mixed here; filters and preamps for L, R or all would be right"},
    Refused{"delay", "nothing is delayed here; filters and preamps alone would be right"},
    Refused{"stage", "there is one stage here; the lines without it would be right"},
    Refused{"loudnesscorrection", "levels do not change the equaliser here; filters and preamps would be right"},
    Refused{"vstplugin", "other plugins are not loaded here; filters and preamps would be right"},
};

/// "Filter", or "Filter" and a number.
bool is_filter_key(std::string_view key) {
  return key.starts_with("filter") &&
         without_blanks(key.substr(6)).find_first_not_of("0123456789") == std::string_view::npos;
}

/// Reads line after line into an equaliser for each ear.
class Reader {
 public:
  explicit Reader(DecimalMarks& marks) : marks_(&marks) {}

  void read(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string_view content = text.substr(0, std::min(end, text.find('#')));
      const Line line(number, without_blanks(content), *marks_);
      text.remove_prefix(std::min(end + 1, text.size()));
      const bool is_comment = line.text().starts_with(';') || line.text().starts_with("//");
      if (!line.text().empty() && !is_comment) read_line(line);
    }
  }

  EarEqs take() {
    for (const ParametricEq& eq : ears_) {
      if (eq.preamp_db < eq_gain_db.min_value || eq.preamp_db > eq_gain_db.max_value) {
        throw std::invalid_argument("its preamps are " + number_text(eq.preamp_db) + " dB together; " +
                                    number_text(eq_gain_db.min_value) + " to " + number_text(eq_gain_db.max_value) +
                                    " dB would be right");
      }
    }
    const auto is_flat = [](const ParametricEq& eq) { return eq.bands.empty() && !eq.curve; };
    if (std::ranges::all_of(ears_, is_flat)) {
      throw std::invalid_argument("holds no filter that is ON; lines such as \"" + std::string(example_filter) +
                                  "\" would be right");
    }
    return std::move(ears_);
  }

 private:
  void read_line(const Line& line) {
    const std::size_t colon = std::min(line.text().find(':'), line.text().size());
    const std::string key = lower(without_blanks(line.text().substr(0, colon)));
    const std::string_view value = line.text().substr(std::min(colon + 1, line.text().size()));
    const auto* const why = std::ranges::find(refused, key, &Refused::key);
    if (key == "preamp") {
      read_preamp(line, value);
    } else if (is_filter_key(key)) {
      add_band(line, read_filter(line, value));
    } else if (key == "graphiceq") {
      set_curve(line, read_curve(line, value));
    } else if (key == "channel") {
      read_channel(line, value);
    } else if (key == "device") {
      read_device(line, value);
    } else if (why != refused.end()) {
      line.fail(in_quotes(line.text()) + ": " + std::string(why->why));
    } else {
      skip_title(line, key, colon < line.text().size());
      return;
    }
    has_begun_ = true;
  }

  /// Before the first command, programs and people write what it is; REW a page of it.
  void skip_title(const Line& line, const std::string& key, bool has_colon) {
    if (key.starts_with("filter settings")) is_rew_ = true;
    const bool has_units = key.find(" hz") != std::string::npos || key.find(" db") != std::string::npos;
    const bool is_command =
        !is_rew_ && (has_colon || has_units || key.starts_with("filter") || key.starts_with("preamp") ||
                     key.starts_with("graphiceq") || key.starts_with("channel"));
    if (has_begun_ || is_command) {
      line.fail_example(in_quotes(line.text()) + " is neither a preamp nor a filter of a parametric equaliser");
    }
  }

  void read_preamp(const Line& line, std::string_view text) {
    Tokens tokens(line, text);
    const bool has_number = tokens.is_number();
    const double gain_db = has_number ? tokens.gain_db("Preamp", eq_gain_db) : 0.0;
    if (!has_number || !tokens.at_end()) {
      line.fail(in_quotes(line.text()) + " is no preamp; such as \"Preamp: -6.4 dB\" would be right");
    }
    each_ear([&](ParametricEq& eq) { eq.preamp_db += static_cast<float>(gain_db); });
  }

  void add_band(const Line& line, const std::optional<EqBand>& band) {
    if (!band) return;
    each_ear([&](ParametricEq& eq) {
      eq.bands.push_back(*band);
      if (eq.bands.size() > max_eq_bands) {
        line.fail("more than " + std::to_string(max_eq_bands) + " filters; at most that many are played");
      }
    });
  }

  void set_curve(const Line& line, const EqCurve& curve) {
    each_ear([&](ParametricEq& eq) {
      if (eq.curve) line.fail("a second GraphicEQ; one would be right");
      eq.curve = curve;
    });
  }

  void read_channel(const Line& line, std::string_view text) {
    is_for_ = {};
    for (std::string_view rest = text; !without_blanks(rest).empty();) {
      const std::string word = lower(take_word(rest));
      if (word != "all" && word != "l" && word != "1" && word != "r" && word != "2") {
        line.fail("a channel " + in_quotes(word) + "; headphones have L, R and all");
      }
      is_for_[0] |= word != "r" && word != "2";
      is_for_[1] |= word != "l" && word != "1";
    }
    if (!is_for_[0] && !is_for_[1]) line.fail("no channel; L, R or all would be right");
  }

  /// A file may say which device it is for, but it must be one.
  void read_device(const Line& line, std::string_view text) {
    const std::string device = lower(without_blanks(text));
    if (device == "all") return;
    if (!device_.empty() && device != device_) {
      line.fail("a second device, " + in_quotes(without_blanks(text)) +
                "; the lines for your headphones would be right alone");
    }
    device_ = device;
  }

  template <class Change>
  void each_ear(const Change& change) {
    for (std::size_t ear = 0; ear < ears_.size(); ++ear) {
      if (is_for_[ear]) change(ears_[ear]);
    }
  }

  DecimalMarks* marks_;
  EarEqs ears_;
  std::array<bool, 2> is_for_{true, true};
  std::string device_;
  bool has_begun_ = false;
  bool is_rew_ = false;
};

/// What the numbers of the whole text say about its marks. An error is found again by who reads it with them.
DecimalMarks find_marks(std::string_view text) {
  DecimalMarks marks;
  try {
    Reader(marks).read(text);
  } catch (const std::invalid_argument&) {
    return marks;
  }
  return marks;
}

}  // namespace

HeadphoneEq parse_parametric_eq(std::string_view text, std::string_view name) {
  if (text.size() > max_eq_text_bytes) {
    throw std::invalid_argument("has " + std::to_string(text.size()) + " bytes; the text of a parametric equaliser, " +
                                "at most " + std::to_string(max_eq_text_bytes) + " bytes, would be right");
  }
  const std::string plain = plain_text(text);
  DecimalMarks marks = find_marks(plain);
  Reader reader(marks);
  reader.read(plain);
  EarEqs ears = reader.take();
  if (ears[0] == ears[1]) return {headphone_eq_name(name), std::move(ears[0])};
  return {headphone_eq_name(name), std::move(ears)};
}

std::string headphone_eq_name(std::string_view text) {
  const std::string valid = json(std::string(text)).dump(-1, ' ', false, json::error_handler_t::replace);
  std::string name = json::parse(valid).get<std::string>();
  std::ranges::replace_if(
      name, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, ' ');
  if (name.empty()) return "unnamed";
  return name.size() > max_name_bytes ? shortened(name, max_name_bytes - 3) : name;
}

}  // namespace forestage
