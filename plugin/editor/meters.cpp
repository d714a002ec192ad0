#include "meters.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace forestage::plugin {
namespace {

constexpr float least_db = -60.0f;
constexpr float most_db = 6.0f;
constexpr float fall_db = 0.8f;  // a refresh: 24 dB a second
constexpr int hold_refreshes = 60;
constexpr int title_height = 22;
constexpr int name_height = 18;
constexpr int numbers_height = 127;
constexpr int upright_height = 74;
constexpr int clip_height = 10;
constexpr int scale_width = 26;
constexpr std::array marks_db{0.0f, -6.0f, -18.0f, -30.0f, -42.0f};

float to_db(float peak) { return 20.0f * std::log10(std::max(peak, 3e-5f)); }

}  // namespace

Meters::Meters(Desk& desk) : FramedPanel(desk) {
  setTitle("Levels");
  setTooltip("Peaks; a click forgets those that are held, and begins the loudness anew.");
}

Meters::~Meters() { desk_.plugin().levels().stop(); }

bool Meters::plays_feeds() const {
  const auto preset = desk_.preset(desk_.slot());
  return desk_.value(Param::monitor) == 0.0f && preset != nullptr &&
         desk_.plugin().output_channels() >= static_cast<int>(preset->drivers.size());
}

/// What is heard: the feeds by the names of their drivers, or ears.
std::vector<juce::String> Meters::output_names() const {
  if (!plays_feeds()) return {"ear L", "ear R"};
  const auto preset = desk_.preset(desk_.slot());
  std::vector<juce::String> names;
  for (const auto& driver : preset->drivers) names.push_back(juce::String::fromUTF8(driver.name.c_str()));
  return names;
}

void Meters::name_bars(const std::vector<juce::String>& outputs) {
  std::vector<juce::String> names{"in L", "in R"};
  names.insert(names.end(), outputs.begin(), outputs.end());
  bars_.resize(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (bars_[i].name != names[i]) bars_[i] = Bar{names[i]};
  }
}

void Meters::follow(Bar& bar, float peak) {
  const float db = to_db(peak);
  bar.level_db = std::max({db, bar.level_db - fall_db, least_db});
  if (db >= bar.hold_db || bar.held <= 0) {
    bar.hold_db = std::max(db, bar.level_db);
    bar.held = hold_refreshes;
  } else {
    --bar.held;
  }
  bar.has_clipped = bar.has_clipped || peak > 1.0f;
}

juce::String Meters::loudness_text(const juce::String& name, const LoudnessReading& reading) const {
  const auto number = [](float lufs) { return std::isfinite(lufs) ? juce::String(lufs, 1) : juce::String("-"); };
  return "\n" + name + ": " + number(reading.short_term) + ", all " + number(reading.integrated);
}

void Meters::refresh() {
  auto before = bars_;
  auto& levels = desk_.plugin().levels();
  const double sample_rate = desk_.plugin().sample_rate();
  if (sample_rate > 0.0 && sample_rate != sample_rate_) levels.watch(sample_rate);
  sample_rate_ = sample_rate;
  levels.hear_ears(!plays_feeds());
  name_bars(output_names());
  for (std::size_t i = 0; i < bars_.size(); ++i) {
    const int channel = static_cast<int>(i);
    follow(bars_[i],
           channel < LevelTap::inputs ? levels.take_input(channel) : levels.take_output(channel - LevelTap::inputs));
  }
  const auto numbers = "LUFS, last 3 s and all" + loudness_text("in", levels.input_loudness()) +
                       loudness_text("ears", plays_feeds() ? LoudnessReading{} : levels.ears_loudness()) +
                       "\nHeadroom gain " + desk_.text(Param::gain_db) + "\nMatch gain " +
                       desk_.text(Param::match_gain_db) + "\nLimiter takes " + desk_.text(Param::reduction_db) +
                       "\nPeak " + desk_.text(Param::peak_db) + "\nClip: " + desk_.text(Param::clip);
  repaint_moved(before);
  if (numbers == numbers_) return;
  numbers_ = numbers;
  setDescription(numbers);
  repaint(places().numbers);
}

/// A bar at a time, and only what an eye sees move.
void Meters::repaint_moved(const std::vector<Bar>& before) {
  if (before.size() != bars_.size()) return repaint();
  const auto shown = [](const Bar& bar) {
    return std::tuple(bar.name, juce::roundToInt(4 * bar.level_db), juce::roundToInt(4 * bar.hold_db), bar.has_clipped);
  };
  const Places at = places();
  for (std::size_t i = 0; i < bars_.size(); ++i) {
    if (shown(before[i]) != shown(bars_[i])) repaint(column(at, i));
  }
}

void Meters::mouseDown(const juce::MouseEvent&) {
  for (Bar& bar : bars_) bar = Bar{bar.name};
  desk_.plugin().levels().forget();
  repaint();
}

