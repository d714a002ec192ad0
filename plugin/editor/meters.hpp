// Levels of what goes in and comes out, and what the guard does.
#pragma once

#include <vector>

#include "panel.hpp"

namespace forestage::plugin {

class Meters final : public Panel, public juce::SettableTooltipClient {
 public:
  explicit Meters(Desk& desk);
  ~Meters() override;

  void refresh() override;
  void paint(juce::Graphics& graphics) override;
  void mouseDown(const juce::MouseEvent&) override;

 private:
  struct Bar {
    juce::String name;
    float level_db = -90.0f;  // falls slowly
    float hold_db = -90.0f;   // the highest of the last seconds
    int held = 0;             // refreshes
    bool has_clipped = false;
    bool operator==(const Bar&) const = default;
  };
  bool plays_feeds() const;
  std::vector<juce::String> output_names() const;
  juce::String loudness_text(const juce::String& name, const LoudnessReading& reading) const;
  static void follow(Bar& bar, float peak);
  void name_bars(const std::vector<juce::String>& outputs);
  void draw_bar(juce::Graphics& graphics, juce::Rectangle<int> area, const Bar& bar) const;

  double sample_rate_ = 0.0;
  std::vector<Bar> bars_;  // inputs, then outputs
  juce::String numbers_;
};

/// What the plugin has to say about itself, in words.
class StatusPanel final : public Panel {
 public:
  explicit StatusPanel(Desk& desk) : Panel(desk) {}

  void refresh() override;
  void paint(juce::Graphics& graphics) override;

 private:
  juce::String status_;
  juce::String facts_;
  bool is_ok_ = true;
};

}  // namespace forestage::plugin
