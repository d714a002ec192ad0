// Colours, fonts and sizes of the window, and how its controls are drawn. The one place for looks.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace forestage::plugin {

/// What a colour is for. Each stands for one fact only, and words or shapes say the same.
struct Palette {
  juce::Colour background, panel, outline, track;
  juce::Colour text, dim_text;
  juce::Colour accent, on_accent;  // what is chosen, and text on it
  juce::Colour slot_a, slot_b;     // curves and tabs of the two presets
  juce::Colour plain, target;      // curves beside them
  juce::Colour good, warning, error;

  static const Palette& dark();
  static const Palette& light();
};

/// Of two opaque colours, after WCAG 2.1: 1 to 21.
double contrast(juce::Colour a, juce::Colour b);
/// Black or white, for text on any colour: at least 4.5.
juce::Colour readable_on(juce::Colour back);

class Theme final : public juce::LookAndFeel_V4 {
 public:
  static constexpr int margin = 10;
  static constexpr int gap = 6;
  static constexpr int row_height = 26;
  static constexpr float corner = 5.0f;
  static constexpr float text_height = 14.0f;
  static constexpr float small_height = 12.0f;

  explicit Theme(const Palette& palette);
  const Palette& palette() const noexcept { return palette_; }

  static juce::Font text_font() { return juce::Font(text_height); }
  static juce::Font small_font() { return juce::Font(small_height); }
  static juce::Font bold_font() { return juce::Font(text_height, juce::Font::bold); }

  void drawButtonBackground(juce::Graphics&, juce::Button&, const juce::Colour&, bool is_over, bool is_down) override;
  void drawButtonText(juce::Graphics&, juce::TextButton&, bool is_over, bool is_down) override;
  juce::Font getTextButtonFont(juce::TextButton&, int) override { return text_font(); }
  void drawRotarySlider(juce::Graphics&, int x, int y, int width, int height, float position, float start, float end,
                        juce::Slider&) override;
  juce::Font getLabelFont(juce::Label&) override { return small_font(); }
  juce::Font getPopupMenuFont() override { return text_font(); }

 private:
  Palette palette_;
};

/// Of the window that a component is in.
const Palette& palette_of(const juce::Component& component);

/// A panel on the background, in all of its area.
void draw_panel(juce::Graphics& graphics, juce::Rectangle<int> area, const Palette& palette);
/// Around what has the keyboard.
void draw_focus(juce::Graphics& graphics, juce::Rectangle<float> area, const Palette& palette);

}  // namespace forestage::plugin
