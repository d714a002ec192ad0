#include "curves_view.hpp"

#include <algorithm>
#include <cmath>

#include "chart.hpp"

namespace forestage::plugin {
namespace {

struct TabSpec {
  const char* name;
  const char* tip;
  Chart chart;
};

const std::array<TabSpec, CurvesView::tab_count> tab_specs{{
    {"Separation", "How far the ears are apart: near over far ear.", {-10, 40, 10, "dB, near over far ear"}},
    {"Colour",
     "What a sound on the left and one in the middle have at the left ear.",
     {-30, 20, 10, "dB at the left ear"}},
    {"Beam", "The centre in front over the sides.", {-20, 30, 10, "dB, front over sides"}},
    {"Zone", "Separation over the seats around the listener.", {}},
    {"Drivers", "What each driver gets of a sound on the left.", {-50, 20, 10, "dB, from left"}},
}};

constexpr int tab_height = 28;
constexpr int compare_width = 50;
constexpr int live_width = 46;
constexpr int refresh_every = 2;  // refreshes
constexpr double fall_db = 1.2;   // a look: 18 dB a second
constexpr double nothing_db = -120.0;
constexpr double seen_db = 0.5;  // what an eye sees move

/// From the colour straight ahead to nothing 24 dB below; what is louder than ahead goes towards the text's colour.
juce::Colour beam_colour(double db, const Palette& palette, juce::Colour own) {
  if (db > 0.0) return own.interpolatedWith(palette.text, static_cast<float>(std::min(db / 12.0, 1.0)));
  return palette.background.interpolatedWith(own, static_cast<float>(std::clamp(1.0 + db / 24.0, 0.0, 1.0)));
}

juce::String hertz(double hz) {
  return hz < 1000.0 ? juce::String(juce::roundToInt(hz))
                     : juce::String(hz / 1000.0, hz < 10000.0 && std::fmod(hz, 1000.0) > 1.0 ? 1 : 0) + "k";
}

/// From nothing at 0 dB to the colour at 15 dB.
juce::Colour zone_colour(double db, const Palette& palette, juce::Colour own) {
  return palette.background.interpolatedWith(own, static_cast<float>(std::clamp(db / 15.0, 0.0, 1.0)));
}

}  // namespace

CurvesView::CurvesView(Desk& desk)
    : FramedPanel(desk),
      compare_("A+B", "Both slots' curves.", [this] { show_other(!shows_other_); }),
      live_("Live", "The spectrum of what plays, behind the curves: 0 dBFS at the top, -80 dBFS at the bottom.",
            [this] { show_spectrum(!shows_spectrum_); }),
      drawing_(*this) {
  for (int i = 0; i < tab_count; ++i) {
    auto& tab = tabs_[static_cast<std::size_t>(i)];
    const TabSpec& spec = tab_specs[static_cast<std::size_t>(i)];
    tab = std::make_unique<Action>(spec.name, spec.tip, [this, i] { show(static_cast<Tab>(i)); });
    tab->setTitle(juce::String("Curves: ") + spec.name);
    addAndMakeVisible(*tab);
  }
  addAndMakeVisible(compare_);
  addAndMakeVisible(live_);
  addAndMakeVisible(drawing_);
  show(separation);
}

CurvesView::~CurvesView() { desk_.plugin().sound().stop(); }

void CurvesView::show(Tab tab) {
  tab_ = tab;
  is_new_ = true;
  for (int i = 0; i < tab_count; ++i) {
    tabs_[static_cast<std::size_t>(i)]->setToggleState(i == tab, juce::dontSendNotification);
  }
}

void CurvesView::show_other(bool is_shown) {
  shows_other_ = is_shown;
  is_new_ = true;
  compare_.setToggleState(is_shown, juce::dontSendNotification);
}

void CurvesView::show_spectrum(bool is_shown) {
  shows_spectrum_ = is_shown;
  is_new_ = true;
  spectrum_ = nullptr;
  spectrum_db_.clear();
  if (!is_shown) desk_.plugin().sound().stop();
  live_.setToggleState(is_shown, juce::dontSendNotification);
}

bool CurvesView::has_lines() const { return tab_ != zone && (tab_ != beam || beam_.is_empty() || shows_other_); }

void CurvesView::follow_spectrum() {
  const double rate = desk_.plugin().sample_rate();
  if (!shows_spectrum_ || rate <= 0.0) return;
  auto& sound = desk_.plugin().sound();
  if (spectrum_ == nullptr || rate != spectrum_rate_) spectrum_ = std::make_unique<Spectrum>(rate);
  spectrum_rate_ = rate;
  sound.listen(desk_.plugin().output_channels(), spectrum_->frames());
  std::vector<double> levels_db(spectrum_->frequency_hz().size(), nothing_db);
  const auto written = sound.written();
  const auto lanes = written != heard_ ? sound.newest(spectrum_->frames()) : std::vector<std::vector<float>>{};
  heard_ = written;
  if (!lanes.empty()) levels_db = spectrum_->levels_db(lanes);
  bool has_moved = levels_db.size() != spectrum_db_.size();
  for (std::size_t band = 0; band < std::min(levels_db.size(), spectrum_db_.size()); ++band) {
    levels_db[band] = std::max({levels_db[band], spectrum_db_[band] - fall_db, nothing_db});
    has_moved |= std::abs(levels_db[band] - spectrum_db_[band]) > seen_db;
  }
  spectrum_db_ = std::move(levels_db);
  if (has_moved && has_lines()) drawing_.repaint(lines_area());
}

void CurvesView::resized() {
  auto area = getLocalBounds().reduced(Theme::gap).removeFromTop(tab_height);
  live_.setBounds(area.removeFromRight(live_width).reduced(2, 1));
  compare_.setBounds(area.removeFromRight(compare_width).reduced(2, 1));
  // As wide as their names, and the rest shared
  const auto text_width = [](const auto& tab) { return Theme::bold_font().getStringWidth(tab->getButtonText()); };
  int spare = area.getWidth();
  for (const auto& tab : tabs_) spare -= text_width(tab);
  for (const auto& tab : tabs_) tab->setBounds(area.removeFromLeft(text_width(tab) + spare / tab_count).reduced(2, 1));
  drawing_.setBounds(getLocalBounds().reduced(2).withTrimmedTop(tab_height + Theme::gap));
}

std::vector<Line> CurvesView::lines_of(const PresetCurves& curves, const ParamStore& knobs) const {
  switch (tab_) {
    case separation:
      return curves.separation(knobs);
    case colour:
      return curves.colour(knobs);
    case beam:
      return curves.beam();
    case drivers:
      return curves.drivers(knobs);
    default:
      return {};
  }
}

void CurvesView::refresh() {
  if (!is_new_ && ++refreshes_ % refresh_every != 0)
    return;  // lines are dear, and nobody sees them thirty times a second
  follow_spectrum();
  const Slot slot = desk_.slot();
  const bool have_moved = desk_.follow_knobs(values_);
  bool is_new = is_new_ || slot != slot_;
  for (const Slot each : {Slot::a, Slot::b}) {
    const auto preset = desk_.preset(each);
    auto& shown = shown_presets_[static_cast<std::size_t>(each)];
    is_new |= preset != shown;
    shown = preset;
  }
  if (!is_new && !have_moved) return;
  slot_ = slot;
  is_new_ = false;
  ParamStore knobs;
  desk_.copy_knobs(knobs);
  beam_ = {};
  for (const Slot each : {Slot::a, Slot::b}) {
    auto& lines = lines_[static_cast<std::size_t>(each)];
    lines.clear();
    const PresetCurves* curves = each == slot || shows_other_ ? desk_.curves(each) : nullptr;
    if (curves == nullptr) continue;
    if (tab_ == beam && each == slot) beam_ = curves->beam_picture(knobs);
    lines = lines_of(*curves, knobs);
    if (each == slot) continue;
    // What the design is held against is drawn for the slot that plays
    std::erase_if(lines,
                  [](const Line& line) { return line.kind != LineKind::design && line.kind != LineKind::driver; });
  }
  live_.setEnabled(has_lines());
  if (is_new || !has_lines()) return drawing_.repaint();
  drawing_.repaint(lines_area());  // names and numbers stay
}

juce::Rectangle<int> CurvesView::lines_area() const {
  return ChartLayout(chart_area(), chart_lines()).plot.getSmallestIntegerContainer();
}

std::vector<ChartLines> CurvesView::chart_lines() const {
  const auto playing = static_cast<std::size_t>(slot_);
  const bool is_b = slot_ == Slot::b;
  std::vector<ChartLines> sets;
  if (shows_other_) sets.push_back({lines_[1 - playing], is_b ? " (A)" : " (B)", !is_b});
  sets.push_back({lines_[playing], shows_other_ ? (is_b ? " (B)" : " (A)") : "", is_b});
  return sets;
}

juce::Rectangle<int> CurvesView::chart_area() const {
  return drawing_.getLocalBounds().reduced(Theme::margin - 2, 0).withTrimmedBottom(Theme::margin - 2).withTrimmedTop(4);
}

void CurvesView::draw_curves(juce::Graphics& graphics) const {
  const auto area = chart_area();
  if (!has_lines()) return tab_ == zone ? draw_zone(graphics, area) : draw_beam(graphics, area);
  if (lines_[static_cast<std::size_t>(slot_)].empty()) {
    graphics.setColour(palette().dim_text);
    graphics.drawText("The slot is empty.", area, juce::Justification::centred);
    return;
  }
  const auto sets = chart_lines();
  const ChartLayout at(area, sets);
  if (!spectrum_db_.empty()) draw_spectrum(graphics, at, spectrum_->frequency_hz(), spectrum_db_, palette());
  draw_chart(graphics, at, tab_specs[static_cast<std::size_t>(tab_)].chart, sets, palette());
}

/// Over frequency and azimuth, the listener's left above.
void CurvesView::draw_beam(juce::Graphics& graphics, juce::Rectangle<int> area) const {
  const auto own = slot_ == Slot::a ? palette().slot_a : palette().slot_b;
  const auto caption = area.removeFromBottom(34);
  area.removeFromLeft(46);
  const auto rows = static_cast<int>(beam_.azimuth_deg.size());
  const auto columns = static_cast<int>(beam_.frequency_hz.size());
  const float width = static_cast<float>(area.getWidth()) / static_cast<float>(columns);
  const float height = static_cast<float>(area.getHeight()) / static_cast<float>(rows);
  graphics.setFont(Theme::small_font());
  for (int row = 0; row < rows; ++row) {
    const float y = static_cast<float>(area.getY()) + height * static_cast<float>(rows - 1 - row);
    for (int column = 0; column < columns; ++column) {
      const double db = beam_.level_db[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
      graphics.setColour(beam_colour(db, palette(), own));
      graphics.fillRect(juce::Rectangle<float>(static_cast<float>(area.getX()) + width * static_cast<float>(column), y,
                                               width + 0.5f, height + 0.5f));
    }
    const int azimuth_deg = juce::roundToInt(beam_.azimuth_deg[static_cast<std::size_t>(row)]);
    if (azimuth_deg % 45 != 0) continue;
    graphics.setColour(palette().dim_text);
    graphics.drawText(juce::String(azimuth_deg) + juce::String::fromUTF8("\u00b0"),
                      juce::Rectangle<float>(40.0f, 14.0f)
                          .withCentre({static_cast<float>(area.getX()) - 24.0f,
                                       std::max(y + height / 2.0f, static_cast<float>(area.getY()) + 7.0f)}),
                      juce::Justification::centredRight);
  }
  for (int column = 0; column < columns; column += 3) {
    graphics.setColour(palette().dim_text);
    graphics.drawText(hertz(beam_.frequency_hz[static_cast<std::size_t>(column)]),
                      juce::Rectangle<float>(44.0f, 14.0f)
                          .withCentre({static_cast<float>(area.getX()) + width * (static_cast<float>(column) + 0.5f),
                                       static_cast<float>(area.getBottom()) + 9.0f}),
                      juce::Justification::centred);
  }
  auto legend = caption.withTrimmedTop(18);
  graphics.drawText("Centre over straight ahead, dB:", legend.removeFromLeft(196), juce::Justification::centredRight);
  for (const int db : {0, -6, -12, -18, -24}) {
    auto cell = legend.removeFromLeft(54);
    graphics.setColour(beam_colour(db, palette(), own));
    graphics.fillRect(cell.removeFromLeft(18).withSizeKeepingCentre(12, 12));
    graphics.setColour(palette().dim_text);
    graphics.drawText(juce::String(db), cell, juce::Justification::centredLeft);
  }
}

void CurvesView::draw_zone(juce::Graphics& graphics, juce::Rectangle<int> area) const {
  const auto preset = desk_.preset(slot_);
  const Map* map = nullptr;
  if (preset != nullptr) {
    const auto found = std::ranges::find(preset->maps, "separation_processed", &Map::name);
    if (found != preset->maps.end()) map = &*found;
  }
  graphics.setFont(Theme::small_font());
  if (map == nullptr) {
    graphics.setColour(palette().dim_text);
    graphics.drawText("This preset has no map of its zone.", area, juce::Justification::centred);
    return;
  }
  const auto own = slot_ == Slot::a ? palette().slot_a : palette().slot_b;
  area.removeFromBottom(38);
  area.removeFromLeft(52);
  const auto columns = map->lateral_m.size();
  const auto rows = map->distance_m.size();
  const float width = static_cast<float>(area.getWidth()) / static_cast<float>(columns);
  const float height = static_cast<float>(area.getHeight()) / static_cast<float>(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    const float y = static_cast<float>(area.getY()) + height * static_cast<float>(row);  // the device is above
    for (std::size_t column = 0; column < columns; ++column) {
      const float x = static_cast<float>(area.getRight()) - width * static_cast<float>(column + 1);  // left is left
      const double db = map->values[row * columns + column];
      const juce::Rectangle<float> cell(x, y, width, height);
      graphics.setColour(zone_colour(db, palette(), own));
      graphics.fillRect(cell.reduced(0.5f));
      if (columns > 21) continue;
      graphics.setColour(readable_on(zone_colour(db, palette(), own)));
      graphics.setFont(10.0f);
      graphics.drawText(juce::String(juce::roundToInt(db)), cell, juce::Justification::centred);
    }
    graphics.setFont(Theme::small_font());
    graphics.setColour(palette().dim_text);
    graphics.drawText(juce::String(map->distance_m[row], 2) + " m",
                      juce::Rectangle<float>(static_cast<float>(area.getX()) - 52.0f, y, 46.0f, height),
                      juce::Justification::centredRight);
  }
  for (std::size_t column = 0; column < columns; column += std::max<std::size_t>(1, columns / 6)) {
    const float x = static_cast<float>(area.getRight()) - width * (static_cast<float>(column) + 0.5f);
    graphics.drawText(juce::String(juce::roundToInt(100.0f * map->lateral_m[column])),
                      juce::Rectangle<float>(40, 14).withCentre({x, static_cast<float>(area.getBottom()) + 10.0f}),
                      juce::Justification::centred);
  }
  graphics.drawText("cm to the left of the middle; in the squares the separation in dB",
                    area.withTrimmedTop(area.getHeight()).withHeight(38).withTrimmedTop(20),
                    juce::Justification::centred, true);
}

}  // namespace forestage::plugin
