// Writes the LV2 bundle's Turtle into a folder: what hosts read about the plugins and their factory presets. Runs while
// the plugin is built.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "factory.hpp"
#include "lv2_ports.hpp"
#include "number_text.hpp"
#include "preset_list.hpp"

namespace forestage::plugin {
namespace {

constexpr std::string_view prefixes =
    "@prefix atom:  <http://lv2plug.in/ns/ext/atom#> .\n"
    "@prefix bufs:  <http://lv2plug.in/ns/ext/buf-size#> .\n"
    "@prefix doap:  <http://usefulinc.com/ns/doap#> .\n"
    "@prefix foaf:  <http://xmlns.com/foaf/0.1/> .\n"
    "@prefix lv2:   <http://lv2plug.in/ns/lv2core#> .\n"
    "@prefix opts:  <http://lv2plug.in/ns/ext/options#> .\n"
    "@prefix patch: <http://lv2plug.in/ns/ext/patch#> .\n"
    "@prefix pprop: <http://lv2plug.in/ns/ext/port-props#> .\n"
    "@prefix pset:  <http://lv2plug.in/ns/ext/presets#> .\n"
    "@prefix rdf:   <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .\n"
    "@prefix rdfs:  <http://www.w3.org/2000/01/rdf-schema#> .\n"
    "@prefix rsz:   <http://lv2plug.in/ns/ext/resize-port#> .\n"
    "@prefix state: <http://lv2plug.in/ns/ext/state#> .\n"
    "@prefix ui:    <http://lv2plug.in/ns/extensions/ui#> .\n"
    "@prefix units: <http://lv2plug.in/ns/extensions/units#> .\n"
    "@prefix urid:  <http://lv2plug.in/ns/ext/urid#> .\n\n";

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string unit_of(const ParamSpec& row) {
  if (row.unit == "dB") return "units:db";
  if (row.unit == "deg") return "units:degree";
  if (is_percent(row)) return "units:pc";
  throw std::logic_error("no LV2 unit for " + std::string(row.unit) + "; lv2_turtle.cpp needs to know it");
}

class Port {
 public:
  Port(std::ostream& out, int index, std::string_view kinds, std::string_view symbol, std::string_view name)
      : out_(out) {
    out_ << (index == 0 ? "\tlv2:port [\n" : " , [\n") << "\t\ta " << kinds << " ;\n\t\tlv2:index " << index
         << " ;\n\t\tlv2:symbol " << literal(symbol) << " ;\n\t\tlv2:name " << literal(name);
  }
  ~Port() { out_ << "\n\t]"; }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  Port& with(std::string_view key, std::string_view value) {
    out_ << " ;\n\t\t" << key << " " << value;
    return *this;
  }
  Port& range(float least, float most, float otherwise) {
    return with("lv2:default", number_text(otherwise))
        .with("lv2:minimum", number_text(least))
        .with("lv2:maximum", number_text(most));
  }
  Port& points(const std::vector<std::pair<int, std::string>>& points) {
    std::string text;
    for (const auto& [value, label] : points)
      text += std::string(text.empty() ? "" : " ,") + "\n\t\t\t[ rdfs:label " + literal(label) + " ; rdf:value " +
              std::to_string(value) + " ]";
    return with("lv2:scalePoint", text);
  }

