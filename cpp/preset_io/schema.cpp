// The rows of preset_fields.hpp as a JSON Schema.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>

#include "base64.hpp"
#include "fir_text.hpp"
#include "params.hpp"
#include "preset_fields.hpp"
#include "preset_io.hpp"

namespace forestage {

namespace preset_detail {

namespace {

using schema_json = nlohmann::ordered_json;

template <class Value>
struct Type {};  // says which overload describes a member

/// Whole numbers print as such.
schema_json bound(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? schema_json(whole) : schema_json(value);
}

schema_json number_schema(std::string_view type, double min_value, double max_value) {
  if (min_value == max_value) return {{"const", bound(min_value)}};
  return {{"type", type}, {"minimum", bound(min_value)}, {"maximum", bound(max_value)}};
}

schema_json describe_rule(const Number& rule, Type<float>) {
  return number_schema("number", rule.min_value, rule.max_value);
}

schema_json describe_rule(const Number& rule, Type<std::optional<float>>) { return describe_rule(rule, Type<float>{}); }

schema_json describe_rule(const Number& rule, Type<int>) {
  return number_schema("integer", rule.min_value, rule.max_value);
}

schema_json describe_rule(SampleRate, Type<int>) { return {{"enum", required_sample_rates}}; }

schema_json describe_rule(const Text& rule, Type<std::string>) {
  return {{"type", "string"},
          {"minLength", rule.min_chars},
          {"maxLength", rule.max_chars},
          {"pattern", "^[^\\u0000-\\u001f\\u007f]*$"}};
}

schema_json describe_rule(Taps, Type<Fir>) { return {{"$ref", "#/$defs/fir"}}; }

schema_json describe_rule(FreeForm, Type<std::string>) { return {{"type", "object"}}; }

schema_json describe_rule(Parameters, Type<std::map<std::string, float>>) {
  schema_json properties = schema_json::object();
  for (const ParamSpec& param : params) {
    if (!param.in_preset) continue;
    schema_json& row = properties[param_id(param)];
    row["description"] = param.text;
    row.update(number_schema(param.kind == ParamKind::linear ? "number" : "integer", param.min_value, param.max_value));
  }
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", std::move(properties)}};
}

// Rules nest in any order, so those below must be known to those above.
template <class Item, class Value>
schema_json describe_rule(const List<Item>& rule, Type<std::vector<Value>>);
template <class Struct>
schema_json describe_rule(Object, Type<Struct>);
template <class Struct>
schema_json describe_rule(Object rule, Type<std::optional<Struct>>) {
  return describe_rule(rule, Type<Struct>{});
}

template <class Item, class Value>
schema_json describe_rule(const Pair<Item>& rule, Type<std::array<Value, 2>>) {
  return {{"type", "array"}, {"minItems", 2}, {"maxItems", 2}, {"items", describe_rule(rule.item, Type<Value>{})}};
}

template <class Item, class Value>
schema_json describe_rule(const List<Item>& rule, Type<std::vector<Value>>) {
  return {{"type", "array"},
          {"minItems", rule.min_items},
          {"maxItems", rule.max_items},
          {"items", describe_rule(rule.item, Type<Value>{})}};
}

template <class Struct, class Value, class Rule>
void add_row(schema_json& schema, const Field<Struct, Value, Rule>& row) {
  schema_json& property = schema["properties"][std::string(row.key)];
  property["description"] = row.text;
  property.update(describe_rule(row.rule, Type<Value>{}));
  if (row.need == Need::required) schema["required"].push_back(row.key);
}

template <class Struct>
schema_json describe_rule(Object, Type<Struct>) {
  schema_json schema = {{"type", "object"},
                        {"additionalProperties", false},
                        {"required", schema_json::array()},
                        {"properties", schema_json::object()}};
  each_field<Struct>([&](const auto& row) { add_row(schema, row); });
  return schema;
}

schema_json fir_schema() {
  return {
      {"description",
       "Taps as base64 of little-endian float32; or, after \"flac\", a whole number e and a colon, of a FLAC stream "
       "with one channel of 24 bits, full scale = 2^e; or of float16 after \"f16:\", or after \"f16p:\" all low "
       "bytes and then all high ones; empty = silence."},
      {"type", "string"},
      {"maxLength", base64_chars(4 * max_taps)},
      {"pattern", "^(f16p?:|flac-?[0-9]{1,3}:)?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}};
}

}  // namespace

}  // namespace preset_detail

std::string preset_schema_json() {
  using namespace preset_detail;
  schema_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                        {"$id", "urn:forestage:preset:" + std::to_string(preset_schema)},
                        {"title", "Forestage preset"}};
  schema.update(describe_rule(Object{}, Type<Preset>{}));
  schema["$defs"]["fir"] = fir_schema();
  return schema.dump(2) + "\n";
}

}  // namespace forestage
