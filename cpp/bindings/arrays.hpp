// numpy arrays as audio blocks. Shapes are checked here, once; wrong ones are errors with a hint, never a guess.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "blocks.hpp"
#include "turns.hpp"

namespace forestage::python {

using Audio = py::array_t<float, py::array::c_style>;

/// Lanes of a (channels, frames) array.
template <class Float>
class LanesOf {
 public:
  LanesOf(Float* data, py::ssize_t channels, py::ssize_t frames) : frames_(static_cast<int>(frames)) {
    for (py::ssize_t c = 0; c < channels; ++c) lanes_.push_back(data + c * frames);
  }
  auto* lanes() const { return lanes_.data(); }
  int channels() const { return static_cast<int>(lanes_.size()); }
  int frames() const { return frames_; }

 private:
  std::vector<Float*> lanes_;
  int frames_;
};

inline LanesOf<const float> read_lanes(const Audio& x, py::ssize_t channels) {
  if (x.ndim() != 2 || x.shape(0) != channels) {
    throw std::invalid_argument("audio must have shape (" + std::to_string(channels) + ", frames)");
  }
  return {x.data(), x.shape(0), x.shape(1)};
}

inline LanesOf<float> write_lanes(Audio& x) { return {x.mutable_data(), x.shape(0), x.shape(1)}; }

inline ConstAudioBlock view(const LanesOf<const float>& lanes, int start, int frames,
                            std::vector<const float*>& scratch) {
  scratch.clear();
  for (int c = 0; c < lanes.channels(); ++c) scratch.push_back(lanes.lanes()[c] + start);
  return {scratch.data(), lanes.channels(), frames};
}

inline AudioBlock view(const LanesOf<float>& lanes, int start, int frames, std::vector<float*>& scratch) {
  scratch.clear();
  for (int c = 0; c < lanes.channels(); ++c) scratch.push_back(lanes.lanes()[c] + start);
  return {scratch.data(), lanes.channels(), frames};
}

/// Plays x through call(in, out) in chunks of `max_frames`, as one turn.
template <class Call>
Audio play(Turns& turns, const Audio& x, py::ssize_t inputs, py::ssize_t outputs, int max_frames, Call&& call) {
  const auto in = read_lanes(x, inputs);
  Audio y({outputs, x.shape(1)});
  const auto out = write_lanes(y);
  take_turns(turns, [&] {
    std::vector<const float*> in_lanes;
    std::vector<float*> out_lanes;
    for (int start = 0; start < in.frames(); start += max_frames) {
      const int frames = std::min(max_frames, in.frames() - start);
      call(view(in, start, frames, in_lanes), view(out, start, frames, out_lanes));
    }
  });
  return y;
}

}  // namespace forestage::python
