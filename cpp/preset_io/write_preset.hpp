// Preset -> text, laid out for people and diffs: a key per line in the order of the rows, a filter per line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "errors.hpp"
#include "headphone_eq.hpp"
#include "preset.hpp"

namespace forestage::preset_detail {

/// JSON text under construction; the caller keeps begin and end balanced.
class TextWriter {
 public:
  enum class Layout { lines, one_line };

  void begin(char bracket, Layout layout = Layout::lines);
  void end();
  void key(std::string_view name);   // next comes its value
  void item();                       // next comes an item of an array
  void raw(std::string_view value);  // JSON text of a scalar
  void tree(const json& node);
  std::string take() && { return std::move(text_); }

 private:
  struct Level {
    char closing;
    Layout layout;
    bool is_empty = true;
  };

  void break_line();

  std::string text_;
  std::vector<Level> open_;
};

void write(TextWriter& out, const Preset& preset);
void write(TextWriter& out, const HeadphoneEq& eq);
void write(TextWriter& out, const std::map<std::string, float>& parameters);

}  // namespace forestage::preset_detail
