// The knobs that shape the sound, and the choices that go with them.
#pragma once

#include <memory>
#include <vector>

#include "panel.hpp"

namespace forestage::plugin {

/// A parameter with any value in its range.
class Knob final : public juce::Component {
 public:
  Knob(Desk& desk, Param id);

  void refresh();
  void resized() override;
  void mouseDown(const juce::MouseEvent& event) override;

 private:
  Desk& desk_;
  Param id_;
  juce::Label name_;
  juce::Slider slider_;
};

/// A parameter with a few values, or two.
class Choice final : public juce::Component {
 public:
  Choice(Desk& desk, Param id);

  void refresh();
  void resized() override;

 private:
  Desk& desk_;
  Param id_;
  juce::Label name_;
  juce::ComboBox box_;
};

class Knobs final : public FramedPanel {
 public:
  explicit Knobs(Desk& desk);

  void refresh() override;
  void resized() override;

 private:
  Knob amount_;
  std::vector<std::unique_ptr<Knob>> small_;
  std::vector<std::unique_ptr<Choice>> choices_;
};

}  // namespace forestage::plugin
