// The editor: a strip for the equaliser of the headphones, and below it every parameter as the host would show it.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headphone_eq.hpp"
#include "processor.hpp"

namespace forestage::plugin {

/// Says which equaliser the headphones have, loads another, and shows what is wrong with a file, or with the session.
class HeadphoneEqStrip final : public juce::Component, private juce::Timer {
 public:
  explicit HeadphoneEqStrip(Processor& processor);
  ~HeadphoneEqStrip() override;

  void resized() override;

 private:
  void timerCallback() override;  // states come at any time, from any thread
  void choose();
  void load(const juce::File& file);
  void apply(std::optional<HeadphoneEq> eq);
  void show_name();
  void show_notes();
  void show_error(const juce::String& message);

  Processor& processor_;
  std::optional<std::string> shown_;
  std::vector<std::string> shown_notes_;
  juce::Label name_;
  juce::Label error_;
  juce::TextButton load_{"Load..."};
  juce::TextButton clear_{"Clear"};
  std::unique_ptr<juce::FileChooser> chooser_;
  juce::File folder_ = juce::File::getSpecialLocation(juce::File::userHomeDirectory);

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(HeadphoneEqStrip)
};

class Editor final : public juce::AudioProcessorEditor {
 public:
  explicit Editor(Processor& owner);

  void paint(juce::Graphics& graphics) override;
  void resized() override;

 private:
  HeadphoneEqStrip strip_;
  juce::GenericAudioProcessorEditor parameters_;
  juce::TooltipWindow tooltips_{this};

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(Editor)
};

}  // namespace forestage::plugin
