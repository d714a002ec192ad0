#include <pybind11/stl.h>

#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "engine.hpp"
#include "find_param.hpp"
#include "number_text.hpp"
#include "params.hpp"

namespace forestage::python {
namespace {

std::string_view kind_name(ParamKind kind) {
  switch (kind) {
    case ParamKind::toggle:
      return "toggle";
    case ParamKind::linear:
      return "linear";
    case ParamKind::choice:
      return "choice";
    case ParamKind::status:
      return "status";
    case ParamKind::meter:
      return "meter";
  }
  return "";
}

Slot find_slot(const std::string& name) {
  if (name == "A") return Slot::a;
  if (name == "B") return Slot::b;
  throw std::invalid_argument("slot is \"" + name + "\"; \"A\" or \"B\" would be right");
}

/// An engine has two roles (engine.hpp): one thread plays, one loads. Each role takes turns of its own, so that loading
/// does not hold up who plays. What was loaded is kept, for a copy of the engine.
struct PyEngine {
  explicit PyEngine(const EngineSpec& spec) : engine(spec) {}

  Engine engine;
  Turns playing;
  Turns loading;
  std::array<std::shared_ptr<Preset>, 2> presets;
  std::optional<HeadphoneEq> headphone_eq;
};

Audio process(PyEngine& p, const Audio& x) {
  const auto in = read_lanes(x, 2);
  const py::ssize_t outputs = p.engine.spec().output_channels;
  Audio y({outputs, x.shape(1)});
  const auto out = write_lanes(y);
  take_turns(p.playing, [&] {
    for (int c = 0; c < 2; ++c) std::copy_n(in.lanes()[c], in.frames(), out.lanes()[c]);
    p.engine.process({out.lanes(), out.channels(), out.frames()});
  });
  return y;
}

void load(PyEngine& p, const std::string& name, const std::shared_ptr<Preset>& preset) {
  const Slot slot = find_slot(name);
  take_turns(p.loading, [&] {
    p.engine.load(slot, preset);
    p.presets[static_cast<std::size_t>(slot)] = preset;
  });
}

void set_headphone_eq(PyEngine& p, const std::optional<HeadphoneEq>& eq) {
  take_turns(p.loading, [&] {
    p.engine.set_headphone_eq(eq);
    p.headphone_eq = eq;
  });
}

std::shared_ptr<Preset> preset(PyEngine& p, const std::string& slot) {
  const auto index = static_cast<std::size_t>(find_slot(slot));
  return take_turns(p.loading, [&] { return p.presets[index]; });
}

/// Everything but past sound: rate, outputs, presets, equaliser, and the parameters in the order of the table.
using EngineState =
    std::tuple<double, int, std::array<std::shared_ptr<Preset>, 2>, std::optional<HeadphoneEq>, std::vector<float>>;

EngineState state_of(PyEngine& p) {
  return take_turns(p.loading, [&] {
    std::vector<float> values;
    for (std::size_t i = 0; i < param_count; ++i) values.push_back(p.engine.param(static_cast<Param>(i)));
    const EngineSpec& spec = p.engine.spec();
    return EngineState{spec.sample_rate, spec.output_channels, p.presets, p.headphone_eq, values};
  });
}

std::unique_ptr<PyEngine> engine_of(const EngineState& state) {
  const auto& [sample_rate, output_channels, presets, eq, values] = state;
  auto p = std::make_unique<PyEngine>(EngineSpec{sample_rate, output_channels});
  const py::gil_scoped_release release;
  p->presets = presets;
  p->headphone_eq = eq;
  p->engine.load({{presets[0], presets[1]}, eq});
  for (std::size_t i = 0; i < std::min(values.size(), param_count); ++i) {
    p->engine.set_param(static_cast<Param>(i), values[i]);
  }
  return p;
}

/// <ParamSpec amount: 0 to 100, 100 by default>
std::string describe(const ParamSpec& p) {
  std::string text = "<ParamSpec " + param_id(p) + ": ";
  if (p.choices.empty()) {
    const std::string unit = p.unit.empty() ? "" : " " + std::string(p.unit);
    return text + number_text(p.min_value) + " to " + number_text(p.max_value) + unit + ", " +
           number_text(p.default_value) + " by default>";
  }
  for (const std::string_view choice : p.choices) text += std::string(choice) + ", ";
  return text + std::string(p.choices[static_cast<std::size_t>(p.default_value)]) + " by default>";
}

}  // namespace

void bind_engine(py::module_& m) {
  py::class_<ParamSpec>(m, "ParamSpec", "One row of the host parameter table.")
      .def_property_readonly("id", [](const ParamSpec& p) { return param_id(p); })
      .def_readonly("name", &ParamSpec::name)
      .def_readonly("unit", &ParamSpec::unit)
      .def_readonly("min_value", &ParamSpec::min_value)
      .def_readonly("max_value", &ParamSpec::max_value)
      .def_readonly("default_value", &ParamSpec::default_value)
      .def_property_readonly("kind", [](const ParamSpec& p) { return kind_name(p.kind); })
      .def_readonly("in_preset", &ParamSpec::in_preset)
      .def_property_readonly("is_read_only", &is_read_only)
      .def_property_readonly(
          "choices",
          [](const ParamSpec& p) { return std::vector<std::string_view>(p.choices.begin(), p.choices.end()); })
      .def_readonly("text", &ParamSpec::text)
      .def("__repr__", &describe)
      .def(py::pickle([](const ParamSpec& p) { return param_id(p); },
                      [](const std::string& id) { return params[static_cast<std::size_t>(find_param(id))]; }));

  py::list table;
  for (const ParamSpec& row : params) table.append(py::cast(&row, py::return_value_policy::reference));
  m.attr("PARAMS") = py::tuple(table);

  py::class_<PyEngine>(
      m, "Engine",
      "Two slots of presets and everything a host needs around them; see engine.hpp. Any thread may call: "
      "calls that play wait for each other, so do calls that load, and neither for the other.")
      .def(py::init([](double sample_rate, int output_channels) {
             return std::make_unique<PyEngine>(EngineSpec{sample_rate, output_channels});
           }),
           py::arg("sample_rate"), py::kw_only(), py::arg("output_channels") = 2)
      .def("load", &load, py::arg("slot"), py::arg("preset").none(false))
      .def("preset", &preset, py::arg("slot"), "What was loaded into the slot, or None.")
      .def("set_headphone_eq", &set_headphone_eq, py::arg("eq"))
      .def_property_readonly("headphone_eq",
                             [](PyEngine& p) { return take_turns(p.loading, [&] { return p.headphone_eq; }); })
      .def(
          "set_param",
          [](PyEngine& p, const std::string& id, float value) { p.engine.set_param(find_param(id), value); },
          py::arg("id"), py::arg("value"))
      .def(
          "param", [](const PyEngine& p, const std::string& id) { return p.engine.param(find_param(id)); },
          py::arg("id"))
      .def("process", &process, py::arg("x").noconvert(), "(2, frames) in, (outputs, frames) out; state streams on.")
      .def("reset", [](PyEngine& p) { take_turns(p.playing, [&] { p.engine.reset(); }); })
      .def_property_readonly("most_peak", [](const PyEngine& p) { return p.engine.most_peak(); })
      .def_property_readonly("most_reduction_db", [](const PyEngine& p) { return p.engine.most_reduction_db(); })
      .def_property_readonly("latency_frames", [](const PyEngine& p) { return p.engine.latency_frames(); })
      .def_property_readonly("tail_frames", [](const PyEngine& p) { return p.engine.tail_frames(); })
      .def_property_readonly("sample_rate", [](const PyEngine& p) { return p.engine.spec().sample_rate; })
      .def_property_readonly("output_channels", [](const PyEngine& p) { return p.engine.spec().output_channels; })
      .def(py::pickle([](PyEngine& p) { return py::make_tuple(py::cast(state_of(p))); },
                      [](const py::tuple& state) { return engine_of(state[0].cast<EngineState>()); }));
}

}  // namespace forestage::python
