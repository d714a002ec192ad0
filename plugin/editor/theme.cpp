#include "theme.hpp"

#include <algorithm>
#include <cmath>

namespace forestage::plugin {
namespace {

juce::Colour rgb(juce::uint32 value) { return juce::Colour(0xff000000u | value); }

double luminance(juce::Colour colour) {
  const auto linear = [](double value) {
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(colour.getFloatRed()) + 0.7152 * linear(colour.getFloatGreen()) +
         0.0722 * linear(colour.getFloatBlue());
}

}  // namespace

const Palette& Palette::dark() {
  static const Palette palette{rgb(0x15191e), rgb(0x1e242b), rgb(0x39434d), rgb(0x2c343d), rgb(0xe8edf2),
                               rgb(0xa3b0bc), rgb(0x4fc3c9), rgb(0x06181a), rgb(0x4fc3c9), rgb(0xf2a65a),
                               rgb(0x98a4b0), rgb(0xc9b6f2), rgb(0x7bd88f), rgb(0xf5c452), rgb(0xff8a80)};
  return palette;
}

const Palette& Palette::light() {
  static const Palette palette{rgb(0xeef1f4), rgb(0xffffff), rgb(0xc3ccd5), rgb(0xdde3e9), rgb(0x1a2129),
                               rgb(0x52606d), rgb(0x0b6e75), rgb(0xffffff), rgb(0x0b6e75), rgb(0xa34a00),
                               rgb(0x5b6875), rgb(0x5b3fa6), rgb(0x1c6b33), rgb(0x7a5200), rgb(0xb3261e)};
  return palette;
}

double contrast(juce::Colour a, juce::Colour b) {
  const auto [darker, lighter] = std::minmax({luminance(a), luminance(b)});
  return (lighter + 0.05) / (darker + 0.05);
}

juce::Colour readable_on(juce::Colour back) {
  const auto black = juce::Colours::black, white = juce::Colours::white;
  return contrast(black, back) > contrast(white, back) ? black : white;
}

Theme::Theme(const Palette& palette) : palette_(palette) {
  setColour(juce::ResizableWindow::backgroundColourId, palette.background);
  setColour(juce::TextButton::buttonColourId, palette.panel);
  setColour(juce::TextButton::buttonOnColourId, palette.accent);
  setColour(juce::TextButton::textColourOffId, palette.text);
  setColour(juce::TextButton::textColourOnId, palette.on_accent);
  setColour(juce::Label::textColourId, palette.text);
  setColour(juce::Slider::backgroundColourId, palette.background);
  setColour(juce::Slider::trackColourId, palette.track);
  setColour(juce::Slider::textBoxTextColourId, palette.text);
  setColour(juce::Slider::textBoxOutlineColourId, juce::Colours::transparentBlack);
  setColour(juce::Slider::textBoxBackgroundColourId, juce::Colours::transparentBlack);
  setColour(juce::Slider::textBoxHighlightColourId, palette.accent.withAlpha(0.4f));
  setColour(juce::TextEditor::textColourId, palette.text);
  setColour(juce::TextEditor::backgroundColourId, palette.background);
  setColour(juce::TextEditor::focusedOutlineColourId, palette.accent);
  setColour(juce::TextEditor::highlightColourId, palette.accent.withAlpha(0.4f));
  setColour(juce::TextEditor::highlightedTextColourId, palette.text);
  setColour(juce::CaretComponent::caretColourId, palette.accent);
  setColour(juce::PopupMenu::backgroundColourId, palette.panel);
  setColour(juce::PopupMenu::textColourId, palette.text);
  setColour(juce::PopupMenu::headerTextColourId, palette.dim_text);
  setColour(juce::PopupMenu::highlightedBackgroundColourId, palette.accent);
  setColour(juce::PopupMenu::highlightedTextColourId, palette.on_accent);
  setColour(juce::ComboBox::backgroundColourId, palette.panel);
  setColour(juce::ComboBox::textColourId, palette.text);
  setColour(juce::ComboBox::outlineColourId, palette.outline);
  setColour(juce::ComboBox::arrowColourId, palette.dim_text);
  setColour(juce::ComboBox::focusedOutlineColourId, palette.text);
  setColour(juce::TooltipWindow::backgroundColourId, palette.panel);
  setColour(juce::TooltipWindow::textColourId, palette.text);
  setColour(juce::TooltipWindow::outlineColourId, palette.outline);
}

void Theme::drawButtonBackground(juce::Graphics& graphics, juce::Button& button, const juce::Colour&, bool is_over,
                                 bool is_down) {
  const auto area = button.getLocalBounds().toFloat().reduced(1.0f);
  const bool is_on = button.getToggleState();
  auto fill = button.findColour(is_on ? juce::TextButton::buttonOnColourId : juce::TextButton::buttonColourId);
  if (is_down)
    fill = fill.contrasting(0.15f);
  else if (is_over)
    fill = fill.contrasting(0.07f);
  graphics.setColour(button.isEnabled() ? fill : fill.withMultipliedAlpha(0.5f));
  graphics.fillRoundedRectangle(area, corner);
  graphics.setColour(palette_.outline);
  graphics.drawRoundedRectangle(area, corner, 1.0f);
  if (button.hasKeyboardFocus(false)) draw_focus(graphics, area, palette_);
}

void Theme::drawButtonText(juce::Graphics& graphics, juce::TextButton& button, bool, bool) {
  const bool is_on = button.getToggleState();
  auto colour = button.findColour(is_on ? juce::TextButton::textColourOnId : juce::TextButton::textColourOffId);
  if (!button.isEnabled()) colour = palette_.dim_text.withMultipliedAlpha(0.6f);
  graphics.setColour(colour);
  graphics.setFont(is_on ? bold_font() : text_font());
  graphics.drawFittedText(button.getButtonText(), button.getLocalBounds().reduced(4, 0), juce::Justification::centred,
                          1, 0.8f);
}

void Theme::drawRotarySlider(juce::Graphics& graphics, int x, int y, int width, int height, float position, float start,
                             float end, juce::Slider& slider) {
  const auto area = juce::Rectangle<int>(x, y, width, height).toFloat().reduced(4.0f);
  const float radius = std::min(area.getWidth(), area.getHeight()) / 2.0f;
  const auto centre = area.getCentre();
  const float thickness = std::max(3.0f, radius * 0.14f);
  const float ring = radius - thickness / 2.0f;
  const juce::PathStrokeType stroke(thickness, juce::PathStrokeType::curved, juce::PathStrokeType::rounded);
  const auto arc = [&](float from, float to, juce::Colour colour) {
    juce::Path path;
    path.addCentredArc(centre.x, centre.y, ring, ring, 0.0f, from, to, true);
    graphics.setColour(colour);
    graphics.strokePath(path, stroke);
  };
  const auto accent = slider.isEnabled() ? palette_.accent : palette_.dim_text;
  const float angle = start + position * (end - start);
  // From 0 dB where that is inside of the range, else from the least
  const double least = slider.getMinimum();
  const double zero = least < 0.0 && slider.getMaximum() > 0.0 ? slider.valueToProportionOfLength(0.0) : 0.0;
  arc(start, end, palette_.track);
  arc(start + static_cast<float>(zero) * (end - start), angle, accent);
  const float inner = ring - 1.4f * thickness;
  graphics.setColour(palette_.panel.contrasting(0.05f));
  graphics.fillEllipse(juce::Rectangle<float>(2.0f * inner, 2.0f * inner).withCentre(centre));
  juce::Path pointer;
  pointer.addRoundedRectangle(-1.5f, -inner, 3.0f, inner * 0.5f, 1.5f);
  graphics.setColour(palette_.text);
  graphics.fillPath(pointer, juce::AffineTransform::rotation(angle).translated(centre));
  if (slider.hasKeyboardFocus(true)) draw_focus(graphics, area.expanded(3.0f), palette_);
}

const Palette& palette_of(const juce::Component& component) {
  const auto* theme = dynamic_cast<const Theme*>(&component.getLookAndFeel());
  return theme != nullptr ? theme->palette() : Palette::dark();
}

void draw_panel(juce::Graphics& graphics, juce::Rectangle<int> area, const Palette& palette) {
  graphics.setColour(palette.panel);
  graphics.fillRect(area);
  const int corner = juce::roundToInt(Theme::corner) + 1;
  if (area.reduced(corner).contains(graphics.getClipBounds())) return;
  graphics.setColour(palette.outline);
  graphics.drawRect(area);
  // Round only where it is: paths cost by their height
  for (const auto& point : {area.getTopLeft(), area.getTopRight(), area.getBottomLeft(), area.getBottomRight()}) {
    const juce::Graphics::ScopedSaveState clipped(graphics);
    if (!graphics.reduceClipRegion(
            area.getIntersection(juce::Rectangle<int>(2 * corner, 2 * corner).withCentre(point))))
      continue;
    graphics.fillAll(palette.background);
    graphics.setColour(palette.panel);
    graphics.fillRoundedRectangle(area.toFloat(), Theme::corner);
    graphics.setColour(palette.outline);
    graphics.drawRoundedRectangle(area.toFloat().reduced(0.5f), Theme::corner, 1.0f);
  }
}

void draw_focus(juce::Graphics& graphics, juce::Rectangle<float> area, const Palette& palette) {
  graphics.setColour(palette.text);
  graphics.drawRoundedRectangle(area.reduced(1.0f), Theme::corner, 1.5f);
}

}  // namespace forestage::plugin
