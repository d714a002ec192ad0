#include "write_preset.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <utility>

#include "fir_text.hpp"
#include "headphone_eq_fields.hpp"
#include "json_tree.hpp"
#include "preset_error.hpp"

namespace forestage::preset_detail {

namespace {

void write(TextWriter& out, const Number&, float value) { out.raw(number_text(value)); }
void write(TextWriter& out, const Number&, const std::optional<float>& value) { out.raw(number_text(*value)); }
void write(TextWriter& out, const Number&, int value) { out.raw(std::to_string(value)); }
void write(TextWriter& out, SampleRate, int value) { out.raw(std::to_string(value)); }
void write(TextWriter& out, const Text&, const std::string& value) { out.tree(value); }
void write(TextWriter& out, Shape, EqShape value) { out.tree(eq_shape_names[static_cast<std::size_t>(value)]); }
void write(TextWriter& out, Taps, const Fir& value) { out.raw("\"" + encode_fir(value) + "\""); }
void write(TextWriter& out, FreeForm, const std::string& value) { out.tree(parse_tree(value, preset_limits)); }

void write(TextWriter& out, Parameters, const std::map<std::string, float>& values) {
  preset_detail::write(out, values);
}

// Rules nest in any order, so those below must be known to those above.
template <class Item, class Value>
void write(TextWriter& out, const Pair<Item>& rule, const std::array<Value, 2>& values);
template <class Item, class Value>
void write(TextWriter& out, const List<Item>& rule, const std::vector<Value>& values);
template <class Struct>
void write(TextWriter& out, Object, const Struct& value);
template <class Struct>
void write(TextWriter& out, Object rule, const std::optional<Struct>& value) {
  write(out, rule, *value);
}

template <class Item, class Values>
void write_items(TextWriter& out, const Item& rule, const Values& values) {
  out.begin('[', std::is_same_v<Item, Number> ? TextWriter::Layout::one_line : TextWriter::Layout::lines);
  for (const auto& value : values) {
    out.item();
    write(out, rule, value);
  }
  out.end();
}

template <class Item, class Value>
void write(TextWriter& out, const Pair<Item>& rule, const std::array<Value, 2>& values) {
  write_items(out, rule.item, values);
}

template <class Item, class Value>
void write(TextWriter& out, const List<Item>& rule, const std::vector<Value>& values) {
  write_items(out, rule.item, values);
}

template <class Struct, class Value, class Rule>
void write_field(TextWriter& out, const Field<Struct, Value, Rule>& row, const Struct& value) {
  if constexpr (requires { (value.*row.member).empty(); }) {
    if (row.need == Need::optional && (value.*row.member).empty()) return;
  }
  if constexpr (requires { (value.*row.member).has_value(); }) {
    if (!(value.*row.member).has_value()) return;
  }
  out.key(row.key);
  write(out, row.rule, value.*row.member);
}

template <class Struct>
void write(TextWriter& out, Object, const Struct& value) {
  out.begin('{');
  each_field<Struct>([&](const auto& row) { write_field(out, row, value); });
  out.end();
}

}  // namespace

void TextWriter::begin(char bracket, Layout layout) {
  text_ += bracket;
  open_.push_back({bracket == '{' ? '}' : ']', layout});
}

void TextWriter::end() {
  const Level level = open_.back();
  open_.pop_back();
  if (!level.is_empty && level.layout == Layout::lines) break_line();
  text_ += level.closing;
}

void TextWriter::item() {
  Level& level = open_.back();
  if (!level.is_empty) text_ += level.layout == Layout::lines ? "," : ", ";
  level.is_empty = false;
  if (level.layout == Layout::lines) break_line();
}

void TextWriter::key(std::string_view name) {
  item();
  tree(name);
  text_ += ": ";
}

void TextWriter::raw(std::string_view value) { text_ += value; }

void TextWriter::tree(const json& node) {
  if (!node.is_structured()) {
    try {
      raw(node.dump());
    } catch (const json::type_error&) {
      throw PresetError("text that is not UTF-8 cannot be written: " + describe(node));
    }
    return;
  }
  const bool has_lines = std::ranges::any_of(node, [](const json& item) { return item.is_structured(); });
  begin(node.is_object() ? '{' : '[', node.is_object() || has_lines ? Layout::lines : Layout::one_line);
  for (const auto& [name, value] : node.items()) {
    if (node.is_object()) {
      key(name);
    } else {
      item();
    }
    tree(value);
  }
  end();
}

void TextWriter::break_line() {
  text_ += '\n';
  text_.append(open_.size(), ' ');
}

void write(TextWriter& out, const Preset& preset) { write(out, Object{}, preset); }

void write(TextWriter& out, const HeadphoneEq& eq) {
  out.begin('{');
  out.key("name");
  write(out, name_rule, eq.name);
  const auto write_filter = [&]<class Filter>(const Filter& filter) {
    out.key(eq_key<Filter>);
    write(out, eq_rule<Filter>, filter);
  };
  std::visit(write_filter, eq.filter);
  out.end();
}

void write(TextWriter& out, const std::map<std::string, float>& parameters) {
  out.begin('{');
  for (const auto& [id, value] : parameters) {
    out.key(id);
    out.raw(number_text(value));
  }
  out.end();
}

}  // namespace forestage::preset_detail
