// Levels of what goes in and comes out, and what the guard does.
#pragma once

#include <vector>

#include "panel.hpp"

namespace forestage::plugin {

class Meters final : public FramedPanel, public juce::SettableTooltipClient {
 public:
  explicit Meters(Desk& desk);
  ~Meters() override;

  void refresh() override;
  void mouseDown(const juce::MouseEvent&) override;

 private:
  struct Bar {
    juce::String name;
    float level_db = -90.0f;  // falls slowly
    float hold_db = -90.0f;   // the highest of the last seconds
    int held = 0;             // refreshes
    bool has_clipped = false;
  };
  /// Where it all is.
  struct Places {
    juce::Rectangle<int> title, numbers, scale, bars;
    int names_height;
  };
  Places places() const;
  juce::Rectangle<int> column(const Places& at, std::size_t bar) const;
  bool are_many() const { return bars_.size() > 5; }
  bool plays_feeds() const;
  std::vector<juce::String> output_names() const;
  juce::String loudness_text(const juce::String& name, const LoudnessReading& reading) const;
  static void follow(Bar& bar, float peak);
  void name_bars(const std::vector<juce::String>& outputs);
  void repaint_moved(const std::vector<Bar>& before);
  void draw(juce::Graphics& graphics) override;
  void draw_bar(juce::Graphics& graphics, juce::Rectangle<int> area, const Bar& bar) const;
  void draw_name(juce::Graphics& graphics, juce::Rectangle<int> area, const juce::String& name) const;

  double sample_rate_ = 0.0;
  std::vector<Bar> bars_;  // inputs, then outputs
  juce::String numbers_;
};

/// What the plugin has to say about itself, in words.
class StatusPanel final : public FramedPanel {
 public:
  explicit StatusPanel(Desk& desk) : FramedPanel(desk) {}

  void refresh() override;

 private:
  void draw(juce::Graphics& graphics) override;

  juce::String status_;
  juce::String facts_;
  bool is_ok_ = true;
};

}  // namespace forestage::plugin
