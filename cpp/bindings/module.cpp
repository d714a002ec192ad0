// The Python module `forestage._core`: thin views of the core; the package in python/forestage is the public face.
#include <pybind11/pybind11.h>

#include "physics.hpp"

namespace forestage::python {
void bind_blocks(pybind11::module_& m);
void bind_engine(pybind11::module_& m);
void bind_preset(pybind11::module_& m);
void bind_response(pybind11::module_& m);
void bind_room(pybind11::module_& m);
}  // namespace forestage::python

PYBIND11_MODULE(_core, m) {
  m.doc() = "C++ core of Forestage. Audio is (channels, frames) float32.";
  m.attr("__version__") = FORESTAGE_VERSION;
  m.attr("MANUFACTURER_CODE") = FORESTAGE_MANUFACTURER_CODE;
  m.attr("PLUGIN_CODE") = FORESTAGE_PLUGIN_CODE;
  m.attr("SPEED_OF_SOUND_M_S") = forestage::speed_of_sound_m_s;
  m.attr("HEAD_RADIUS_M") = forestage::head_radius_m;
  forestage::python::bind_preset(m);
  forestage::python::bind_engine(m);
  forestage::python::bind_blocks(m);
  forestage::python::bind_response(m);
  forestage::python::bind_room(m);
}
