// Lines over frequency, with axes and names. A curve is told apart by its dashes and its name, not by colour alone.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <span>
#include <vector>

#include "curves.hpp"
#include "theme.hpp"

namespace forestage::plugin {

struct Chart {
  double least_db, most_db, step_db;
  juce::String unit;  // written at the axis
};

/// One set of lines, and whose they are.
struct ChartLines {
  std::span<const Line> lines;
  juce::String suffix;  // of the names: which slot
  bool is_second = false;
};

void draw_chart(juce::Graphics& graphics, juce::Rectangle<int> area, const Chart& chart,
                std::span<const ChartLines> sets, const Palette& palette);

}  // namespace forestage::plugin
