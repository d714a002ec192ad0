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

void hold_match(PyEngine& p, const std::optional<std::array<EarLevels, 2>>& ears_db) {
  const auto found = ears_db ? std::optional(MatchFound{*ears_db}) : std::nullopt;
  take_turns(p.playing, [&] { p.engine.hold_match(found); });
}

std::string_view text_of(Param id, std::size_t choice) { return spec(id).choices[choice]; }

std::size_t find_text(Param id, const std::string& text) {
  const auto choices = spec(id).choices;
  const auto found = std::ranges::find(choices, text);
  if (found == choices.end())
    throw std::invalid_argument("no choice of " + param_id(spec(id)) + " is \"" + text + "\"");
  return static_cast<std::size_t>(found - choices.begin());
}

BlindRun make_run(const std::string& method, const std::string& pair, int planned,
                  const std::vector<std::pair<std::string, std::string>>& trials) {
  BlindRun run{static_cast<Blind>(find_text(Param::blind, method)),
               static_cast<BlindPair>(find_text(Param::blind_pair, pair)),
               planned,
               {}};
  for (const auto& [x, answer] : trials) run.trials.push_back({x == "A", answer == "X"});
  return run;
}

void bind_blind(py::module_& m) {
  py::class_<BlindRun>(m, "BlindRun", "Blind trials and what came out; see blind_trials.hpp.")
      .def(py::init(&make_run), py::arg("method"), py::arg("pair"), py::arg("planned"), py::arg("trials"),
           "As the properties give them.")
      .def_property_readonly(
          "method", [](const BlindRun& run) { return text_of(Param::blind, static_cast<std::size_t>(run.method)); })
      .def_property_readonly(
          "pair", [](const BlindRun& run) { return text_of(Param::blind_pair, static_cast<std::size_t>(run.pair)); })
      .def_readonly("planned", &BlindRun::planned)
      .def_property_readonly("is_over", &BlindRun::is_over)
      .def_property_readonly(
          "trials",
          [](const BlindRun& run) {
            py::list trials;
            for (const BlindTrial& each : run.trials) {
              trials.append(py::make_tuple(each.x_is_first ? "A" : "B", each.answer_is_x ? "X" : "Y"));
            }
            return trials;
          },
          "What X was, and the answer, of each.")
      .def_property_readonly("hits", &BlindRun::hits)
      .def_property_readonly("p_value", [](const BlindRun& run) { return p_value(run); })
      .def(
          "share_interval",
          [](const BlindRun& run, double confidence) {
            const ShareInterval interval = share_interval(run, confidence);
            return py::make_tuple(interval.low, interval.high);
          },
          py::arg("confidence") = 0.95)
      .def("to_csv", &to_csv, py::arg("a"), py::arg("b"), "A line a trial, with what A and B were.")
      .def("__repr__", [](const BlindRun& run) {
        return "<BlindRun " + std::string(text_of(Param::blind, static_cast<std::size_t>(run.method))) + ": " +
               std::to_string(run.hits()) + " of " + std::to_string(run.trials.size()) + ", " +
               std::to_string(run.planned) + " planned>";
      });
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
  bind_blind(m);
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
      .def_property_readonly("is_kept", &is_kept)
      .def_property_readonly(
          "choices",
          [](const ParamSpec& p) { return std::vector<std::string_view>(p.choices.begin(), p.choices.end()); })
      .def_readonly("text", &ParamSpec::text)
      .def(
          "normalised", [](const ParamSpec& p, float value) { return normalised(p, value); }, py::arg("value"),
          "The value as hosts have it that know nothing but 0 to 1.")
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
      .def_property_readonly("match_found", [](const PyEngine& p) { return p.engine.match_found().ears_db; })
      .def("hold_match", &hold_match, py::arg("ears_db"))
      .def_property_readonly("is_blind", [](const PyEngine& p) { return p.engine.is_blind(); })
      .def("blind_run", [](const PyEngine& p) { return p.engine.blind_run(); })
      .def(
          "seed_draws",
          [](PyEngine& p, std::uint64_t number) { take_turns(p.playing, [&] { p.engine.seed_draws(number); }); },
          py::arg("number"))
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
