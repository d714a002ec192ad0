// Renders the window to pictures, without a screen's help, for docs and for eyes that check it:
//     editor_snapshot OUT_FOLDER
#include <juce_audio_processors/juce_audio_processors.h>

#include <iostream>
#include <string>

#include "layout.hpp"
#include "processor.hpp"
#include "window.hpp"

using namespace forestage::plugin;

namespace {

/// Some sound through the plugin, so that meters have something to show.
void play(Processor& processor) {
  constexpr int frames = 512;
  juce::AudioBuffer<float> buffer(processor.getTotalNumOutputChannels(), frames);
  juce::MidiBuffer midi;
  juce::Random random(1);
  for (int block = 0; block < 40; ++block) {
    for (int n = 0; n < frames; ++n) {
      const float middle = 0.4f * (random.nextFloat() - 0.5f);
      buffer.setSample(0, n, middle + 0.2f * (random.nextFloat() - 0.5f));
      buffer.setSample(1, n, middle + 0.1f * (random.nextFloat() - 0.5f));
    }
    processor.processBlock(buffer, midi);
  }
}

void write(juce::Component& component, double scale, const juce::File& file) {
  const auto image = component.createComponentSnapshot(component.getLocalBounds(), true, static_cast<float>(scale));
  file.deleteFile();
  juce::FileOutputStream stream(file);
  juce::PNGImageFormat().writeImageToStream(image, stream);
  std::cout << file.getFullPathName() << '\n';
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "editor_snapshot OUT_FOLDER\n";
    return 2;
  }
  const juce::ScopedJuceInitialiser_GUI gui;
  const juce::File folder = juce::File::getCurrentWorkingDirectory().getChildFile(arguments[1]);
  folder.createDirectory();
  Processor processor;
  processor.setPlayConfigDetails(2, 2, 48000.0, 512);
  processor.prepareToPlay(48000.0, 512);
  Window window(processor);
  const auto show = [&](const char* name, double scale) {
    window.setSize(juce::roundToInt(layout::width * scale), juce::roundToInt(layout::height * scale));
    play(processor);
    window.refresh();
    write(window, 1.0, folder.getChildFile(juce::String(name) + ".png"));
  };
  window.set_light(false);
  const auto list = processor.presets();
  const auto choose = [&](const std::string& part) {
    for (int position = 0; position < list->factory_count(); ++position) {
      if (list->name(position).find(part) != std::string::npos) return window.desk().choose(position);
    }
  };
  const char* tabs[] = {"separation", "colour", "beam", "zone", "drivers"};
  window.desk().change(forestage::Param::stage_width_deg, 30.0f);
  for (int tab = 0; tab < CurvesView::tab_count; ++tab) {
    window.curves().show(static_cast<CurvesView::Tab>(tab));
    show(tabs[tab], 1.0);
  }
  window.curves().show(CurvesView::separation);
  window.curves().show_other(true);
  window.desk().toggle_slot();
  choose("Soundbar");
  window.desk().change(forestage::Param::stage_width_deg, 45.0f);
  show("compared", 1.0);
  window.curves().show_other(false);
  window.set_light(true);
  choose("Five");
  show("light", 1.0);
  show("light-150", 1.5);
  show("light-75", 0.75);
  window.set_light(false);
  window.desk().open(juce::File("/nonexistent/broken.json"));
  show("notice", 1.0);
  return 0;
}
