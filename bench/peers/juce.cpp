// JUCE's convolution (Debian: juce-modules-source), on the FFTW that we have: in partitions of one block, and in two
// levels.
#include <juce_dsp/juce_dsp.h>

#include <algorithm>
#include <memory>

#include "peers.hpp"

namespace peers {
namespace {

constexpr double sample_rate = 48000.0;

class Juce {
 public:
  Juce(const std::vector<float>& taps, int block, int head_frames)
      : convolution_(head_frames == 0
                         ? std::make_unique<juce::dsp::Convolution>()
                         : std::make_unique<juce::dsp::Convolution>(juce::dsp::Convolution::NonUniform{head_frames})),
        frames_(1, block) {
    juce::AudioBuffer<float> response(1, static_cast<int>(taps.size()));
    std::copy(taps.begin(), taps.end(), response.getWritePointer(0));
    convolution_->loadImpulseResponse(std::move(response), sample_rate, juce::dsp::Convolution::Stereo::no,
                                      juce::dsp::Convolution::Trim::no, juce::dsp::Convolution::Normalise::no);
    convolution_->prepare({sample_rate, static_cast<juce::uint32>(block), 1});
  }

  void add(const float* in, float* out) {
    const auto count = static_cast<std::size_t>(frames_.getNumSamples());
    juce::dsp::AudioBlock<const float> from(&in, 1, count);
    juce::dsp::AudioBlock<float> to(frames_);
    convolution_->process(juce::dsp::ProcessContextNonReplacing<float>(from, to));
    juce::FloatVectorOperations::add(out, frames_.getReadPointer(0), frames_.getNumSamples());
  }

 private:
  std::unique_ptr<juce::dsp::Convolution> convolution_;
  juce::AudioBuffer<float> frames_;
};

Form juce_form(const Case& c, const Rows& taps, const char* name, int head_frames) {
  const auto convolvers = std::make_shared<std::vector<Juce>>();
  for (const auto& path : taps) convolvers->emplace_back(path, c.block, head_frames);
  return {name, play_paths(convolvers)};
}

}  // namespace

std::vector<Form> juce_forms(const Case& c, const Rows& taps) {
  std::vector<Form> forms = {juce_form(c, taps, "JUCE, one convolver per path", 0)};
  if (c.taps > 4096) forms.push_back(juce_form(c, taps, "JUCE, two levels", 8 * std::max(c.block, 128)));
  return forms;
}

}  // namespace peers
