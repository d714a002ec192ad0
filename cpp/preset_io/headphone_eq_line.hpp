// The lines of an equaliser's text, and the words and numbers in them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "headphone_eq.hpp"
#include "headphone_eq_numbers.hpp"

namespace forestage::preset_detail {

inline constexpr std::string_view example_filter = "Filter 1: ON PK Fc 105 Hz Gain 4.1 dB Q 0.70";

/// Text of any encoding with ASCII for what looks like ASCII (spaces, minus signs), and with "\n" for any line's end.
std::string plain_text(std::string_view bytes);

std::string lower(std::string_view text);                // of ASCII letters
std::string in_quotes(std::string_view text);            // as a message shows it
std::string_view without_blanks(std::string_view text);  // at either end
std::string_view take_word(std::string_view& text);      // what stands before the next blank

/// One line under examination; its errors begin with its number.
class Line {
 public:
  Line(std::size_t number, std::string_view text, DecimalMarks& marks) : number_(number), text_(text), marks_(&marks) {}

  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void fail_example(const std::string& what) const;

  std::string_view text() const { return text_; }

  /// The number in `word`, times `factor`, when it is in range.
  double number(std::string_view name, std::string_view word, const EqRange& range, std::string_view unit,
                double factor = 1.0) const;

 private:
  std::size_t number_;
  std::string_view text_;
  DecimalMarks* marks_;
};

/// The words and numbers of a line, taken one after the other; units may be missing, but no others may be there.
class Tokens {
 public:
  Tokens(const Line& line, std::string_view text);

  bool at_end() const { return next_ == tokens_.size(); }
  bool is_number() const;
  std::string_view take() { return at_end() ? std::string_view{} : tokens_[next_++]; }
  bool take(std::string_view word);  // when it is this one, in lower case

  double frequency_hz(std::string_view name);
  double gain_db(std::string_view name, const EqRange& range);
  double plain(std::string_view name, const EqRange& range);

 private:
  std::string_view take_number(std::string_view name, std::string_view unit);

  const Line* line_;
  std::vector<std::string_view> tokens_;
  std::size_t next_ = 0;
};

}  // namespace forestage::preset_detail
