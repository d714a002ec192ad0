// Single blocks of the graph, so that tests can hold each against a numpy oracle.
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "arrays.hpp"
#include "fir_matrix.hpp"
#include "fractional_delay.hpp"
#include "graph.hpp"
#include "limiter.hpp"
#include "loudness_meter.hpp"
#include "number_text.hpp"
#include "ramp.hpp"
#include "resample_fir.hpp"
#include "upmix.hpp"
#include "virtual_stereo.hpp"

namespace forestage::python {
namespace {

constexpr int chunk_frames = 256;
constexpr int longest_call_frames = 2048;  // of a FIR matrix, whose partitions follow

struct PyFirMatrix {
  PyFirMatrix(const Audio& taps, int partition_frames, double sample_rate)
      : matrix(make(taps, partition_frames, sample_rate)),
        inputs(static_cast<int>(taps.shape(1))),
        outputs(static_cast<int>(taps.shape(0))) {}

  static FirMatrix make(const Audio& taps, int partition_frames, double sample_rate) {
    if (taps.ndim() != 3) throw std::invalid_argument("taps must have shape (outputs, inputs, taps)");
    if (sample_rate != 0.0) checked_rate(sample_rate);
    std::vector<FirPath> paths;
    for (py::ssize_t o = 0; o < taps.shape(0); ++o) {
      for (py::ssize_t i = 0; i < taps.shape(1); ++i) {
        const std::span<const float> path(taps.data(o, i, 0), static_cast<std::size_t>(taps.shape(2)));
        if (std::ranges::any_of(path, [](float tap) { return tap != 0.0f; })) {
          paths.push_back({static_cast<int>(i), static_cast<int>(o), path});
        }
      }
    }
    return FirMatrix(static_cast<int>(taps.shape(1)), static_cast<int>(taps.shape(0)), paths, partition_frames,
                     longest_call_frames, sample_rate);
  }

  Turns turns;
  FirMatrix matrix;  // before its numbers: it checks the shape
  int inputs;
  int outputs;
};

struct PyFractionalDelay {
  explicit PyFractionalDelay(double max_delay_frames) : processor(1, max_delay_frames, chunk_frames) {}
  Turns turns;
  FractionalDelay processor;
};

struct PyRamp {
  PyRamp(double sample_rate, float value) : ramp(checked_rate(sample_rate), chunk_frames) { ramp.snap(value); }

  py::array_t<float> advance(py::ssize_t frames) {
    py::array_t<float> values(frames);
    float* to = values.mutable_data();
    take_turns(turns, [&] {
      for (py::ssize_t begin = 0; begin < frames; begin += chunk_frames) {
        const int count = static_cast<int>(std::min<py::ssize_t>(chunk_frames, frames - begin));
        std::copy_n(ramp.advance(count).values, count, to + begin);
      }
    });
    return values;
  }

  Turns turns;
  Ramp ramp;
};

struct PyVirtualStereo {
  PyVirtualStereo(double sample_rate, float width_deg, float crosstalk)
      : processor(sample_rate, chunk_frames), width(sample_rate, chunk_frames), gain(sample_rate, chunk_frames) {
    width.snap(width_deg);
    gain.snap(crosstalk);
  }
  Turns turns;
  VirtualStereo processor;
  Ramp width;
  Ramp gain;
};

struct PyLimiter {
  PyLimiter(int channels_, int lookahead_frames, double sample_rate)
      : channels(checked(channels_, lookahead_frames)),
        limiter(channels, lookahead_frames, checked_rate(sample_rate), chunk_frames) {}

  static int checked(int channels, int lookahead_frames) {
    if (channels < 1 || lookahead_frames < 0) throw std::invalid_argument("a limiter needs channels and time");
    return channels;
  }

  Audio process(const Audio& x, bool is_on) {
    float least = 1.0f;
    Audio y = play(turns, x, channels, channels, chunk_frames, [&](ConstAudioBlock in, AudioBlock out) {
      for (int c = 0; c < in.channels; ++c) std::copy_n(in[c], in.frames, out[c]);
      limiter.process(out, is_on);
      least = std::min(least, limiter.least_gain());
    });
    least_gain = least;  // under the GIL, as it is read
    return y;
  }

