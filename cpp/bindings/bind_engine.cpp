#include <pybind11/stl.h>

#include <stdexcept>

#include "arrays.hpp"
#include "engine.hpp"
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
  }
  return "";
}

Param find_param(const std::string& id) {
  for (std::size_t i = 0; i < param_count; ++i) {
    if (param_id(params[i]) == id) return static_cast<Param>(i);
  }
  throw std::invalid_argument("no parameter is called \"" + id + "\"");
}

Slot find_slot(const std::string& name) {
  if (name == "A") return Slot::a;
  if (name == "B") return Slot::b;
  throw std::invalid_argument("slot is \"" + name + "\"; \"A\" or \"B\" would be right");
}

Audio process(Engine& engine, const Audio& x) {
  const auto in = read_lanes(x, 2);
  const py::ssize_t outputs = engine.spec().output_channels;
  Audio y({outputs, x.shape(1)});
  const auto out = write_lanes(y);
  const py::gil_scoped_release release;
  for (int c = 0; c < 2; ++c) std::copy_n(in.lanes()[c], in.frames(), out.lanes()[c]);
  engine.process({out.lanes(), out.channels(), out.frames()});
  return y;
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
      .def_property_readonly(
          "choices",
          [](const ParamSpec& p) { return std::vector<std::string_view>(p.choices.begin(), p.choices.end()); })
      .def_readonly("text", &ParamSpec::text)
      .def("__repr__", [](const ParamSpec& p) { return "<ParamSpec " + param_id(p) + ">"; });

  py::list table;
  for (const ParamSpec& row : params) table.append(py::cast(&row, py::return_value_policy::reference));
  m.attr("PARAMS") = py::tuple(table);

  py::class_<Engine>(m, "Engine", "Two slots of presets and everything a host needs around them; see engine.hpp.")
      .def(py::init([](double sample_rate, int output_channels) {
             return std::make_unique<Engine>(EngineSpec{sample_rate, output_channels});
           }),
           py::arg("sample_rate"), py::kw_only(), py::arg("output_channels") = 2)
      .def(
          "load", [](Engine& e, const std::string& slot, const Preset& preset) { e.load(find_slot(slot), preset); },
          py::arg("slot"), py::arg("preset"))
      .def("set_headphone_eq", &Engine::set_headphone_eq, py::arg("eq"))
      .def(
          "set_param", [](Engine& e, const std::string& id, float value) { e.set_param(find_param(id), value); },
          py::arg("id"), py::arg("value"))
      .def(
          "param", [](const Engine& e, const std::string& id) { return e.param(find_param(id)); }, py::arg("id"))
      .def("process", &process, py::arg("x").noconvert(), "(2, frames) in, (outputs, frames) out; state streams on.")
      .def("reset", &Engine::reset)
      .def_property_readonly("latency_frames", [](const Engine& e) { return e.latency_frames(); })
      .def_property_readonly("tail_frames", &Engine::tail_frames)
      .def_property_readonly("output_channels", [](const Engine& e) { return e.spec().output_channels; });
}

}  // namespace forestage::python
