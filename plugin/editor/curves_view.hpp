// The charts, one at a time by tabs; the other slot's lines on top when asked for.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "curves.hpp"
#include "panel.hpp"
#include "parameters.hpp"

namespace forestage::plugin {

class CurvesView final : public Panel {
 public:
  enum Tab { separation, colour, beam, zone, drivers, tab_count };

  explicit CurvesView(Desk& desk);

  void refresh() override;
  void resized() override;
  void paint(juce::Graphics& graphics) override;
  void show(Tab tab);
  Tab shown() const noexcept { return tab_; }
  void show_other(bool is_shown);

 private:
  std::vector<Line> lines_of(const PresetCurves& curves, const ParamStore& knobs) const;
  void draw_beam(juce::Graphics& graphics, juce::Rectangle<int> area) const;
  void draw_zone(juce::Graphics& graphics, juce::Rectangle<int> area) const;

  Tab tab_ = separation;
  std::array<std::unique_ptr<Action>, tab_count> tabs_;
  Action compare_;
  bool shows_other_ = false;
  Slot slot_ = Slot::a;
  ParamValues values_{};
  SlotPresets shown_presets_;
  BeamPicture beam_;
  std::array<std::vector<Line>, 2> lines_;
  bool is_new_ = true;
};

}  // namespace forestage::plugin
