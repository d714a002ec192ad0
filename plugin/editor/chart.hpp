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

/// Where a chart's lines are, and their names below.
struct ChartLayout {
  ChartLayout(juce::Rectangle<int> area, std::span<const ChartLines> sets);
  float x_of(double hz) const;

  juce::Rectangle<float> plot;
  juce::Rectangle<int> legend;
};

void draw_chart(juce::Graphics& graphics, const ChartLayout& at, const Chart& chart, std::span<const ChartLines> sets,
                const Palette& palette);

/// Behind the lines of a chart: levels in dBFS, from 0 at its top to -80 at its bottom.
void draw_spectrum(juce::Graphics& graphics, const ChartLayout& at, std::span<const double> frequency_hz,
                   std::span<const double> levels_db, const Palette& palette);

}  // namespace forestage::plugin
