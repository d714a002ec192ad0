#include "chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace forestage::plugin {
namespace {

constexpr double lowest_hz = 50.0;
constexpr double highest_hz = 20000.0;
constexpr int left_margin = 40;
constexpr int bottom_margin = 20;
constexpr int legend_row = 16;
constexpr float swatch = 22.0f;
constexpr int columns = 3;  // of the names
constexpr double spectrum_range_db = 80.0;

struct Style {
  juce::Colour colour;
  float width;
  std::array<float, 2> dash;  // 0: a whole line
};

Style style_of(const Line& line, std::size_t index, std::size_t count, bool is_second, const Palette& palette) {
  const auto own = is_second ? palette.slot_b : palette.slot_a;
  switch (line.kind) {
    case LineKind::design:
      return {own, 2.2f, {}};
    case LineKind::heard:
      return {own, 1.6f, {7.0f, 4.0f}};
    case LineKind::plain:
      return {palette.plain, 1.6f, {}};
    case LineKind::target:
      return {palette.target, 1.6f, {2.0f, 3.0f}};
    case LineKind::reference:
      return {palette.target, 1.6f, {9.0f, 3.0f}};
    case LineKind::driver:
      break;
  }
  const float hue = static_cast<float>(index) / static_cast<float>(std::max<std::size_t>(count, 1));
  return {own.withRotatedHue(0.85f * hue), 1.6f, index % 2 == 0 ? std::array<float, 2>{} : std::array{6.0f, 3.0f}};
}

void stroke(juce::Graphics& graphics, const juce::Path& path, const Style& style) {
  graphics.setColour(style.colour);
  const juce::PathStrokeType type(style.width, juce::PathStrokeType::beveled);
  if (style.dash[0] <= 0.0f) return graphics.strokePath(path, type);
  juce::Path dashed;
  type.createDashedStroke(dashed, path, style.dash.data(), 2);
  graphics.fillPath(dashed);
}

}  // namespace

ChartLayout::ChartLayout(juce::Rectangle<int> area, std::span<const ChartLines> sets) {
  int lines = 0;
  for (const ChartLines& set : sets)
    lines += static_cast<int>(std::ranges::count_if(set.lines, [](const Line& line) { return !line.values.empty(); }));
  const int rows = std::max(1, (lines + columns - 1) / columns);
  legend = area.removeFromBottom(rows * legend_row + 4).withTrimmedLeft(left_margin);
  plot = area.withTrimmedLeft(left_margin).withTrimmedBottom(bottom_margin).toFloat();
}

float ChartLayout::x_of(double hz) const {
  return plot.getX() +
         plot.getWidth() * static_cast<float>(std::log(hz / lowest_hz) / std::log(highest_hz / lowest_hz));
}

void draw_spectrum(juce::Graphics& graphics, const ChartLayout& at, std::span<const double> frequency_hz,
                   std::span<const double> levels_db, const Palette& palette) {
  if (levels_db.empty()) return;
  juce::Path path;
  path.startNewSubPath(at.x_of(frequency_hz.front()), at.plot.getBottom());
  for (std::size_t band = 0; band < levels_db.size(); ++band) {
    const auto share = static_cast<float>(std::clamp(1.0 + levels_db[band] / spectrum_range_db, 0.0, 1.0));
    path.lineTo(at.x_of(frequency_hz[band]), at.plot.getBottom() - share * at.plot.getHeight());
  }
  path.lineTo(at.x_of(frequency_hz.back()), at.plot.getBottom());
  path.closeSubPath();
  graphics.setColour(palette.plain.withAlpha(0.3f));
  graphics.fillPath(path);
}

void draw_chart(juce::Graphics& graphics, const ChartLayout& at, const Chart& chart, std::span<const ChartLines> sets,
                const Palette& palette) {
  const auto& [plot, legend] = at;
  struct Named {
    const Line* line;
    Style style;
    juce::String name;
  };
  std::vector<Named> all;
  for (const ChartLines& set : sets) {
    for (std::size_t i = 0; i < set.lines.size(); ++i) {
      const Line& line = set.lines[i];
      if (line.values.empty()) continue;
      all.push_back({&line, style_of(line, i, set.lines.size(), set.is_second, palette),
                     juce::String::fromUTF8(line.name.c_str()) + set.suffix});
    }
  }
  const auto y_of = [&](double db) {
    return plot.getBottom() -
           plot.getHeight() * static_cast<float>((db - chart.least_db) / (chart.most_db - chart.least_db));
  };
  graphics.setFont(Theme::small_font());
  for (double db = chart.least_db; db <= chart.most_db + 1e-9; db += chart.step_db) {
    graphics.setColour(palette.outline.withAlpha(std::abs(db) < 1e-9 ? 1.0f : 0.6f));
    graphics.drawHorizontalLine(juce::roundToInt(y_of(db)), plot.getX(), plot.getRight());
    graphics.setColour(palette.dim_text);
    graphics.drawText(juce::String(juce::roundToInt(db)),
                      juce::Rectangle<float>(plot.getX() - left_margin, y_of(db) - 8, left_margin - 5.0f, 16),
                      juce::Justification::centredRight);
  }
  graphics.drawText(chart.unit, juce::Rectangle<float>(plot.getX() + 4, plot.getY() + 1, 200, 14),
                    juce::Justification::left);
  for (const double hz : {50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 20000.0}) {
    const float x = at.x_of(hz);
    graphics.setColour(palette.outline.withAlpha(0.6f));
    graphics.drawVerticalLine(juce::roundToInt(x), plot.getY(), plot.getBottom());
    graphics.setColour(palette.dim_text);
    const auto text =
        hz < 1000.0 ? juce::String(juce::roundToInt(hz)) : juce::String(juce::roundToInt(hz / 1000.0)) + "k";
    graphics.drawText(text,
                      juce::Rectangle<float>(std::min(x - 20, plot.getRight() - 34), plot.getBottom() + 3, 40, 14),
                      juce::Justification::centred);
  }
  {
    const juce::Graphics::ScopedSaveState clipped(graphics);
    graphics.reduceClipRegion(plot.getSmallestIntegerContainer());
    for (const Named& named : all) {
      juce::Path path;
      bool is_first = true;
      for (std::size_t f = 0; f < named.line->values.size(); ++f) {
        const double hz = named.line->frequency_hz[f];
        if (hz < lowest_hz || hz > highest_hz) continue;
        const juce::Point<float> point(
            at.x_of(hz), y_of(std::clamp(named.line->values[f], chart.least_db - 60, chart.most_db + 60)));
        if (is_first) {
          path.startNewSubPath(point);
        } else {
          path.lineTo(point);
        }
        is_first = false;
      }
      stroke(graphics, path, named.style);
    }
  }
  for (int i = 0; i < static_cast<int>(all.size()); ++i) {
    const Named& named = all[static_cast<std::size_t>(i)];
    const int width = legend.getWidth() / columns;
    const juce::Rectangle<int> cell(legend.getX() + (i % columns) * width,
                                    legend.getY() + 4 + (i / columns) * legend_row, width, legend_row);
    juce::Path path;
    path.startNewSubPath(static_cast<float>(cell.getX()), static_cast<float>(cell.getCentreY()));
    path.lineTo(static_cast<float>(cell.getX()) + swatch, static_cast<float>(cell.getCentreY()));
    stroke(graphics, path, named.style);
    graphics.setColour(palette.text);
    graphics.drawText(named.name, cell.withTrimmedLeft(28), juce::Justification::centredLeft, true);
  }
}

}  // namespace forestage::plugin
