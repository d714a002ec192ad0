#include "meters.hpp"

#include <algorithm>
#include <cmath>

namespace forestage::plugin {
namespace {

constexpr float least_db = -60.0f;
constexpr float most_db = 6.0f;
constexpr float fall_db = 0.8f;  // a refresh: 24 dB a second
constexpr int hold_refreshes = 60;
constexpr int title_height = 22;
constexpr int name_height = 18;
constexpr int numbers_height = 127;
constexpr int clip_height = 10;

float to_db(float peak) { return 20.0f * std::log10(std::max(peak, 3e-5f)); }

}  // namespace

Meters::Meters(Desk& desk) : Panel(desk) {
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
  const auto shown = [](const Bar& bar) {
    return std::tuple(bar.name, juce::roundToInt(4 * bar.level_db), juce::roundToInt(4 * bar.hold_db), bar.has_clipped);
  };
  const bool is_same = std::ranges::equal(before, bars_, {}, shown, shown);
  if (is_same && numbers == numbers_) return;
  if (numbers != numbers_) setDescription(numbers);
  numbers_ = numbers;
  repaint();
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
  for (const float db : {0.0f, -6.0f, -18.0f, -30.0f, -42.0f})
    graphics.fillRect(column.withTop(y_of(db)).withHeight(1.0f));
}

void Meters::paint(juce::Graphics& graphics) {
  const Palette& colours = palette();
  draw_panel(graphics, getLocalBounds(), colours);
  auto area = getLocalBounds().reduced(Theme::margin, 4);
  graphics.setColour(colours.text);
  graphics.setFont(Theme::bold_font());
  graphics.drawText("Levels, dBFS", area.removeFromTop(title_height), juce::Justification::centredLeft);
  const auto numbers = area.removeFromBottom(numbers_height);
  graphics.setFont(Theme::small_font());
  graphics.drawMultiLineText(numbers_, numbers.getX(), numbers.getY() + 14, numbers.getWidth());
  const bool are_many = bars_.size() > 5;
  const int names = are_many ? 74 : name_height;
  auto scale = area.removeFromLeft(26).withTrimmedBottom(names).withTrimmedTop(clip_height);
  for (const float db : {0.0f, -6.0f, -18.0f, -30.0f, -42.0f}) {
    const float y = static_cast<float>(scale.getBottom()) -
                    static_cast<float>(scale.getHeight()) * (db - least_db) / (most_db - least_db);
    graphics.setColour(colours.dim_text);
    graphics.drawText(juce::String(juce::roundToInt(db)),
                      juce::Rectangle<float>(static_cast<float>(scale.getX()), y - 7.0f, 22.0f, 14.0f),
                      juce::Justification::centredRight);
  }
  const float width = static_cast<float>(area.getWidth()) / static_cast<float>(std::max<std::size_t>(bars_.size(), 1));
  for (std::size_t i = 0; i < bars_.size(); ++i) {
    auto column = juce::Rectangle<float>(static_cast<float>(area.getX()) + width * static_cast<float>(i),
                                         static_cast<float>(area.getY()), width, static_cast<float>(area.getHeight()))
                      .toNearestInt();
    const auto name = column.removeFromBottom(names);
    draw_bar(graphics, column.reduced(are_many ? 1 : 4, 0), bars_[i]);
    graphics.setColour(colours.text);
    if (are_many) {  // upwards
      const juce::Graphics::ScopedSaveState upright(graphics);
      graphics.addTransform(juce::AffineTransform::rotation(-juce::MathConstants<float>::halfPi,
                                                            static_cast<float>(name.getCentreX()),
                                                            static_cast<float>(name.getCentreY())));
      graphics.drawText(bars_[i].name, juce::Rectangle<int>(names - 4, 14).withCentre(name.getCentre()),
                        juce::Justification::centredRight, true);
    } else {
      graphics.drawText(bars_[i].name, name, juce::Justification::centred, true);
    }
  }
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

void StatusPanel::paint(juce::Graphics& graphics) {
  draw_panel(graphics, getLocalBounds(), palette());
  auto area = getLocalBounds().reduced(Theme::margin, Theme::gap);
  graphics.setFont(Theme::text_font());
  graphics.setColour(is_ok_ ? palette().good : palette().warning);
  graphics.drawFittedText(status_, area.removeFromTop(area.getHeight() / 2), juce::Justification::centredLeft, 1, 0.8f);
  graphics.setColour(palette().text);
  graphics.setFont(Theme::small_font());
  graphics.drawText(facts_, area, juce::Justification::centredLeft, true);
}

}  // namespace forestage::plugin
