// What the bench of long filters holds FirMatrix against: other convolvers, as far as this machine has them. None adds
// latency.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "blocks.hpp"

namespace peers {

struct Case {
  int inputs;
  int outputs;
  int taps;
  int block;
  std::string name() const {
    return std::to_string(inputs) + "x" + std::to_string(outputs) + ", " + std::to_string(taps) + " taps, block " +
           std::to_string(block);
  }
};

using Rows = std::vector<std::vector<float>>;
using Play = std::function<void(forestage::ConstAudioBlock, forestage::AudioBlock)>;

/// One way to convolve, block by block.
struct Form {
  std::string name;
  Play play;
  bool is_on_this_thread = true;
  bool is_heard = true;  // or a part of the work alone
};

/// `taps`: that of path p leads from input p % inputs to output p / inputs.
std::vector<Form> uniform_forms(const Case& c, const Rows& taps);
std::vector<Form> zita_forms(const Case& c, const Rows& taps);
std::vector<Form> juce_forms(const Case& c, const Rows& taps);

/// One convolver a path, each of which adds what it makes of one input to one output.
template <class Convolver>
Play play_paths(std::shared_ptr<std::vector<Convolver>> convolvers) {
  return [convolvers](forestage::ConstAudioBlock in, forestage::AudioBlock out) {
    for (int o = 0; o < out.channels; ++o) {
      std::fill_n(out[o], out.frames, 0.0f);
      for (int i = 0; i < in.channels; ++i) {
        (*convolvers)[static_cast<std::size_t>(o * in.channels + i)].add(in[i], out[o]);
      }
    }
  };
}

}  // namespace peers
