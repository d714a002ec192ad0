#include "headphone_eq_file.hpp"

#include <juce_audio_formats/juce_audio_formats.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "headphone_eq_text.hpp"

namespace forestage::plugin {
namespace {

constexpr juce::int64 max_text_bytes = 1 << 20;

HeadphoneEq read_text(const juce::File& file, const std::string& name) {
  juce::MemoryBlock text;
  if (file.getSize() > max_text_bytes || !file.loadFileAsData(text)) {
    throw std::invalid_argument("cannot be read; the text of a parametric equaliser would be right");
  }
  return parse_parametric_eq({static_cast<const char*>(text.getData()), text.getSize()}, name);
}

HeadphoneEq read_wav(const juce::File& file, const std::string& name) {
  auto stream = file.createInputStream();
  std::unique_ptr<juce::AudioFormatReader> reader;
  if (stream != nullptr) reader.reset(juce::WavAudioFormat().createReaderFor(stream.release(), true));
  if (reader == nullptr) throw std::invalid_argument("is not a WAV file that can be read");
  const auto channels = static_cast<int>(reader->numChannels);
  if (channels != 1 && channels != 2) {
    throw std::invalid_argument("has " + std::to_string(channels) + " channels; one or two would be right");
  }
  const auto longest = static_cast<juce::int64>(longest_eq_s * reader->sampleRate);
  const auto frames = static_cast<int>(std::min(reader->lengthInSamples, longest + 1));  // one too many is refused
  juce::AudioBuffer<float> taps(channels, frames);
  reader->read(&taps, 0, frames, 0, true, true);
  const auto fir = [&](int channel) {
    return Fir(taps.getReadPointer(channel), taps.getReadPointer(channel) + frames);
  };
  FirEq eq{static_cast<int>(std::lround(reader->sampleRate)), {fir(0), fir(channels - 1)}};
  check(eq);
  return {headphone_eq_name(name), std::move(eq)};
}

}  // namespace

HeadphoneEq load_headphone_eq(const juce::File& file) {
  const auto name = file.getFileNameWithoutExtension().toStdString();
  try {
    if (!file.existsAsFile()) throw std::invalid_argument("no such file");
    if (file.hasFileExtension("txt")) return read_text(file, name);
    if (file.hasFileExtension("wav")) return read_wav(file, name);
    throw std::invalid_argument("a parametric equaliser (.txt) or impulse responses (.wav) would be right");
  } catch (const std::exception& error) {
    throw std::invalid_argument(file.getFileName().toStdString() + ": " + error.what());
  }
}

}  // namespace forestage::plugin
