#include "editor.hpp"

namespace forestage::plugin {

Editor::Editor(juce::AudioProcessor& plugin, PluginModel& model) : AudioProcessorEditor(plugin), window_(model) {
  const auto size = window_.usual_size();  // before limits resize
  addAndMakeVisible(window_);
  setResizable(true, true);
  constrain(*getConstrainer());
  setSize(size.x, size.y);
}

}  // namespace forestage::plugin
