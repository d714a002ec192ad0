// What went wrong, in words, until it is dismissed.
#pragma once

#include "panel.hpp"

namespace forestage::plugin {

class NoticeStrip final : public Panel {
 public:
  explicit NoticeStrip(Desk& desk);

  void refresh() override;
  void resized() override;
  void paint(juce::Graphics& graphics) override;

 private:
  juce::String text_;
  Action dismiss_;
};

}  // namespace forestage::plugin