  Turns turns;
  int channels;  // before the limiter: it is checked first
  Limiter limiter;
  float least_gain = 1.0f;
};

struct PyLoudnessMeter {
  PyLoudnessMeter(double sample_rate, std::vector<double> channel_weights)
      : channels(static_cast<py::ssize_t>(channel_weights.size())),
        meter(checked(std::move(channel_weights)), checked_rate(sample_rate)) {}

  static std::vector<double> checked(std::vector<double> weights) {
    if (weights.empty()) throw std::invalid_argument("channel_weights is empty; one for each channel would be right");
    for (const double weight : weights) {
      if (weight >= 0.0 && std::isfinite(weight)) continue;
      throw std::invalid_argument("channel_weights has " + number_text(weight) + "; 0 or more would be right");
    }
    return weights;
  }

  void push(const Audio& x) {
    const auto in = read_lanes(x, channels);
    take_turns(turns, [&] { meter.push({in.lanes(), in.channels(), in.frames()}); });
  }

  Turns turns;
  py::ssize_t channels;
  LoudnessMeter meter;
};

struct PyUpmix {
  PyUpmix(double sample_rate, float amount_, const std::string& quality, const std::string& rule)
      : processor(checked_rate(sample_rate), find_quality(quality), find_rule(rule)),
        amount(sample_rate, chunk_frames) {
    amount.snap(amount_);
  }

  static UpmixQuality find_quality(const std::string& name) {
    const auto* found = std::ranges::find(param_detail::qualities, name);
    if (found == std::end(param_detail::qualities)) {
      throw std::invalid_argument("quality is \"" + name + "\"; \"Low Latency\" or \"High Quality\" would be right");
    }
    return static_cast<UpmixQuality>(found - std::begin(param_detail::qualities));
  }

  static GainRule find_rule(const std::string& name) {
    if (name.empty() || name == "principal_axis") return GainRule::principal_axis;
    if (name == "magnitude_difference") return GainRule::magnitude_difference;
    throw std::invalid_argument("gain_rule is \"" + name +
                                "\"; \"principal_axis\" or \"magnitude_difference\" would be right");
  }

