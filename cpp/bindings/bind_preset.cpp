#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "arrays.hpp"
#include "headphone_eq_file.hpp"
#include "headphone_eq_text.hpp"
#include "headphone_eq_wav.hpp"
#include "preset_fields.hpp"
#include "preset_io.hpp"
#include "programme_match.hpp"
#include "state.hpp"
#include "user_folder.hpp"
#include "vstpreset.hpp"

namespace forestage::python {
namespace {

py::array_t<float> taps_of(const Fir& fir) {
  return py::array_t<float>(static_cast<py::ssize_t>(fir.size()), fir.data());
}

py::list driver_names(const Preset& preset) {
  py::list names;
  for (const DriverRoute& driver : preset.drivers) names.append(driver.name);
  return names;
}

const FilterSet& set_at(const Preset& preset, int sample_rate) {
  for (const FilterSet& set : preset.filters) {
    if (set.sample_rate == sample_rate) return set;
  }
  throw std::invalid_argument("preset \"" + preset.name + "\" holds no filters for " + std::to_string(sample_rate) +
                              " Hz");
}

Fir fir_of(const Audio& taps, py::ssize_t channel) {
  return {taps.data(channel, 0), taps.data(channel, 0) + taps.shape(1)};
}

HeadphoneEq eq_from_firs(const Audio& taps, int sample_rate, std::string_view name) {
  if (taps.ndim() != 2 || taps.shape(0) != 2 || taps.shape(1) == 0) {
    throw std::invalid_argument("taps must have shape (2, frames)");
  }
  FirEq eq{sample_rate, {fir_of(taps, 0), fir_of(taps, 1)}};
  check(eq);
  return {headphone_eq_name(name), std::move(eq)};
}

/// A copy of the text, since another thread may change a bytearray.
Preset parse_preset_text(const std::string& text) { return parse_preset(text); }

std::shared_ptr<const Preset> shared(const std::optional<Preset>& preset) {
  return preset ? std::make_shared<const Preset>(*preset) : nullptr;
}

/// <Preset "Laptop": Left, Right at 44.1, 48 kHz>
std::string describe(const Preset& preset) {
  const auto join = [](const auto& items, const auto& text_of) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ", ") + text_of(item);
    return text;
  };
  const std::string drivers = join(preset.drivers, [](const DriverRoute& driver) { return driver.name; });
  const std::string rates = join(preset.filters, [](const FilterSet& set) { return std::to_string(set.sample_rate); });
  const std::string room = preset.room ? ", in the room \"" + preset.room->name + "\"" : "";
  return "<Preset \"" + preset.name + "\": " + drivers + "; " + rates + " Hz" + room + ">";
}

// What a preset holds, as Python has it.
int shown(int frames) { return frames; }
py::array_t<float> shown(const Fir& fir) { return taps_of(fir); }
py::tuple shown(const std::array<Fir, 2>& pair) { return py::make_tuple(taps_of(pair[0]), taps_of(pair[1])); }

template <class Item>
py::list shown(const std::vector<Item>& items) {
  py::list result;
  for (const Item& item : items) result.append(shown(item));
  return result;
}

py::array_t<float> decode(std::string_view text) { return taps_of(parse_fir(text)); }

std::string encode(const py::array_t<float, py::array::c_style | py::array::forcecast>& taps) {
  return write_fir({taps.data(), taps.data() + taps.size()});
}

}  // namespace

