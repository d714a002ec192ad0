#include "headphone_eq_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include "errors.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

constexpr std::size_t max_text_bytes = std::size_t{1} << 20U;
constexpr std::size_t max_shown_bytes = 60;
constexpr std::size_t max_name_bytes = 100;
constexpr std::string_view example = "Filter 1: ON PK Fc 105 Hz Gain 4.1 dB Q 0.70";
constexpr std::string_view blanks = " \t\r\v\f";

bool is_plain(char c) { return c >= ' ' && c <= '~'; }

std::string quoted(std::string_view text) {
  std::string shown = shortened(text, max_shown_bytes);
  std::ranges::replace_if(
      shown, [](char c) { return !is_plain(c); }, '?');
  return "\"" + shown + "\"";
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    words.push_back(text.substr(0, text.find_first_of(blanks)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

/// One line under examination; its errors begin with its number.
class Line {
 public:
  Line(std::size_t number, std::string_view text) : number_(number), text_(text) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw std::invalid_argument("line " + std::to_string(number_) + ": " + what);
  }

  [[noreturn]] void fail_example(const std::string& what) const {
    fail(what + "; such as \"" + std::string(example) + "\" would be right");
  }

  std::string_view text() const { return text_; }

  float number(std::string_view name, std::string_view word, const EqRange& range, std::string_view unit) const {
    if (word.starts_with('+')) word.remove_prefix(1);
    double value = 0.0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool is_number = read.ec == std::errc{} && read.ptr == word.data() + word.size() && std::isfinite(value);
    if (is_number && value >= range.min_value && value <= range.max_value) return static_cast<float>(value);
    const std::string suffix = std::string(unit.empty() ? "" : " ").append(unit);
    fail(std::string(name) + " is " + (is_number ? number_text(value) + suffix : quoted(word)) + "; " +
         number_text(range.min_value) + " to " + number_text(range.max_value) + suffix + " would be right");
  }

 private:
  std::size_t number_;
  std::string_view text_;
};

float read_preamp(const Line& line, std::string_view text) {
  const auto words = words_of(text);
  if (words.size() != 2 || words[1] != "dB") {
    line.fail(quoted(line.text()) + " is no preamp; such as \"Preamp: -6.4 dB\" would be right");
  }
  return line.number("Preamp", words[0], eq_gain_db, "dB");
}

EqShape read_shape(const Line& line, std::string_view word) {
  if (word == "PK") return EqShape::peaking;
  if (word == "LSC" || word == "LS") return EqShape::low_shelf;
  if (word == "HSC" || word == "HS") return EqShape::high_shelf;
  line.fail("a filter of type " + quoted(word) + "; PK, LSC, LS, HSC or HS would be right");
}

/// What follows "Filter 1:"; nothing for a filter that is off.
std::optional<EqBand> read_filter(const Line& line, std::string_view text) {
  const auto words = words_of(text);
  const std::string_view state = words.empty() ? "" : words[0];
  if (state == "OFF") return std::nullopt;
  if (state != "ON" || words.size() < 2) line.fail_example(quoted(line.text()) + " is no filter");
  EqBand band{.shape = read_shape(line, words[1])};
  struct Value {
    float* value;
    EqRange range;
    std::string_view unit;
    bool is_there = false;
  };
  std::map<std::string_view, Value> values{{"Fc", {&band.frequency_hz, eq_frequency_hz, "Hz"}},
                                           {"Gain", {&band.gain_db, eq_gain_db, "dB"}},
                                           {"Q", {&band.q, eq_q, ""}}};
  for (std::size_t k = 2; k < words.size();) {
    const auto found = values.find(words[k]);
    if (found == values.end()) line.fail_example(quoted(words[k]) + " is not known here");
    auto& [key, value] = *found;
    if (value.is_there) line.fail("two of " + std::string(key) + "; one would be right");
    const std::size_t last = k + (value.unit.empty() ? 1 : 2);
    if (last >= words.size() || (!value.unit.empty() && words[last] != value.unit)) {
      line.fail_example(std::string(key) + " without a number" +
                        (value.unit.empty() ? "" : " in " + std::string(value.unit)));
    }
    *value.value = line.number(key, words[k + 1], value.range, value.unit);
    value.is_there = true;
    k = last + 1;
  }
  for (const std::string_view key : {"Fc", "Gain", "Q"}) {
    if (!values[key].is_there) line.fail_example("no " + std::string(key));
  }
  return band;
}

/// "Filter", or "Filter" and a number.
bool is_filter_key(std::string_view key) {
  if (!key.starts_with("Filter")) return false;
  return trimmed(key.substr(6)).find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

HeadphoneEq parse_parametric_eq(std::string_view text, std::string_view name) {
  if (text.size() > max_text_bytes) {
    throw std::invalid_argument("has " + std::to_string(text.size()) + " bytes; the text of a parametric equaliser, " +
                                "at most " + std::to_string(max_text_bytes) + " bytes, would be right");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  ParametricEq eq;
  bool has_preamp = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const Line line(number, trimmed(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.text().empty() || line.text().starts_with('#')) continue;
    const std::size_t colon = std::min(line.text().find(':'), line.text().size());
    const std::string_view key = trimmed(line.text().substr(0, colon));
    const std::string_view value = line.text().substr(std::min(colon + 1, line.text().size()));
    if (key == "Preamp") {
      if (has_preamp) line.fail("a second preamp; one would be right");
      eq.preamp_db = read_preamp(line, value);
      has_preamp = true;
    } else if (is_filter_key(key)) {
      if (const auto band = read_filter(line, value)) eq.bands.push_back(*band);
      if (eq.bands.size() > max_eq_bands) {
        line.fail("more than " + std::to_string(max_eq_bands) + " filters; at most that many are played");
      }
    } else {
      line.fail_example(quoted(line.text()) + " is neither a preamp nor a filter of a parametric equaliser");
    }
  }
  if (eq.bands.empty()) {
    throw std::invalid_argument("holds no filter that is ON; lines such as \"" + std::string(example) +
                                "\" would be right");
  }
  return {headphone_eq_name(name), std::move(eq)};
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
