#include "monitor_bar.hpp"

namespace forestage::plugin {

MonitorBar::MonitorBar(Desk& desk) : Panel(desk) {
  add(Param::monitor, 0, false, 96, "Speakers", "Driver feeds for the real device. Key: 1.");
  add(Param::monitor, 1, false, 112, "Headphones", "The device with the design, on headphones. Key: 2.");
  add(Param::monitor, 2, false, 112, "Plain Device", "The same device without the design, on headphones. Key: 3.");
  add(Param::monitor, 3, false, 112, "Reference", "An ideal pair, on headphones. Key: 4.");
  add(Param::room, 1, true, 74, "Room", "The headphones monitors in the room of the preset. Key: R.");
  add(Param::solo, 1, true, 44, "L", "The left path alone.");
  add(Param::solo, 3, true, 44, "C", "The center alone.");
  add(Param::solo, 2, true, 44, "R", "The right path alone.");
  add(Param::bypass, 1, true, 90, "Bypass", "The input as it is, at the same latency.");
}

/// Toggles go back to 0.
void MonitorBar::add(Param id, float value, bool is_toggle, int width, const juce::String& text,
                     const juce::String& tip) {
  auto button = std::make_unique<Action>(text, tip, [this, id, value, is_toggle] {
    desk_.change(id, is_toggle && desk_.value(id) == value ? 0.0f : value);
  });
  if (id == Param::solo) button->setTitle("Solo " + text);
  mark(*button, id);
  addAndMakeVisible(*button);
  choices_.push_back({id, value, width, std::move(button)});
}

void MonitorBar::resized() {
  auto area = getLocalBounds();
  for (const Choice& choice : choices_) {
    choice.button->setBounds(area.removeFromLeft(choice.width));
    area.removeFromLeft(Theme::gap);
  }
}

void MonitorBar::refresh() {
  for (const Choice& choice : choices_) {
    choice.button->setToggleState(desk_.value(choice.id) == choice.value, juce::dontSendNotification);
  }
}

}  // namespace forestage::plugin