void bind_preset(py::module_& m) {
  py::register_exception<PresetError>(m, "PresetError", PyExc_ValueError);

  py::class_<FilterSet> filter_set(m, "FilterSet", "All filters of the chain at one sample rate.");
  preset_detail::each_field<FilterSet>([&](const auto& row) {
    filter_set.def_property_readonly(
        std::string(row.key).c_str(), [member = row.member](const FilterSet& set) { return shown(set.*member); },
        std::string(row.text).c_str());
  });

  py::class_<Preset, std::shared_ptr<Preset>>(m, "Preset", "A parsed preset; it never changes.")
      .def_readonly("name", &Preset::name)
      .def_readonly("device", &Preset::device)
      .def_readonly("text", &Preset::text)
      .def_readonly("parameters", &Preset::parameters)
      .def_property_readonly("drivers", &driver_names)
      .def_property_readonly(
          "room", [](const Preset& preset) { return preset.room ? std::optional(preset.room->name) : std::nullopt; })
      .def_property_readonly("sample_rates",
                             [](const Preset& preset) {
                               std::vector<int> rates;
                               for (const FilterSet& set : preset.filters) rates.push_back(set.sample_rate);
                               return rates;
                             })
      .def("filters", &set_at, py::arg("sample_rate"), py::return_value_policy::reference_internal)
      .def("to_json", &write_preset, py::call_guard<py::gil_scoped_release>())
      .def(
          "__eq__", [](const Preset& preset, const Preset& other) { return preset == other; }, py::is_operator())
      .def("__hash__", [](const Preset& preset) { return py::hash(py::str(preset.name)); })
      .def("__copy__", [](const py::object& preset) { return preset; })
      .def(
          "__deepcopy__", [](const py::object& preset, const py::object&) { return preset; }, py::arg("memo"))
      .def("__repr__", &describe)
      .def("_repr_html_",
           [](const py::object& preset) {
             return py::module_::import("forestage.notebook").attr("preset_html")(preset);
           })
      .def(py::pickle(&write_preset, &parse_preset_text));

  m.def("parse_preset", &parse_preset_text, py::arg("text"), py::call_guard<py::gil_scoped_release>(),
        "Preset from JSON text; PresetError names the place and the value.");
  m.def(
      "matched_preset",
      [](const Preset& preset, const std::array<float, 3>& found_db, bool in_room) {
        auto result = std::make_shared<Preset>(preset);
        if (in_room && !result->room) throw std::invalid_argument("preset \"" + preset.name + "\" has no room");
        Loudness& loudness = in_room ? result->room->loudness : result->loudness;
        loudness = matched(loudness, found_db);
        return result;
      },
      py::arg("preset"), py::arg("found_db"), py::kw_only(), py::arg("in_room") = false,
      "The preset with what level_match = Programme has found of Headphones, Headphones Plain and Headphones "
      "Reference.");
  m.def("load_preset", &load_preset, py::arg("path"), py::call_guard<py::gil_scoped_release>(),
        "parse_preset of a file; messages begin with its path.");
  py::class_<HeadphoneEq>(m, "HeadphoneEq", "An equaliser of the listener's headphones.")
      .def_readonly("name", &HeadphoneEq::name)
      .def(
          "__eq__", [](const HeadphoneEq& eq, const HeadphoneEq& other) { return eq == other; }, py::is_operator())
      .def("__hash__", [](const HeadphoneEq& eq) { return py::hash(py::str(eq.name)); })
      .def("__copy__", [](const py::object& eq) { return eq; })
      .def(
          "__deepcopy__", [](const py::object& eq, const py::object&) { return eq; }, py::arg("memo"))
      .def(py::pickle(
          [](const HeadphoneEq& eq) {
            return write_state({{}, {}, {}, true, eq});
          },
          [](const std::string& state) { return parse_state(state).headphone_eq.value(); }))
      .def("__repr__", [](const HeadphoneEq& eq) { return "<HeadphoneEq \"" + eq.name + "\">"; })
      .def(
          "firs",
          [](const HeadphoneEq& eq, int sample_rate) {
            const EarFirs firs = [&] {
              const py::gil_scoped_release release;
              return headphone_firs(eq, sample_rate);
            }();
            return py::make_tuple(taps_of(firs[0]), taps_of(firs[1]));
          },
          py::kw_only(), py::arg("sample_rate"), "What it becomes at this rate: taps for the left and the right ear.");
  m.def("parse_parametric_eq", &parse_parametric_eq, py::arg("text"), py::kw_only(), py::arg("name"),
        "Equaliser from the text of AutoEq, Equalizer APO or Room EQ Wizard; ValueError names the line.");
  m.def("parse_eq_wav", &parse_eq_wav, py::arg("bytes"), py::kw_only(), py::arg("name"),
        "Equaliser from a WAV file with its impulse responses; ValueError says what is wrong with it.");
  m.def("load_headphone_eq", &load_headphone_eq, py::arg("path"), "One of both by its name, as the plugin loads it.");
  m.def("headphone_eq_from_firs", &eq_from_firs, py::arg("taps").noconvert(), py::kw_only(), py::arg("sample_rate"),
        py::arg("name"), "Equaliser from impulse responses, (2, frames).");

  m.def(
      "state_of_vstpreset",
      [](const py::bytes& bytes) { return py::bytes(state_of_vstpreset(std::string_view(bytes))); }, py::arg("bytes"),
      "The plugin's state in a .vstpreset file; ValueError says what is wrong with it.");
  m.def("user_preset_folder", &user_preset_folder, "Where a user keeps presets; empty where there is no home.");
  m.def(
      "user_presets",
      [] {
        std::map<std::string, std::filesystem::path> files;
        for (UserPreset& preset : user_presets()) files.emplace(std::move(preset.name), std::move(preset.file));
        return files;
      },
      "The user's presets by name, those in folders there as folder/name.");
  m.attr("PRESET_SCHEMA") = preset_schema;
  m.attr("SAMPLE_RATES") = py::tuple(py::cast(preset_detail::required_sample_rates));
  m.attr("MAX_DRIVERS") = preset_detail::max_drivers;
  m.attr("LONGEST_EARS_S") = preset_detail::longest_ears_s;
  m.attr("LONG_TAPS") = long_taps;
  m.attr("ROOM_BLOCK_TAPS") = room_block_taps;
  m.def("encode_fir", &encode, "Taps as the text that a preset has for them.", py::arg("taps"));
  m.def("decode_fir", &decode, "Taps of the text of a preset.", py::arg("text"));
  m.def("preset_schema", &preset_schema_json, "JSON Schema of the preset format.");
  m.def(
      "write_state",
      [](const std::optional<Preset>& a, const std::optional<Preset>& b, const std::map<std::string, float>& parameters,
         const std::optional<HeadphoneEq>& headphone_eq, const std::string& kept) {
        const py::gil_scoped_release release;
        return write_state({parameters, shared(a), shared(b), headphone_eq.has_value(), headphone_eq, kept});
      },
      py::arg("a"), py::arg("b"), py::arg("parameters"), py::arg("headphone_eq") = py::none(), py::kw_only(),
      py::arg("kept") = "",
      "Plugin state with both slots, all parameters and, when given, the equaliser of the headphones; with what was "
      "kept of the state that these were read from.");
  m.def(
      "packed_state",
      [](const std::optional<Preset>& a, const std::optional<Preset>& b, std::map<std::string, float> parameters,
         const std::optional<HeadphoneEq>& headphone_eq) {
        std::string bytes = [&] {
          const py::gil_scoped_release release;
          const auto packed = [](const auto& preset) { return preset ? packed_preset(*preset) : std::string(); };
          const std::string first = packed(a);
          const std::string second = a && b && *a == *b ? first : packed(b);
          return packed_state({std::move(parameters), {}, {}, headphone_eq.has_value(), headphone_eq}, {first, second});
        }();
        return py::bytes(bytes);
      },
      py::arg("a"), py::arg("b"), py::arg("parameters"), py::arg("headphone_eq") = py::none(),
      "write_state() of presets that were read, as the bytes that hosts keep.");
  m.def(
      "pack_state",
      [](const std::string& text) {
        std::string bytes = [&] {
          const py::gil_scoped_release release;
          return packed_state(text);
        }();
        return py::bytes(bytes);
      },
      py::arg("text"), "The bytes that hosts keep of a state.");
  m.def(
      "unpack_state",
      [](const std::string& state) {
        const py::gil_scoped_release release;
        return unpacked_state(state);
      },
      py::arg("state"), "The text of a state, packed or not.");
  m.def(
      "parse_state",
      [](const std::string& text) {
        PluginState state = [&] {
          const py::gil_scoped_release release;
          return parse_state(text);
        }();
        py::dict result;
        result["parameters"] = state.parameters;
        result["a"] = state.a ? py::cast(*state.a) : py::none();
        result["b"] = state.b ? py::cast(*state.b) : py::none();
        if (state.has_headphone_eq) result["headphone_eq"] = std::move(state.headphone_eq);
        py::list blind;
        for (const BlindRecord& each : state.blind)
          blind.append(py::make_tuple(each.names[0], each.names[1], each.run));
        result["blind"] = blind;
        result["kept"] = std::move(state.kept);
        result["notes"] = std::move(state.notes);
        return result;
      },
      py::arg("text"), "What a state holds; `notes` says what of it could not be read, and `kept` has it.");
}

}  // namespace forestage::python
