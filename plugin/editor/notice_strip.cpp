#include "notice_strip.hpp"

namespace forestage::plugin {

NoticeStrip::NoticeStrip(Desk& desk)
    : Panel(desk), dismiss_(juce::String::fromUTF8("\u2715"), "Dismiss the message.", [this] { desk_.say({}); }) {
  addAndMakeVisible(dismiss_);
  setVisible(false);
}

void NoticeStrip::resized() {
  dismiss_.setBounds(getLocalBounds().reduced(Theme::gap).removeFromRight(28).withHeight(26));
}

void NoticeStrip::paint(juce::Graphics& graphics) {
  graphics.setColour(palette().panel);
  graphics.fillRoundedRectangle(getLocalBounds().toFloat(), Theme::corner);
  graphics.setColour(palette().error);
  graphics.drawRoundedRectangle(getLocalBounds().toFloat().reduced(1.0f), Theme::corner, 2.0f);
  graphics.setFont(Theme::text_font());
  graphics.drawFittedText(text_, getLocalBounds().reduced(Theme::margin, Theme::gap).withTrimmedRight(34),
                          juce::Justification::centredLeft, 3, 0.9f);
}

void NoticeStrip::refresh() {
  if (desk_.notice() == text_) return;
  text_ = desk_.notice();
  setVisible(text_.isNotEmpty());
  setTitle(text_);
  if (text_.isNotEmpty())
    juce::AccessibilityHandler::postAnnouncement(text_, juce::AccessibilityHandler::AnnouncementPriority::high);
  repaint();
}

}  // namespace forestage::plugin
