#include "read_preset.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fir_text.hpp"
#include "headphone_eq_fields.hpp"
#include "migrate.hpp"
#include "params.hpp"

namespace forestage::preset_detail {

namespace {

/// Rooms were float16 before, which is still read.
void rooms_may_be_flac(json&) {}

constexpr std::array<Step, preset_schema - 1> preset_steps{&rooms_may_be_flac};
static_assert(is_whole(preset_steps), "every schema needs a step to the next");

std::string range_text(const Number& rule) {
  const std::string unit = rule.unit.empty() ? "" : " " + std::string(rule.unit);
  if (rule.min_value == rule.max_value) return number_text(rule.min_value) + unit;
  return "from " + number_text(rule.min_value) + " to " + number_text(rule.max_value) + unit;
}

double read_number(const json& node, const Path& path, const Number& rule, bool is_whole = false) {
  const std::string expected = (is_whole ? "a whole number " : "a number ") + range_text(rule);
  if (!node.is_number()) fail_type(path, node, expected);
  const double value = node.get<double>();
  const bool in_range = value >= rule.min_value && value <= rule.max_value;
  // 48000.0 is a whole number in JSON and in JSON Schema alike.
  if (!in_range || (is_whole && value != std::floor(value))) fail_type(path, node, expected);
  return value;
}

void read(const json& node, const Path& path, const Number& rule, float& value) {
  value = static_cast<float>(read_number(node, path, rule));
}

void read(const json& node, const Path& path, const Number& rule, int& value) {
  value = static_cast<int>(read_number(node, path, rule, true));
}

void read(const json& node, const Path& path, const Number& rule, std::optional<float>& value) {
  read(node, path, rule, value.emplace());
}

void read(const json& node, const Path& path, SampleRate, int& value) {
  const auto is_node = [&](int rate) { return node.is_number() && node.get<double>() == rate; };
  const auto* const found = std::ranges::find_if(required_sample_rates, is_node);
  if (found == required_sample_rates.end()) fail_type(path, node, "one of " + required_rates_text());
  value = *found;
}

void read(const json& node, const Path& path, const Text& rule, std::string& value) {
  if (!node.is_string()) fail_type(path, node, "text");
  value = node.get<std::string>();
  const auto begins_char = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7F; };
  const auto chars = static_cast<std::size_t>(std::ranges::count_if(value, begins_char));
  if (chars < rule.min_chars) fail(path, "is empty; it needs " + std::to_string(rule.min_chars) + " character or more");
  if (chars > rule.max_chars) {
    fail(path, "has " + std::to_string(chars) + " characters; at most " + std::to_string(rule.max_chars) + " fit");
  }
  if (std::ranges::any_of(value, is_control)) fail_type(path, node, "one line without control characters");
}

void read(const json& node, const Path& path, Taps, Fir& value) {
  if (!node.is_string()) fail_type(path, node, "the base64 text of float32 taps, FLAC or float16 taps");
  value = decode_fir(node.get_ref<const std::string&>(), path);
}

void read(const json& node, const Path& path, Shape, EqShape& value) {
  const auto* const found = std::ranges::find_if(eq_shape_names, [&](std::string_view name) { return node == name; });
  if (found == eq_shape_names.end()) {
    std::string names;
    for (const std::string_view name : eq_shape_names)
      names += (names.empty() ? "\"" : ", \"") + std::string(name) + "\"";
    fail_type(path, node, "one of " + names);
  }
  value = static_cast<EqShape>(found - eq_shape_names.begin());
}

void read(const json& node, const Path& path, FreeForm, std::string& value) { value = object(node, path).dump(); }

void read_parameter(const json& node, const Path& path, const ParamSpec& param, float& value) {
  const Number rule{param.min_value, param.max_value, param.unit};
  value = static_cast<float>(read_number(node, path, rule, param.kind != ParamKind::linear));
}

void read(const json& node, const Path& path, Parameters, std::map<std::string, float>& values) {
  std::map<std::string, const ParamSpec*> session;
  std::map<std::string, const ParamSpec*> known;
  std::vector<std::string> ids;
  for (const ParamSpec& param : params) {
    const std::string id = param_id(param);
    (param.in_preset ? known : session)[id] = &param;
    if (param.in_preset) ids.push_back(id);
  }
  for (const auto& [id, item] : object(node, path).items()) {
    const auto found = known.find(id);
    if (found != known.end()) {
      read_parameter(item, Path(path, id), *found->second, values[id]);
    } else if (session.contains(id) && path.notes() == nullptr) {
      fail(Path(path, id), "belongs to the session, not to a preset; remove it");
    } else {
      unknown_key(path, id, ids);
    }
  }
}

// Rules nest in any order, so those below must be known to those above.
template <class Item, class Value>
void read(const json& node, const Path& path, const List<Item>& rule, std::vector<Value>& values);
template <class Struct>
void read(const json& node, const Path& path, Object, Struct& value);
template <class Struct>
void read(const json& node, const Path& path, Object, std::optional<Struct>& value);

template <class Item, class Value>
void read(const json& node, const Path& path, const Pair<Item>& rule, std::array<Value, 2>& values) {
  if (!node.is_array() || node.size() != 2) fail_type(path, node, "an array of 2");
  for (std::size_t i = 0; i < 2; ++i) read(node[i], Path(path, i), rule.item, values[i]);
}

template <class Item, class Value>
void read(const json& node, const Path& path, const List<Item>& rule, std::vector<Value>& values) {
  if (!node.is_array()) fail_type(path, node, "an array");
  const std::size_t count = node.size();
  if (count < rule.min_items || count > rule.max_items) {
    fail(path, "has " + std::to_string(count) + " items; must have from " + std::to_string(rule.min_items) + " to " +
                   std::to_string(rule.max_items));
  }
  values.resize(count);
  for (std::size_t i = 0; i < count; ++i) read(node[i], Path(path, i), rule.item, values[i]);
}

template <class Struct, class Value, class Rule>
void read_field(const json& node, const Path& path, const Field<Struct, Value, Rule>& row, Struct& value) {
  const auto found = node.find(row.key);
  if (found != node.end()) {
    read(*found, Path(path, row.key), row.rule, value.*row.member);
  } else if (row.need == Need::required) {
    fail(path, "no key \"" + std::string(row.key) + "\"; it is required (" + std::string(row.text) + ")");
  }
}

template <class Struct>
void read(const json& node, const Path& path, Object, Struct& value) {
  std::vector<std::string> keys;
  each_field<Struct>([&](const auto& row) { keys.emplace_back(row.key); });
  for (const auto& [key, item] : object(node, path).items()) {
    if (std::ranges::find(keys, key) == keys.end()) unknown_key(path, key, keys);
  }
  each_field<Struct>([&](const auto& row) { read_field(node, path, row, value); });
}

template <class Struct>
void read(const json& node, const Path& path, Object rule, std::optional<Struct>& value) {
  read(node, path, rule, value.emplace());
}

std::string reads_up_to(int newest) { return "this version reads up to " + std::to_string(newest); }

}  // namespace

