#include "headphone_eq_numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace forestage::preset_detail {

namespace {

bool are_digits(std::string_view text) { return std::ranges::all_of(text, is_digit); }

/// Digits without what parts their thousands: groups of three, but for the first.
std::optional<std::string> without_thousands(std::string_view whole, char decimal) {
  const std::string_view marks = decimal == '.' ? ",'" : ".'";
  const std::size_t first = std::min(whole.find_first_of(marks), whole.size());
  std::string digits(whole.substr(0, first));
  if (!are_digits(digits)) return std::nullopt;
  if (first == whole.size()) return digits;
  if (digits.empty() || digits.size() > 3 || digits[0] == '0') return std::nullopt;
  for (std::string_view rest = whole.substr(first); !rest.empty(); rest.remove_prefix(4)) {
    if (rest.size() < 4 || rest[0] != whole[first] || !are_digits(rest.substr(1, 3))) return std::nullopt;
    digits += rest.substr(1, 3);
  }
  return digits;
}

/// What the text is when `decimal` stands before its decimals.
std::optional<double> value_of(std::string_view text, char decimal) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
  const std::string_view exponent = text.substr(mantissa.size());
  const std::string_view whole = mantissa.substr(0, mantissa.find(decimal));
  const std::string_view decimals = mantissa.substr(std::min(whole.size() + 1, mantissa.size()));
  const auto digits = without_thousands(whole, decimal);
  if (!digits || !are_digits(decimals) || digits->size() + decimals.size() == 0) return std::nullopt;
  std::string plain = (is_negative ? "-" : "") + *digits + "." + std::string(decimals) + "e";
  plain += exponent.size() > 1 ? exponent.substr(exponent[1] == '+' ? 2 : 1) : "0";
  double value = 0.0;
  const auto read = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (read.ec != std::errc{} || read.ptr != plain.data() + plain.size()) return std::nullopt;
  return value;
}

}  // namespace

Reading read_number(std::string_view text, double factor, const EqRange& range, DecimalMarks& marks) {
  using enum Reading::Kind;
  const auto in_range = [&](const std::optional<double>& value) {
    return value && *value * factor >= range.min_value && *value * factor <= range.max_value;
  };
  const auto with_point = value_of(text, '.');
  const auto with_comma = value_of(text, ',');
  if (!with_point && !with_comma) return {};
  const bool is_point = in_range(with_point);
  const bool is_comma = in_range(with_comma);
  if (!is_point && !is_comma) return {out_of_range, (with_point ? *with_point : *with_comma) * factor};
  if (is_point && is_comma && *with_point != *with_comma) {
    if (marks.point && marks.comma) return {ambiguous, std::max(*with_point, *with_comma) * factor};
    return {right, (marks.comma ? *with_comma : *with_point) * factor};
  }
  marks.point |= !is_comma && text.find('.') != std::string_view::npos;
  marks.comma |= !is_point && text.find(',') != std::string_view::npos;
  return {right, (is_point ? *with_point : *with_comma) * factor};
}

}  // namespace forestage::preset_detail