  Turns turns;
  Upmix processor;
  Ramp amount;
};

}  // namespace

void bind_blocks(py::module_& m) {
  py::class_<PyFirMatrix>(
      m, "FirMatrix",
      "Zero-latency FIR matrix; taps (outputs, inputs, taps). With a `sample_rate` in Hz from 88.2 kHz on, "
      "filters of more than 0.1 s play their later taps up to 20 kHz only, at a lower rate.")
      .def(py::init<const Audio&, int, double>(), py::arg("taps"), py::arg("partition_frames") = 0,
           py::arg("sample_rate") = 0.0)
      .def("process",
           [](PyFirMatrix& p, const Audio& x) {
             return play(p.turns, x, p.inputs, p.outputs, longest_call_frames,
                         [&](ConstAudioBlock in, AudioBlock out) { p.matrix.process(in, out); });
           })
      .def("reset", [](PyFirMatrix& p) { take_turns(p.turns, [&] { p.matrix.reset(); }); })
      .def_property_readonly("latency_frames", [](const PyFirMatrix& p) { return p.matrix.latency_frames(); });

  py::class_<PyFractionalDelay>(m, "FractionalDelay", "Delay by any number of frames on top of LATENCY_FRAMES.")
      .def(py::init<double>(), py::arg("max_delay_frames"))
      .def("process",
           [](PyFractionalDelay& p, const Audio& x, const Audio& delay_frames) {
             if (delay_frames.size() != x.shape(1)) throw std::invalid_argument("one delay per frame is needed");
             const float* at = delay_frames.data();
             return play(p.turns, x, 1, 1, chunk_frames, [&](ConstAudioBlock in, AudioBlock out) {
               std::copy_n(in[0], in.frames, out[0]);
               p.processor.process(out, at);
               at += in.frames;
             });
           })
      .def_property_readonly_static("LATENCY_FRAMES", [](const py::object&) { return FractionalDelay::latency; });

  py::class_<PyRamp>(m, "Ramp", "A parameter that follows its target in 20 ms; see ramp.hpp.")
      .def(py::init<double, float>(), py::arg("sample_rate"), py::arg("value"))
      .def("glide_to", [](PyRamp& p, float target) { take_turns(p.turns, [&] { p.ramp.glide_to(target); }); })
      .def("advance", &PyRamp::advance, py::arg("frames"), "The next values.")
      .def_property_readonly("is_steady", [](const PyRamp& p) { return p.ramp.is_steady(); });

  py::class_<PyVirtualStereo>(m, "VirtualStereo", "Virtual pair at +-width_deg; stereo in, ears out.")
      .def(py::init<double, float, float>(), py::arg("sample_rate"), py::arg("width_deg"), py::arg("crosstalk") = 1.0f)
      .def("process",
           [](PyVirtualStereo& p, const Audio& x) {
             return play(p.turns, x, 2, 2, chunk_frames,
                         [&](ConstAudioBlock in, AudioBlock out) { p.processor.process(in, p.width, p.gain, out); });
           })
      .def_property_readonly("latency_frames", [](const PyVirtualStereo& p) { return p.processor.latency_frames(); });

  py::class_<PyUpmix>(m, "Upmix", "Stereo in; left, right and centre out, which sum back to the input.")
      .def(py::init<double, float, const std::string&, const std::string&>(), py::arg("sample_rate"),
           py::arg("amount") = 1.0f, py::arg("quality") = "Low Latency", py::arg("gain_rule") = "")
      .def("process",
           [](PyUpmix& p, const Audio& x) {
             return play(p.turns, x, 2, 3, chunk_frames, [&](ConstAudioBlock in, AudioBlock out) {
               p.processor.process(in, p.amount.advance(in.frames), out);
             });
           })
      .def("reset", [](PyUpmix& p) { take_turns(p.turns, [&] { p.processor.reset(); }); })
      .def_property_readonly("latency_frames", [](const PyUpmix& p) { return p.processor.latency_frames(); });

  py::class_<PyLimiter>(m, "Limiter", "Look-ahead limiter with one gain for all channels; see limiter.hpp.")
      .def(py::init<int, int, double>(), py::kw_only(), py::arg("channels"), py::arg("lookahead_frames"),
           py::arg("sample_rate"))
      .def("process", &PyLimiter::process, py::arg("x"), py::arg("is_on") = true)
      .def("reset", [](PyLimiter& p) { take_turns(p.turns, [&] { p.limiter.reset(); }); })
      .def_readonly("least_gain", &PyLimiter::least_gain, "Of the last call.")
      .def_property_readonly("latency_frames", [](const PyLimiter& p) { return p.limiter.latency_frames(); })
      .def_property_readonly_static("CEILING", [](const py::object&) { return Limiter::ceiling; });

  py::class_<PyLoudnessMeter>(m, "LoudnessMeter", "Loudness after ITU-R BS.1770-5, in LUFS; see loudness_meter.hpp.")
      .def(py::init<double, std::vector<double>>(), py::arg("sample_rate"), py::kw_only(),
           py::arg("channel_weights") = std::vector<double>{1.0, 1.0})
      .def("push", &PyLoudnessMeter::push, py::arg("x").noconvert(), "(channels, frames); the measurement streams on.")
      .def("reset", [](PyLoudnessMeter& p) { take_turns(p.turns, [&] { p.meter.reset(); }); })
      .def_property_readonly("momentary_lufs", [](const PyLoudnessMeter& p) { return p.meter.reading().momentary; })
      .def_property_readonly("short_term_lufs", [](const PyLoudnessMeter& p) { return p.meter.reading().short_term; })
      .def_property_readonly("integrated_lufs", [](const PyLoudnessMeter& p) { return p.meter.reading().integrated; });

  py::class_<FarEar>(m, "FarEar", "Far ear of a virtual loudspeaker relative to its near ear.")
      .def_readonly("delay_s", &FarEar::delay_s)
      .def_readonly("pole_hz", &FarEar::pole_hz)
      .def_readonly("zero_hz", &FarEar::zero_hz);
  m.def("far_ear", &far_ear, py::arg("width_deg"), "Closed form for a source at width_deg from the front, 0 to 90.");

  m.def(
      "resample_fir",
      [](const Audio& taps, int from_rate, double from_delay, int to_rate, double to_delay) {
        const Fir result =
            FirResampler(from_rate, from_delay, to_rate, to_delay)(Fir(taps.data(), taps.data() + taps.size()));
        return py::array_t<float>(static_cast<py::ssize_t>(result.size()), result.data());
      },
      py::arg("taps"), py::kw_only(), py::arg("from_rate"), py::arg("from_delay"), py::arg("to_rate"),
      py::arg("to_delay"));
}

}  // namespace forestage::python