void Meters::draw_bar(juce::Graphics& graphics, juce::Rectangle<int> area, const Bar& bar) const {
  const Palette& colours = palette();
  auto column = area.toFloat();
  const auto clip = column.removeFromTop(clip_height).reduced(0.0f, 1.0f);
  graphics.setColour(bar.has_clipped ? colours.error : colours.track);
  graphics.fillRect(clip);
  const auto y_of = [&](float db) {
    return column.getBottom() -
           column.getHeight() * (std::clamp(db, least_db, most_db) - least_db) / (most_db - least_db);
  };
  graphics.setColour(colours.track);
  graphics.fillRect(column);
  const float top = y_of(bar.level_db);
  graphics.setColour(bar.level_db > 0.0f ? colours.error : bar.level_db > -6.0f ? colours.warning : colours.good);
  graphics.fillRect(column.withTop(top));
  graphics.setColour(colours.text);
  if (bar.hold_db > least_db) graphics.fillRect(column.withTop(y_of(bar.hold_db)).withHeight(2.0f));
  graphics.setColour(colours.panel);
  for (const float db : marks_db) graphics.fillRect(column.withTop(y_of(db)).withHeight(1.0f));
}

Meters::Places Meters::places() const {
  Places at{};
  auto area = getLocalBounds().reduced(Theme::margin, 4);
  at.title = area.removeFromTop(title_height);
  at.numbers = area.removeFromBottom(numbers_height);
  at.names_height = are_many() ? upright_height : name_height;
  at.scale = area.removeFromLeft(scale_width).withTrimmedBottom(at.names_height).withTrimmedTop(clip_height);
  at.bars = area;
  return at;
}

/// Of one bar and its name.
juce::Rectangle<int> Meters::column(const Places& at, std::size_t bar) const {
  const float width = static_cast<float>(at.bars.getWidth()) / static_cast<float>(bars_.size());
  return at.bars.toFloat().withWidth(width).translated(width * static_cast<float>(bar), 0.0f).toNearestInt();
}

void Meters::draw(juce::Graphics& graphics) {
  const Palette& colours = palette();
  const Places at = places();
  graphics.setColour(colours.text);
  graphics.setFont(Theme::bold_font());
  graphics.drawText("Levels, dBFS", at.title, juce::Justification::centredLeft);
  graphics.setFont(Theme::small_font());
  if (graphics.clipRegionIntersects(at.numbers))
    graphics.drawMultiLineText(numbers_, at.numbers.getX(), at.numbers.getY() + 14, at.numbers.getWidth());
  graphics.setColour(colours.dim_text);
  for (const float db : marks_db) {
    const float y = static_cast<float>(at.scale.getBottom()) -
                    static_cast<float>(at.scale.getHeight()) * (db - least_db) / (most_db - least_db);
    graphics.drawText(juce::String(juce::roundToInt(db)),
                      juce::Rectangle<float>(static_cast<float>(at.scale.getX()), y - 7.0f, 22.0f, 14.0f),
                      juce::Justification::centredRight);
  }
  for (std::size_t i = 0; i < bars_.size(); ++i) {
    auto area = column(at, i);
    if (!graphics.clipRegionIntersects(area)) continue;
    const auto name = area.removeFromBottom(at.names_height);
    draw_bar(graphics, area.reduced(are_many() ? 1 : 4, 0), bars_[i]);
    draw_name(graphics, name, bars_[i].name);
  }
}

/// Upwards where there are many.
void Meters::draw_name(juce::Graphics& graphics, juce::Rectangle<int> area, const juce::String& name) const {
  graphics.setColour(palette().text);
  if (!are_many()) return graphics.drawText(name, area, juce::Justification::centred, true);
  const juce::Graphics::ScopedSaveState upright(graphics);
  const auto middle = area.getCentre();
  graphics.addTransform(juce::AffineTransform::rotation(-juce::MathConstants<float>::halfPi,
                                                        static_cast<float>(middle.x), static_cast<float>(middle.y)));
  graphics.drawText(name, juce::Rectangle<int>(area.getHeight() - 4, 14).withCentre(middle),
                    juce::Justification::centredRight, true);
}

void StatusPanel::refresh() {
  auto& plugin = desk_.plugin();
  const bool is_ok = desk_.value(Param::status) == 0.0f;
  const auto status = (is_ok ? juce::String("Status: ") : juce::String("Note: ")) + desk_.text(Param::status);
  const double rate = plugin.sample_rate();
  const int frames = plugin.latency_frames();
  const auto facts = rate > 0.0
                         ? juce::String(rate / 1000.0, 1) + " kHz, latency " + juce::String(1000.0 * frames / rate, 1) +
                               " ms (" + juce::String(frames) + " frames)"
                         : juce::String("Not playing yet");
  if (status == status_ && facts == facts_) return;
  is_ok_ = is_ok;
  status_ = status;
  facts_ = facts;
  setTitle(status + ". " + facts);
  repaint();
}

void StatusPanel::draw(juce::Graphics& graphics) {
  auto area = getLocalBounds().reduced(Theme::margin, Theme::gap);
  graphics.setFont(Theme::text_font());
  graphics.setColour(is_ok_ ? palette().good : palette().warning);
  graphics.drawFittedText(status_, area.removeFromTop(area.getHeight() / 2), juce::Justification::centredLeft, 1, 0.8f);
  graphics.setColour(palette().text);
  graphics.setFont(Theme::small_font());
  graphics.drawText(facts_, area, juce::Justification::centredLeft, true);
}

}  // namespace forestage::plugin
