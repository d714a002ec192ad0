// Numbers as people and their programs write them: 1234.5, 1,234.5, 1.234,5, 1'234,5, 4,7, 1e3.
//
// In one text a mark has one meaning. Most numbers say which: "4,7" and "1,234.5" have one reading, and of "Q 4,914"
// only one is in range. One mark with three digits behind it ("10,000 Hz") can be read in two ways; it is a decimal
// where other numbers of the text use it as one, else as in English: a comma parts thousands, a point is a decimal.
// Where a text has decimals of both kinds, such a number is refused.
#pragma once

#include <optional>
#include <string_view>

#include "headphone_eq.hpp"

namespace forestage::preset_detail {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Which marks a text uses for decimals, as far as it has been read.
struct DecimalMarks {
  bool point = false;
  bool comma = false;
};

struct Reading {
  enum class Kind { right, out_of_range, ambiguous, no_number };
  Kind kind = Kind::no_number;
  double value = 0.0;  // ambiguous: the one with thousands
};

/// The number in `text`, times `factor`; notes in `marks` what it says about the text it is in.
Reading read_number(std::string_view text, double factor, const EqRange& range, DecimalMarks& marks);

}  // namespace forestage::preset_detail
