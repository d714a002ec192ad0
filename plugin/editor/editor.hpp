// The window as JUCE's hosts open it.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include "window.hpp"

namespace forestage::plugin {

class Editor final : public juce::AudioProcessorEditor {
 public:
  Editor(juce::AudioProcessor& plugin, PluginModel& model);

  Window& window() noexcept { return window_; }

  void resized() override { window_.setBounds(getLocalBounds()); }

 private:
  Window window_;

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(Editor)
};

}  // namespace forestage::plugin
