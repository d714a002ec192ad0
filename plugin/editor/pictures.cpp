// Renders the window to pictures, without a screen's help, for docs and for eyes that check it:
//     window_pictures OUT_FOLDER
#include <juce_audio_processors/juce_audio_processors.h>

#include <array>
#include <iostream>
#include <string>

#include "layout.hpp"
#include "processor.hpp"
#include "window.hpp"

using namespace forestage::plugin;

namespace {

constexpr std::array tabs{"separation", "colour", "beam", "zone", "drivers"};

/// Some sound through the plugin, so that meters have something to show: noise that falls off as music does.
void play(Processor& processor) {
  constexpr int frames = 512;
  constexpr int blocks = 400;
  juce::AudioBuffer<float> buffer(processor.getTotalNumOutputChannels(), frames);
  juce::MidiBuffer midi;
  juce::Random random(1);
  std::array<float, 3> slow{};
  for (int block = 0; block < blocks; ++block) {
    for (int n = 0; n < frames; ++n) {
      for (auto& value : slow) value = 0.97f * value + 0.1f * (random.nextFloat() - 0.5f);
      buffer.setSample(0, n, slow[0] + 0.4f * slow[1]);
      buffer.setSample(1, n, slow[0] + 0.3f * slow[2]);
    }
    processor.processBlock(buffer, midi);
  }
}

class Photographer {
 public:
  Photographer(juce::File folder, int outputs) : folder_(std::move(folder)) {
    processor_.setPlayConfigDetails(2, outputs, 48000.0, 512);
    processor_.prepareToPlay(48000.0, 512);
    window_ = std::make_unique<Window>(processor_);
    window_->set_light(false);
    show(CurvesView::separation);
    window_->curves().show_other(false);
  }

  Window& window() { return *window_; }
  Desk& desk() { return window_->desk(); }
  void show(CurvesView::Tab tab) { window_->curves().show(tab); }

  void choose(const std::string& name) {
    const auto list = processor_.presets();
    for (int position = 0; position < list->factory_count(); ++position)
      if (list->name(position) == name) return desk().choose(position);
    std::cerr << "no preset is called " << name << '\n';
  }

  void take(const juce::String& name, double scale = 1.0) {
    window_->setSize(juce::roundToInt(layout::width * scale), juce::roundToInt(layout::height * scale));
    window_->refresh();  // begins to listen
    window_->refresh();
    play(processor_);
    for (int i = 0; i < 4; ++i) window_->refresh();
    const auto file = folder_.getChildFile(name + ".png");
    file.deleteFile();
    juce::FileOutputStream stream(file);
    juce::PNGImageFormat().writeImageToStream(window_->createComponentSnapshot(window_->getLocalBounds()), stream);
    std::cout << file.getFullPathName() << '\n';
  }

 private:
  juce::File folder_;
  Processor processor_;
  std::unique_ptr<Window> window_;
};

/// What docs show.
void take_for_docs(const juce::File& folder) {
  Photographer camera(folder, 2);
  for (int tab = 0; tab < CurvesView::tab_count; ++tab) {
    camera.show(static_cast<CurvesView::Tab>(tab));
    camera.take(tabs[static_cast<std::size_t>(tab)]);
  }
  camera.show(CurvesView::separation);
  camera.window().curves().show_other(true);
  camera.desk().toggle_slot();
  camera.choose("Soundbar 3 Close");
  camera.desk().change(forestage::Param::stage_width_deg, 45.0f);
  camera.take("compared");
  camera.window().curves().show_other(false);
  camera.window().curves().show_spectrum(true);
  camera.window().set_light(true);
  camera.choose("Five Driver Speaker Close");
  camera.take("light");
  camera.window().set_light(false);
  camera.window().open_blind(true);
  camera.desk().change(forestage::Param::blind, 1.0f);
  camera.take("blind");
}

/// Everything that may be cut or overlap: sizes, colours, many drivers, long names, a file that is broken.
void take_for_checks(const juce::File& folder) {
  for (const bool is_light : {false, true}) {
    const juce::String looks = is_light ? "light" : "dark";
    for (const int percent : {75, 100, 150, 200}) {
      Photographer camera(folder, 16);
      camera.window().set_light(is_light);
      camera.window().curves().show_spectrum(true);
      const auto named = [&](const char* what) { return looks + "-" + juce::String(percent) + "-" + what; };
      camera.choose("Laptop");
      camera.take(named("laptop"), percent / 100.0);
      camera.choose("Soundbar 7 Wide Zone");
      camera.desk().change(forestage::Param::monitor, 0.0f);
      camera.show(CurvesView::drivers);
      camera.take(named("soundbar"), percent / 100.0);
      camera.choose("Five Driver Speaker Close");
      camera.show(CurvesView::zone);
      camera.desk().change(forestage::Param::input_trim_db, 24.0f);
      camera.take(named("speaker"), percent / 100.0);
      camera.desk().open(juce::File("/nonexistent/folder of somebody/with a long name of its own/broken.json"));
      camera.show(CurvesView::colour);
      camera.take(named("broken"), percent / 100.0);
      camera.window().open_blind(true);
      camera.take(named("blind"), percent / 100.0);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: window_pictures OUT_FOLDER\n";
    return 2;
  }
  const juce::ScopedJuceInitialiser_GUI gui;
  const auto folder = juce::File::getCurrentWorkingDirectory().getChildFile(arguments[1]);
  const auto checks = folder.getChildFile("checks");
  checks.createDirectory();
  take_for_docs(folder);
  take_for_checks(checks);
  return 0;
}