const json& object(const json& node, const Path& path) {
  if (!node.is_object()) fail_type(path, node, "an object");
  return node;
}

const json& member(const json& node, std::string_view key, const Path& path) {
  const auto found = object(node, path).find(key);
  if (found == node.end()) fail(path, "no key \"" + std::string(key) + "\"; it is required");
  return *found;
}

void check_version(const json& node, int newest, const Path& path) {
  check_is_version(node, newest, path);
  if (node.get<double>() > newest) {
    fail(path, "is " + describe(node) + "; " + reads_up_to(newest) + ": update Forestage");
  }
}

void check_is_version(const json& node, int newest, const Path& path) {
  const double version = node.is_number() ? node.get<double>() : 0.0;
  if (version >= 1.0 && version == std::floor(version)) return;
  fail_type(path, node, "a whole number from 1; " + reads_up_to(newest));
}

Preset read_preset(const json& node, const Path& path) {
  // Before anything else: in a file from the future, other keys would be blamed for what the version explains.
  check_version(member(node, "schema", path), preset_schema, Path(path, "schema"));
  Preset preset;
  if (node.at("schema").get<double>() < preset_schema) {
    json newest = node;
    migrate(newest, "schema", preset_steps);
    read(newest, path, Object{}, preset);
  } else {
    read(node, path, Object{}, preset);
  }
  check_preset(preset, path);
  return preset;
}

HeadphoneEq read_headphone_eq(const json& node, const Path& path) {
  HeadphoneEq eq;
  read(member(node, "name", path), Path(path, "name"), name_rule, eq.name);
  const std::vector<std::string> keys{"name", std::string(eq_key<ParametricEq>), std::string(eq_key<EarEqs>),
                                      std::string(eq_key<FirEq>)};
  for (const auto& [key, item] : node.items()) {
    if (std::ranges::find(keys, key) == keys.end()) unknown_key(path, key, keys);
  }
  if (std::ranges::count_if(keys, [&](const std::string& key) { return node.contains(key); }) != 2) {
    fail(path, "must have a name and one of \"" + keys[1] + "\", \"" + keys[2] + "\" and \"" + keys[3] + "\"");
  }
  const auto read_filter = [&]<class Filter>(Filter filter) {
    const auto found = node.find(eq_key<Filter>);
    if (found == node.end()) return;
    const Path place(path, eq_key<Filter>);
    read(*found, place, eq_rule<Filter>, filter);
    check_eq(filter, place);
    eq.filter = std::move(filter);
  };
  read_filter(ParametricEq{});
  read_filter(EarEqs{});
  read_filter(FirEq{});
  return eq;
}

}  // namespace forestage::preset_detail
