#include "headphone_eq_line.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "errors.hpp"
#include "text_encoding.hpp"

namespace forestage::preset_detail {

namespace {

constexpr std::size_t max_shown_bytes = 60;
constexpr std::string_view blanks = " \t\v\f";
constexpr std::string_view between_tokens = " \t\v\f;,.=:";

struct Replacement {
  std::string_view from;
  std::string_view to;
};
/// What looks like ASCII and is not; the last three are Windows-1252.
constexpr std::array replacements{
    Replacement{"\r\n", "\n"},        Replacement{"\r", "\n"},          Replacement{"\xC2\xA0", " "},
    Replacement{"\xE2\x80\x87", " "}, Replacement{"\xE2\x80\x89", " "}, Replacement{"\xE2\x80\xAF", " "},
    Replacement{"\xE3\x80\x80", " "}, Replacement{"\xE2\x80\x8B", ""},  Replacement{"\xEF\xBB\xBF", ""},
    Replacement{"\xE2\x88\x92", "-"}, Replacement{"\xE2\x80\x90", "-"}, Replacement{"\xE2\x80\x91", "-"},
    Replacement{"\xE2\x80\x92", "-"}, Replacement{"\xE2\x80\x93", "-"}, Replacement{"\xE2\x80\x94", "-"},
    Replacement{"\xEF\xB9\xA3", "-"}, Replacement{"\xEF\xBC\x8D", "-"}, Replacement{"\xE2\x80\x99", "'"},
    Replacement{"\xEF\xBC\x9A", ":"}, Replacement{"\xA0", " "},         Replacement{"\x96", "-"},
    Replacement{"\x97", "-"},
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower_char(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool are_three_digits(std::string_view text) { return text.size() == 3 && std::ranges::all_of(text, is_digit); }

/// Where the number ends that the text begins with; 0 when it begins with none.
std::size_t number_end(std::string_view text) {
  const auto char_at = [&](std::size_t k) { return k < text.size() ? text[k] : ' '; };
  const auto digit_at = [&](std::size_t k) { return is_digit(char_at(k)); };
  const auto mark_at = [&](std::size_t k) {
    return std::string_view(".,'").find(char_at(k)) != std::string_view::npos;
  };
  const auto sign_at = [&](std::size_t k) { return char_at(k) == '+' || char_at(k) == '-' ? 1U : 0U; };
  std::size_t end = sign_at(0);
  if (!digit_at(end) && !(mark_at(end) && digit_at(end + 1))) return 0;
  while (digit_at(end) || (mark_at(end) && digit_at(end + 1))) ++end;
  if (lower_char(char_at(end)) == 'e' && digit_at(end + 1 + sign_at(end + 1))) {
    end += 1 + sign_at(end + 1);
    while (digit_at(end)) ++end;
  }
  return end;
}

/// Numbers and words, whether blanks part them or not; what stands between them in lists is left out.
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  while (!text.empty()) {
    std::size_t end = number_end(text);
    if (end == 0) end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_letter) - text.begin());
    const bool is_between = end == 0 && between_tokens.find(text[0]) != std::string_view::npos;
    end = std::max<std::size_t>(end, 1);
    if (!is_between) tokens.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return tokens;
}

}  // namespace

std::string plain_text(std::string_view bytes) {
  const auto utf8 = utf8_from_utf16(bytes);
  if (utf8) bytes = *utf8;
  std::string text;
  text.reserve(bytes.size());
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80U && c != '\r'; };
  while (!bytes.empty()) {
    const auto* found = replacements.end();
    if (!is_ascii(bytes[0])) {
      found =
          std::ranges::find_if(replacements, [&](const Replacement& known) { return bytes.starts_with(known.from); });
    }
    if (found != replacements.end()) {
      text += found->to;
      bytes.remove_prefix(found->from.size());
    } else {
      text += bytes[0];
      bytes.remove_prefix(1);
    }
  }
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower_char);
  return result;
}

std::string in_quotes(std::string_view text) {
  std::string shown = shortened(text, max_shown_bytes);
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return "\"" + shown + "\"";
}

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view take_word(std::string_view& text) {
  text = without_blanks(text);
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

void Line::fail(const std::string& what) const {
  throw std::invalid_argument("line " + std::to_string(number_) + ": " + what);
}

void Line::fail_example(const std::string& what) const {
  fail(what + "; such as \"" + std::string(example_filter) + "\" would be right");
}

double Line::number(std::string_view name, std::string_view word, const EqRange& range, std::string_view unit,
                    double factor) const {
  const Reading reading = read_number(word, factor, range, *marks_);
  const std::string suffix = std::string(unit.empty() ? "" : " ").append(unit);
  if (reading.kind == Reading::Kind::right) return reading.value;
  if (reading.kind == Reading::Kind::ambiguous) {
    fail(std::string(name) + " is " + in_quotes(word) + ", and the text has decimals with points and with commas; " +
         number_text(reading.value) + suffix + " or " + number_text(reading.value / 1000.0) + suffix +
         " would be right");
  }
  const bool is_number = reading.kind == Reading::Kind::out_of_range;
  fail(std::string(name) + " is " + (is_number ? number_text(reading.value) + suffix : in_quotes(word)) + "; " +
       number_text(range.min_value) + " to " + number_text(range.max_value) + suffix + " would be right");
}

Tokens::Tokens(const Line& line, std::string_view text) : line_(&line), tokens_(tokens_of(text)) {}

bool Tokens::is_number() const { return !at_end() && number_end(tokens_[next_]) > 0; }

bool Tokens::take(std::string_view word) {
  const bool is_next = !at_end() && lower(tokens_[next_]) == word;
  next_ += is_next ? 1 : 0;
  return is_next;
}

double Tokens::frequency_hz(std::string_view name) {
  std::string word(take_number(name, "Hz"));
  while (!at_end() && are_three_digits(tokens_[next_])) word += take();
  const double factor = take("khz") ? 1000.0 : 1.0;
  take("hz");
  return line_->number(name, word, eq_frequency_hz, "Hz", factor);
}

double Tokens::gain_db(std::string_view name, const EqRange& range) {
  const std::string_view word = take_number(name, "dB");
  take("db");
  return line_->number(name, word, range, "dB");
}

double Tokens::plain(std::string_view name, const EqRange& range) {
  return line_->number(name, take_number(name, ""), range, "");
}

std::string_view Tokens::take_number(std::string_view name, std::string_view unit) {
  const std::string_view word = take();
  if (word.empty()) {
    line_->fail_example(std::string(name) + " without a number" + (unit.empty() ? "" : " in " + std::string(unit)));
  }
  return word;
}

}  // namespace forestage::preset_detail
