// Rooms: one call per mirror of the image model, so that threads, progress and Ctrl-C stay with Python.
#include <pybind11/stl.h>

#include <cmath>
#include <optional>

#include "arrays.hpp"
#include "room/image_model.hpp"
#include "room/omni.hpp"
#include "room/room_kernels.hpp"
#include "room/spherical_harmonics.hpp"

namespace forestage::python {
namespace {

using namespace room;
using Reals = py::array_t<double, py::array::c_style | py::array::forcecast>;

struct PyImageModel {
  Shoebox shoebox;
  ImageOptions options;
};

PyImageModel make_model(const Vector& dimensions_m, const Reals& reflection, const Reals& diffuse,
                        double diffuse_step_s, const Vector& source_m, const Vector& receiver_m, double sample_rate,
                        double image_s, double response_s, int max_order, double jitter_m, std::uint64_t seed) {
  if (reflection.ndim() != 2 || reflection.shape(0) != 6) {
    throw std::invalid_argument("reflection must have shape (6, bands)");
  }
  const bool is_diffuse = diffuse.size() > 0;
  if (is_diffuse && (diffuse.ndim() != 2 || diffuse.shape(0) != reflection.shape(1) || diffuse.shape(1) < 2)) {
    throw std::invalid_argument("diffuse must have shape (bands, steps), or be empty");
  }
  PyImageModel model{{dimensions_m, {}, {}, diffuse_step_s, source_m, receiver_m},
                     {sample_rate, image_s, response_s, max_order, jitter_m, seed}};
  for (py::ssize_t wall = 0; wall < 6; ++wall) {
    model.shoebox.reflection[static_cast<std::size_t>(wall)].assign(reflection.data(wall, 0),
                                                                    reflection.data(wall, 0) + reflection.shape(1));
  }
  for (py::ssize_t band = 0; is_diffuse && band < diffuse.shape(0); ++band) {
    model.shoebox.diffuse.emplace_back(diffuse.data(band, 0), diffuse.data(band, 0) + diffuse.shape(1));
  }
  return model;
}

/// Patterns that keep the arrays they look at.
struct PyPatterns {
  Audio taps, axes;
  Patterns patterns;
};

PyPatterns make_patterns(const Audio& taps, const std::optional<Audio>& axes) {
  if (taps.ndim() != 3 || taps.size() == 0) throw std::invalid_argument("taps must have three axes");
  const auto harmonics = axes ? (axes->ndim() == 2 ? axes->shape(1) : 0) : taps.shape(2);
  const auto order = std::lround(std::sqrt(static_cast<double>(harmonics))) - 1;
  if (order < 0 || order > SphericalHarmonics::highest_order || harmonic_count(static_cast<int>(order)) != harmonics ||
      (axes && (axes->shape(0) != taps.shape(0) || taps.shape(2) != order + 1))) {
    throw std::invalid_argument(
        "taps must have shape (patterns, taps, (order + 1)^2), or (patterns, taps, order + 1) with axes of shape "
        "(patterns, (order + 1)^2)");
  }
  PyPatterns made{taps, axes.value_or(Audio()), {}};
  made.patterns = {made.taps.data(), static_cast<int>(taps.shape(0)), static_cast<int>(taps.shape(1)),
                   static_cast<int>(order), axes ? made.axes.data() : nullptr};
  return made;
}

void moments(const PyImageModel& model, int mirror, int order, Audio& out, const CancelFlag& cancel) {
  if (out.ndim() != 3 || out.shape(0) != model.shoebox.bands() || out.shape(1) != harmonic_count(order)) {
    throw std::invalid_argument("out must have shape (bands, (order + 1)^2, frames)");
  }
  float* data = out.mutable_data();
  const auto frames = static_cast<long>(out.shape(2));
  const py::gil_scoped_release release;
  std::fill_n(data, out.size(), 0.0f);
  add_moments(find_images(model.shoebox, model.options, mirror, cancel), order, data, frames, cancel);
}

Audio responses(const PyImageModel& model, int mirror, const PyPatterns& sources, const PyPatterns& receivers,
                py::ssize_t frames, const CancelFlag& cancel) {
  const Patterns &from = sources.patterns, &to = receivers.patterns;
  Audio result({static_cast<py::ssize_t>(model.shoebox.bands()), static_cast<py::ssize_t>(from.count),
                static_cast<py::ssize_t>(to.count), frames});
  float* data = result.mutable_data();
  const py::gil_scoped_release release;
  std::fill_n(data, result.size(), 0.0f);
  add_responses(find_images(model.shoebox, model.options, mirror, cancel), mirror, from, to, data, frames, cancel);
  return result;
}

Audio omni_responses(const PyImageModel& model, const Reals& receivers_m, unsigned mirrors_wanted, py::ssize_t first,
                     py::ssize_t frames, const CancelFlag& cancel) {
  if (receivers_m.ndim() != 2 || receivers_m.shape(1) != 3) {
    throw std::invalid_argument("receivers_m must have shape (receivers, 3)");
  }
  Audio result({receivers_m.shape(0), static_cast<py::ssize_t>(model.shoebox.bands()), frames});
  float* data = result.mutable_data();
  std::vector<Vector> places(static_cast<std::size_t>(receivers_m.shape(0)));
  for (std::size_t place = 0; place < places.size(); ++place) {
    std::copy_n(receivers_m.data(static_cast<py::ssize_t>(place), 0), 3, places[place].data());
  }
  const py::gil_scoped_release release;
  omni(model.shoebox, places, model.options, mirrors_wanted, first, frames, data, cancel);
  return result;
}

Reals spherical_harmonics(const Reals& directions, int order) {
  if (directions.ndim() != 2 || directions.shape(1) != 3) {
    throw std::invalid_argument("directions must have shape (n, 3)");
  }
  const SphericalHarmonics harmonics(order);
  constexpr int at_once = SphericalHarmonics::at_once;
  Reals result({directions.shape(0), static_cast<py::ssize_t>(harmonics.count())});
  std::vector<double> values(static_cast<std::size_t>(harmonics.count() * at_once));
  for (py::ssize_t first = 0; first < directions.shape(0); first += at_once) {
    const auto count = std::min<py::ssize_t>(at_once, directions.shape(0) - first);
    double x[at_once] = {}, y[at_once] = {}, z[at_once] = {};
    for (py::ssize_t n = 0; n < count; ++n) {
      x[n] = directions.at(first + n, 0);
      y[n] = directions.at(first + n, 1);
      z[n] = directions.at(first + n, 2);
    }
    harmonics.evaluate(x, y, z, values.data(), at_once);
    for (py::ssize_t n = 0; n < count; ++n) {
      for (int q = 0; q < harmonics.count(); ++q) {
        result.mutable_at(first + n, q) = values[static_cast<std::size_t>(q * at_once + n)];
      }
    }
  }
  return result;
}

py::array_t<float> departure_signs(int order) {
  py::array_t<float> signs({static_cast<py::ssize_t>(mirrors), static_cast<py::ssize_t>(harmonic_count(order))});
  for (int mirror = 0; mirror < mirrors; ++mirror) {
    for (int l = 0; l <= order; ++l) {
      for (int m = -l; m <= l; ++m) signs.mutable_at(mirror, l * l + l + m) = departure_sign(l, m, mirror);
    }
  }
  return signs;
}

}  // namespace

void bind_room(py::module_& m) {
  py::register_exception<Cancelled>(m, "Cancelled", PyExc_RuntimeError);

  py::class_<CancelFlag>(m, "CancelFlag", "Stops the computations that were given it, from any thread.")
      .def(py::init([] { return std::make_unique<CancelFlag>(false); }))
      .def("set", [](CancelFlag& flag) { flag.store(true, std::memory_order_relaxed); });

  py::class_<PyPatterns>(m, "Patterns", "Directional patterns; see cpp/room/room_kernels.hpp.")
      .def(py::init(&make_patterns), py::arg("taps"), py::arg("axes") = py::none());

  py::class_<PyImageModel>(m, "ImageModel", "Image sources of a shoebox; see cpp/room.")
      .def(py::init(&make_model), py::kw_only(), py::arg("dimensions_m"), py::arg("reflection"), py::arg("diffuse"),
           py::arg("diffuse_step_s"), py::arg("source_m"), py::arg("receiver_m"), py::arg("sample_rate"),
           py::arg("image_s"), py::arg("response_s"), py::arg("max_order"), py::arg("jitter_m"), py::arg("seed"))
      .def(
          "at",
          [](PyImageModel model, const Vector& receiver_m) {
            model.shoebox.receiver_m = receiver_m;
            return model;
          },
          py::arg("receiver_m"), "The same for a receiver in another place.")
      .def("moments", &moments, py::arg("mirror"), py::kw_only(), py::arg("order"), py::arg("out").noconvert(),
           py::arg("cancel"), "Writes the moments of one mirror to out, (bands, (order + 1)^2, frames).")
      .def("responses", &responses, py::arg("mirror"), py::kw_only(), py::arg("sources"), py::arg("receivers"),
           py::arg("frames"), py::arg("cancel"), "Responses (bands, sources, receivers, frames) of one mirror.")
      .def("omni", &omni_responses, py::arg("receivers_m"), py::kw_only(), py::arg("mirrors"), py::arg("first"),
           py::arg("frames"), py::arg("cancel"),
           "Responses (receivers, bands, frames), from frame `first` on, without directivity of the mirrors whose bits "
           "are set.");

  m.def("spherical_harmonics", &spherical_harmonics, py::arg("directions"), py::arg("order"),
        "Real orthonormal harmonics at unit vectors (n, 3), shape (n, (order + 1)^2).");
  m.def("departure_signs", &departure_signs, py::arg("order"),
        "Signs (mirrors, (order + 1)^2) of harmonics towards where an image's sound left, over where it comes from.");
  m.attr("MIRRORS") = mirrors;
  m.attr("LEAST_PER_SECOND") = least_per_second;
  m.attr("LEAD_FRAMES") = lead_frames;
  m.attr("HIGHEST_ORDER") = SphericalHarmonics::highest_order;
}

}  // namespace forestage::python
