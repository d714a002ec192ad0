// Responses over frequency, as arrays [...][frequency].
#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <complex>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "arrays.hpp"
#include "find_param.hpp"
#include "param_store.hpp"
#include "preset_fields.hpp"
#include "response.hpp"

namespace forestage::python {
namespace {

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Taps = py::array_t<float, py::array::c_style | py::array::forcecast>;
using Complex = std::complex<double>;

std::span<const double> values_of(const Numbers& numbers) {
  if (numbers.ndim() != 1) throw std::invalid_argument("frequency_hz must have shape (n,)");
  return {numbers.data(), static_cast<std::size_t>(numbers.size())};
}

py::array_t<Complex> fir_responses(const Numbers& firs, const Numbers& frequency_hz, double sample_rate) {
  if (firs.ndim() != 2) throw std::invalid_argument("firs must have shape (filters, taps)");
  const FrequencyGrid grid(values_of(frequency_hz), sample_rate);
  py::array_t<Complex> out({firs.shape(0), frequency_hz.size()});
  const std::span<const double> taps(firs.data(), static_cast<std::size_t>(firs.size()));
  const std::span<Complex> responses(out.mutable_data(), static_cast<std::size_t>(out.size()));
  const py::gil_scoped_release release;
  grid.evaluate(taps, static_cast<std::size_t>(firs.shape(1)), responses);
  return out;
}

// Members of a filter set, from arrays: one dimension less for each level.
void read(const py::handle& value, int& frames) { frames = value.cast<int>(); }
void read(const py::handle& value, Fir& fir) {
  const auto taps = Taps::ensure(value);
  if (!taps || taps.ndim() != 1) throw std::invalid_argument("a filter must have shape (taps,)");
  fir.assign(taps.data(), taps.data() + taps.size());
}
void read(const py::handle& value, std::array<Fir, 2>& pair) {
  const py::sequence items = py::reinterpret_borrow<py::sequence>(value);
  if (items.size() != 2) throw std::invalid_argument("a pair of filters must have shape (2, taps)");
  for (std::size_t c = 0; c < 2; ++c) read(py::object(items[c]), pair[c]);
}
template <class Item>
void read(const py::handle& value, std::vector<Item>& items) {
  for (const py::handle item : value) read(item, items.emplace_back());
}

FilterSet filter_set(const py::object& filters) {
  FilterSet set;
  preset_detail::each_field<FilterSet>(
      [&](const auto& row) { read(filters.attr(std::string(row.key).c_str()), set.*(row.member)); });
  return set;
}

void check(const FilterSet& set, std::size_t drivers) {
  const auto expect = [](const char* name, std::size_t size, std::size_t right, bool may_be_empty) {
    if (size == right || (may_be_empty && size == 0)) return;
    throw std::invalid_argument(std::string(name) + " has " + std::to_string(size) + " rows; " + std::to_string(right) +
                                " would be right");
  };
  expect("cancel", set.cancel.size(), drivers, false);
  expect("crosstalk", set.crosstalk.size(), 2, true);
  expect("beam", set.beam.size(), drivers, true);
  expect("phantom", set.phantom.size(), drivers, true);
  expect("driver_eq", set.driver_eq.size(), drivers, true);
  expect("bass", set.bass.size(), drivers, true);
  for (const auto& row : set.bass) expect("a row of bass", row.size(), drivers, false);
}

struct PyChainResponse {
  static PyChainResponse make(const py::object& filters, const Taps& plain_gains, const Numbers& frequency_hz) {
    if (plain_gains.ndim() != 2 || plain_gains.shape(1) != 2) {
      throw std::invalid_argument("plain_gains must have shape (drivers, 2)");
    }
    std::vector<std::vector<float>> gains;
    for (py::ssize_t d = 0; d < plain_gains.shape(0); ++d) {
      gains.push_back({plain_gains.at(d, 0), plain_gains.at(d, 1)});
    }
    const FilterSet set = filter_set(filters);
    check(set, gains.size());
    return {ChainResponse(std::move(gains), set, values_of(frequency_hz)), frequency_hz.size()};
  }

  py::tuple feeds(const std::map<std::string, float>& parameters, float processed_db, bool is_equalised) const {
    ParamStore store;
    for (const auto& [id, value] : parameters) store.set(find_param(id), value);
    FeedResponses responses = chain.feeds(store, processed_db);
    if (is_equalised) responses = chain.equalised(std::move(responses));
    const auto drivers = static_cast<py::ssize_t>(responses.center.size());
    py::array_t<Complex> sides({drivers, py::ssize_t{2}, frequencies});
    py::array_t<Complex> center({drivers, frequencies});
    for (py::ssize_t d = 0; d < drivers; ++d) {
      const auto driver = static_cast<std::size_t>(d);
      for (py::ssize_t c = 0; c < 2; ++c) {
        std::ranges::copy(responses.sides[driver][static_cast<std::size_t>(c)], sides.mutable_data(d, c, 0));
      }
      std::ranges::copy(responses.center[driver], center.mutable_data(d, 0));
    }
    return py::make_tuple(sides, center);
  }

  ChainResponse chain;
  py::ssize_t frequencies;
};

}  // namespace

void bind_response(py::module_& m) {
  m.def("fir_responses", &fir_responses, py::arg("firs"), py::arg("frequency_hz"), py::kw_only(),
        py::arg("sample_rate"), "Responses (filters, n) of filters (filters, taps).");
  py::class_<PyChainResponse>(m, "ChainResponse", "What the graph does to sound, over frequency; see response.hpp.")
      .def(py::init(&PyChainResponse::make), py::arg("filters"), py::arg("plain_gains"), py::arg("frequency_hz"),
           "Of filters, any object with the members of a FilterSet, and the gains (drivers, 2) of plain stereo.")
      .def("feeds", &PyChainResponse::feeds, py::arg("parameters") = std::map<std::string, float>{}, py::kw_only(),
           py::arg("processed_db") = 0.0f, py::arg("equalised") = false,
           "From (left, right) behind the upmix to the drivers, (drivers, 2, n), and from the center, (drivers, n), "
           "without the delay that all have; in front of the equalisers of the drivers, or behind.");
}

}  // namespace forestage::python
