// Says which equaliser the headphones have, loads another, and what of a session cannot be read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "headphone_eq.hpp"
#include "panel.hpp"
#include "settings.hpp"

namespace forestage::plugin {

class HeadphoneEqStrip final : public FramedPanel {
 public:
  HeadphoneEqStrip(Desk& desk, Settings& settings);

  void refresh() override;  // states come at any time, from any thread
  void resized() override;
  /// What is wrong with it becomes the notice, and the equaliser stays.
  void load(const juce::File& file);

 private:
  void choose();
  void apply(std::optional<HeadphoneEq> eq);

  Settings& settings_;
  std::optional<std::string> shown_;
  std::vector<std::string> shown_notes_;
  juce::Label name_;
  Action load_, clear_;
  std::unique_ptr<juce::FileChooser> chooser_;
};

}  // namespace forestage::plugin
