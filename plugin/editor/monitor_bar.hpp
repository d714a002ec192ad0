// What is heard: the four monitors, the room, bypass, and each of the three paths alone.
#pragma once

#include <memory>
#include <vector>

#include "panel.hpp"

namespace forestage::plugin {

class MonitorBar final : public Panel {
 public:
  explicit MonitorBar(Desk& desk);

  void refresh() override;
  void resized() override;

 private:
  struct Choice {
    Param id;
    float value;
    int width;
    std::unique_ptr<Action> button;
  };
  void add(Param id, float value, bool is_toggle, int width, const juce::String& text, const juce::String& tip);

  std::vector<Choice> choices_;
};

}  // namespace forestage::plugin
