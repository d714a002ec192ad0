// The charts, one at a time by tabs; the other slot's lines on top when asked for.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "chart.hpp"
#include "curves.hpp"
#include "panel.hpp"
#include "spectrum.hpp"

namespace forestage::plugin {

class CurvesView final : public FramedPanel {
 public:
  enum Tab { separation, colour, beam, zone, drivers, tab_count };

  explicit CurvesView(Desk& desk);

  void refresh() override;
  void resized() override;
  void show(Tab tab);
  Tab shown() const noexcept { return tab_; }
  void show_other(bool is_shown);
  /// The spectrum of what plays, behind the lines.
  void show_spectrum(bool is_shown);
  /// In dBFS, one level a band; empty where none is shown.
  const std::vector<double>& spectrum_db() const noexcept { return spectrum_db_; }
  ~CurvesView() override;

 private:
  /// What is below the tabs, so that those are not drawn again with it.
  class Drawing final : public juce::Component {
   public:
    explicit Drawing(const CurvesView& view) : view_(view) { setInterceptsMouseClicks(false, false); }
    void paint(juce::Graphics& graphics) override { view_.draw_curves(graphics); }

   private:
    const CurvesView& view_;
  };

  bool has_lines() const;
  void follow_spectrum();
  std::vector<ChartLines> chart_lines() const;
  juce::Rectangle<int> chart_area() const;
  juce::Rectangle<int> lines_area() const;
  void draw_curves(juce::Graphics& graphics) const;
  std::vector<Line> lines_of(const PresetCurves& curves, const ParamStore& knobs) const;
  void draw_beam(juce::Graphics& graphics, juce::Rectangle<int> area) const;
  void draw_zone(juce::Graphics& graphics, juce::Rectangle<int> area) const;

  Tab tab_ = separation;
  std::array<std::unique_ptr<Action>, tab_count> tabs_;
  Action compare_, live_;
  Drawing drawing_;
  bool shows_other_ = false;
  bool shows_spectrum_ = false;
  std::unique_ptr<Spectrum> spectrum_;
  double spectrum_rate_ = 0.0;
  std::vector<double> spectrum_db_;
  std::uint64_t heard_ = 0;  // frames
  int refreshes_ = 0;
  Slot slot_ = Slot::a;
  ParamValues values_{};
  SlotPresets shown_presets_;
  BeamPicture beam_;
  std::array<std::vector<Line>, 2> lines_;
  bool is_new_ = true;
};

}  // namespace forestage::plugin