 private:
  std::ostream& out_;
};

void write_param(std::ostream& out, int index, const ParamSpec& row) {
  const bool is_output = is_read_only(row);
  Port port(out, index, is_output ? "lv2:OutputPort , lv2:ControlPort" : "lv2:InputPort , lv2:ControlPort",
            param_id(row), row.name);
  port.range(row.min_value, row.max_value, row.default_value).with("rdfs:comment", literal(row.text));
  if (has_any_value(row)) {
    if (row.is_count) port.with("lv2:portProperty", "lv2:integer");
    if (is_percent(row) || !row.unit.empty()) port.with("units:unit", unit_of(row));
  } else if (row.kind == ParamKind::toggle) {
    port.with("lv2:portProperty", "lv2:toggled");
  } else {
    std::vector<std::pair<int, std::string>> points;
    for (const auto choice : row.choices) points.emplace_back(static_cast<int>(points.size()), choice);
    port.with("lv2:portProperty", "lv2:integer , lv2:enumeration").points(points);
  }
}

void write_ports(std::ostream& out, const Lv2Ports& ports, const FactoryPresets& factory) {
  const auto numbered = [](std::string_view text, int number) { return std::string(text) + std::to_string(number); };
  for (int c = 0; c < Lv2Ports::inputs; ++c)
    Port(out, c, "lv2:InputPort , lv2:AudioPort", numbered("audio_in_", c + 1), numbered("Audio In ", c + 1));
  for (int c = 0; c < ports.outputs; ++c)
    Port(out, ports.output(c), "lv2:OutputPort , lv2:AudioPort", numbered("audio_out_", c + 1),
         numbered("Audio Out ", c + 1));
  for (const bool is_input : {true, false}) {
    Port(out, is_input ? ports.messages_in() : ports.messages_out(),
         is_input ? "lv2:InputPort , atom:AtomPort" : "lv2:OutputPort , atom:AtomPort", is_input ? "in" : "out",
         is_input ? "In" : "Out")
        .with("atom:bufferType", "atom:Sequence")
        .with("atom:supports", is_input ? "patch:Message" : "patch:Message , state:StateChanged")
        .with("rsz:minimumSize", "8192")
        .with("lv2:designation", "lv2:control")
        .with("lv2:portProperty", "lv2:connectionOptional");
  }
  Port(out, ports.latency(), "lv2:OutputPort , lv2:ControlPort", "latency", "Latency")
      .with("lv2:designation", "lv2:latency")
      .with("lv2:portProperty", "lv2:reportsLatency , lv2:integer , lv2:connectionOptional , pprop:notOnGUI")
      .with("units:unit", "units:frame");
  Port(out, ports.free_wheeling(), "lv2:InputPort , lv2:ControlPort", "freeWheeling", "Free Wheeling")
      .range(0, 1, 0)
      .with("lv2:designation", "lv2:freeWheeling")
      .with("lv2:portProperty", "lv2:toggled , lv2:connectionOptional , pprop:notOnGUI");
  Port(out, ports.enabled(), "lv2:InputPort , lv2:ControlPort", "enabled", "Enabled")
      .range(0, 1, 1)
      .with("lv2:designation", "lv2:enabled")
      .with("lv2:portProperty", "lv2:toggled , lv2:connectionOptional , pprop:notOnGUI");
  std::vector<std::pair<int, std::string>> names;
  for (int position = 0; position < factory.count(); ++position) names.emplace_back(position, factory.name(position));
  names.emplace_back(PresetList::custom, "Custom");
  Port(out, ports.preset(), "lv2:InputPort , lv2:ControlPort", "preset", "Preset")
      .range(0, PresetList::custom, 0)
      .with("lv2:portProperty", "lv2:integer , pprop:causesArtifacts")
      .with("rdfs:comment", literal("Loads a preset into the slot that plays: the factory presets, then your own by "
                                    "name, from ~/.local/share/forestage/presets."))
      .points(names);
  for (std::size_t i = 0; i < param_count; ++i) write_param(out, ports.param(i), params[i]);
}

void write_plugin(std::ostream& out, int outputs, const FactoryPresets& factory) {
  const std::string version = FORESTAGE_VERSION;
  const auto minor = version.find('.') + 1;
  const auto micro = version.find('.', minor) + 1;
  out << "<" << lv2_uri_of(outputs) << ">\n"
      << "\ta lv2:Plugin , lv2:SpatialPlugin ;\n"
      << "\tdoap:name " << literal(plugin_name(outputs)) << " ;\n"
      << "\tdoap:shortdesc \"Stereo into driver feeds for compact loudspeakers, with a headphones preview of the "
         "device\" ;\n"
      << "\tdoap:license <http://spdx.org/licenses/GPL-3.0-or-later> ;\n"
      << "\tlv2:project <" << lv2_uri << ":project> ;\n"
      << "\tlv2:minorVersion " << version.substr(minor, micro - 1 - minor) << " ;\n"
      << "\tlv2:microVersion " << version.substr(micro) << " ;\n"
      << "\tlv2:optionalFeature lv2:hardRTCapable , urid:map ;\n"
      << "\tlv2:extensionData state:interface ;\n"
      << "\tui:ui <" << lv2_window_uri << "> ;\n"
      << "\tpatch:writable <" << lv2_preset_file_uri << "> , <" << lv2_headphone_eq_uri << "> ;\n";
  write_ports(out, {outputs}, factory);
  out << " .\n\n";
}

void write_manifest(std::ostream& out, std::string_view binary, const FactoryPresets& factory) {
  out << prefixes;
  out << "<" << lv2_window_uri << ">\n\ta ui:X11UI ;\n\tui:binary <" << binary
      << "> ;\n\trdfs:seeAlso <forestage.ttl> .\n\n";
  for (const int outputs : all_outputs) {
    out << "<" << lv2_uri_of(outputs) << ">\n\ta lv2:Plugin ;\n\tlv2:binary <" << binary
        << "> ;\n\trdfs:seeAlso <forestage.ttl> .\n\n";
    for (int position = 0; position < factory.count(); ++position) {
      out << "<" << lv2_uri_of(outputs) << ":preset" << position + 1 << ">\n\ta pset:Preset ;\n\tlv2:appliesTo <"
          << lv2_uri_of(outputs) << "> ;\n\trdfs:label " << literal(factory.name(position))
          << " ;\n\trdfs:seeAlso <presets.ttl> .\n\n";
    }
  }
}

void write_plugins(std::ostream& out, const FactoryPresets& factory) {
  out << prefixes;
  out << "<" << lv2_uri << ":project>\n\ta doap:Project ;\n\tdoap:name \"Forestage\" ;\n"
      << "\tdoap:maintainer [ a foaf:Person ; foaf:name \"Forestage\" ] .\n\n";
  out << "<" << lv2_preset_file_uri
      << ">\n\ta lv2:Parameter ;\n\trdfs:label \"Preset File\" ;\n\trdfs:range atom:Path ;\n"
      << "\trdfs:comment \"A preset of your own (.json), for the slot that plays.\" .\n\n";
  out << "<" << lv2_headphone_eq_uri
      << ">\n\ta lv2:Parameter ;\n\trdfs:label \"Headphone EQ\" ;\n\trdfs:range atom:Path ;\n"
      << "\trdfs:comment \"An equaliser for your headphones: text (.txt, as AutoEq has them) or an impulse response "
         "(.wav).\" .\n\n";
  out << "<" << lv2_window_uri << ">\n\tlv2:extensionData ui:idleInterface , ui:resize ;\n"
      << "\tlv2:requiredFeature ui:idleInterface , ui:parent , <http://lv2plug.in/ns/ext/instance-access> ;\n"
      << "\tlv2:optionalFeature ui:resize , ui:touch , urid:map , opts:options ;\n"
      << "\topts:supportedOption ui:scaleFactor .\n\n";
  for (const int outputs : all_outputs) write_plugin(out, outputs, factory);
}

/// Ports rather than a state, so that hosts show the values of the preset.
void write_presets(std::ostream& out, const FactoryPresets& factory) {
  out << prefixes;
  for (const int outputs : all_outputs) {
    for (int position = 0; position < factory.count(); ++position) {
      const auto preset = factory.load(position);
      out << "<" << lv2_uri_of(outputs) << ":preset" << position + 1
          << ">\n\ta pset:Preset ;\n\tlv2:port [ lv2:symbol \"preset\" ; pset:value " << position << " ]";
      for (const ParamSpec& row : params) {
        if (!row.in_preset) continue;
        out << " ,\n\t\t[ lv2:symbol " << literal(param_id(row)) << " ; pset:value "
            << number_text(setting(*preset, row)) << " ]";
      }
      out << " .\n\n";
    }
  }
}

void save(const std::filesystem::path& file, const std::ostringstream& text) {
  std::ofstream out(file, std::ios::binary);
  if (!(out << text.str()) || !out.flush()) throw std::runtime_error("cannot write " + file.string());
}

void write_bundle(const std::filesystem::path& folder, std::string_view binary, const FactoryPresets& factory) {
  std::ostringstream manifest;
  std::ostringstream plugins;
  std::ostringstream presets;
  write_manifest(manifest, binary, factory);
  write_plugins(plugins, factory);
  write_presets(presets, factory);
  save(folder / "manifest.ttl", manifest);
  save(folder / "forestage.ttl", plugins);
  save(folder / "presets.ttl", presets);
}

}  // namespace
}  // namespace forestage::plugin

int main(int argument_count, char** arguments) {
  if (argument_count != 4) {
    std::cerr << "usage: lv2_turtle FOLDER BINARY PRESETS\n";
    return 2;
  }
  try {
    forestage::plugin::write_bundle(arguments[1], arguments[2], forestage::plugin::FactoryPresets(arguments[3]));
  } catch (const std::exception& error) {
    std::cerr << "lv2_turtle: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
