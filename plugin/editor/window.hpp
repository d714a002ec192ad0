// The plugin's window: every part in its place (layout.hpp), scaled as a whole, asked thirty times a second to look
// again.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

#include "blind_panel.hpp"
#include "curves_view.hpp"
#include "desk.hpp"
#include "headphone_eq_strip.hpp"
#include "knobs.hpp"
#include "meters.hpp"
#include "monitor_bar.hpp"
#include "notice_strip.hpp"
#include "preset_bar.hpp"
#include "settings.hpp"
#include "stage_view.hpp"
#include "theme.hpp"

namespace forestage::plugin {

/// Keeps a window to the sizes that it may have.
void constrain(juce::ComponentBoundsConstrainer& constrainer);

class Window final : public juce::Component, public juce::FileDragAndDropTarget, private juce::Timer {
 public:
  explicit Window(PluginModel& plugin);
  ~Window() override;

  /// As its user left it.
  juce::Point<int> usual_size() const;
  void refresh();
  void set_light(bool is_light);
  Desk& desk() noexcept { return desk_; }
  CurvesView& curves() noexcept { return curves_; }
  BlindPanel& blind() noexcept { return blind_; }
  /// Shows blind trials in front of all, or, where none run, takes them away again.
  void open_blind(bool is_open);

  void paint(juce::Graphics& graphics) override;
  void resized() override;
  bool keyPressed(const juce::KeyPress& key) override;
  bool isInterestedInFileDrag(const juce::StringArray& files) override { return files.size() == 1; }
  void filesDropped(const juce::StringArray& files, int x, int y) override;

 private:
  void timerCallback() override { refresh(); }

  Settings settings_;
  std::unique_ptr<Theme> theme_;
  Desk desk_;
  juce::Component content_;  // at 100 %
  PresetBar preset_bar_;
  StageView stage_;
  CurvesView curves_;
  Meters meters_;
  MonitorBar monitor_bar_;
  Knobs knobs_;
  HeadphoneEqStrip headphone_eq_;
  StatusPanel status_;
  NoticeStrip notice_;
  BlindPanel blind_;
  juce::TooltipWindow tooltips_{&content_};

  JUCE_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(Window)
};

}  // namespace forestage::plugin
