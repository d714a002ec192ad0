// Says which equaliser the headphones have, loads another, and what of a session cannot be read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headphone_eq.hpp"
#include "panel.hpp"

namespace forestage::plugin {

class HeadphoneEqStrip final : public Panel {
 public:
  explicit HeadphoneEqStrip(Desk& desk);

  void refresh() override;  // states come at any time, from any thread
  void resized() override;
  void paint(juce::Graphics& graphics) override;

 private:
  void choose();
  void load(const juce::File& file);
  void apply(std::optional<HeadphoneEq> eq);

  std::optional<std::string> shown_;
  std::vector<std::string> shown_notes_;
  juce::Label name_;
  Action load_, clear_;
  std::unique_ptr<juce::FileChooser> chooser_;
  juce::File folder_ = juce::File::getSpecialLocation(juce::File::userHomeDirectory);
};

}  // namespace forestage::plugin
