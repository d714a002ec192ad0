#include "window.hpp"

#include <algorithm>
#include <array>

#include "layout.hpp"

namespace forestage::plugin {
namespace {

constexpr int refresh_hz = 30;

juce::Point<int> sized(double scale) {
  return {juce::roundToInt(layout::width * scale), juce::roundToInt(layout::height * scale)};
}

}  // namespace

void constrain(juce::ComponentBoundsConstrainer& constrainer) {
  const auto least = sized(layout::least_scale);
  const auto most = sized(layout::most_scale);
  constrainer.setSizeLimits(least.x, least.y, most.x, most.y);
  constrainer.setFixedAspectRatio(static_cast<double>(layout::width) / layout::height);
}

Window::Window(PluginModel& plugin)
    : desk_(plugin),
      preset_bar_(
          desk_, settings_, [this] { set_light(!settings_.is_light()); }, [this] { open_blind(true); }),
      stage_(desk_),
      curves_(desk_),
      meters_(desk_),
      monitor_bar_(desk_),
      knobs_(desk_),
      headphone_eq_(desk_, settings_),
      status_(desk_),
      notice_(desk_),
      blind_(desk_, [this] { open_blind(false); }) {
  set_light(settings_.is_light());
  const std::array<std::pair<juce::Component*, layout::Area>, 9> parts{{{&preset_bar_, layout::preset_bar},
                                                                        {&stage_, layout::stage},
                                                                        {&curves_, layout::curves},
                                                                        {&meters_, layout::meters},
                                                                        {&monitor_bar_, layout::monitor_bar},
                                                                        {&knobs_, layout::knobs},
                                                                        {&headphone_eq_, layout::headphone_eq},
                                                                        {&status_, layout::status},
                                                                        {&notice_, layout::notice}}};
  content_.setBounds(0, 0, layout::width, layout::height);
  addAndMakeVisible(content_);
  for (const auto& [part, area] : parts) {
    content_.addChildComponent(part);
    part->setBounds(area);
    part->setVisible(part != &notice_);
  }
  content_.addChildComponent(blind_);
  blind_.setBounds(content_.getLocalBounds());
  sendLookAndFeelChange();  // parts made before they were here took JUCE's colours for their texts
  curves_.show(static_cast<CurvesView::Tab>(std::clamp(settings_.tab(), 0, CurvesView::tab_count - 1)));
  setWantsKeyboardFocus(true);
  const auto size = usual_size();
  setSize(size.x, size.y);
  refresh();
  startTimerHz(refresh_hz);
}

Window::~Window() {
  stopTimer();
  settings_.set_tab(curves_.shown());
  setLookAndFeel(nullptr);
}

juce::Point<int> Window::usual_size() const {
  return sized(std::clamp(settings_.scale(), layout::least_scale, layout::most_scale));
}

void Window::set_light(bool is_light) {
  settings_.set_light(is_light);
  auto next = std::make_unique<Theme>(is_light ? Palette::light() : Palette::dark());
  setLookAndFeel(next.get());
  theme_ = std::move(next);
  repaint();
}

void Window::refresh() {
  preset_bar_.refresh();
  stage_.refresh();
  curves_.refresh();
  meters_.refresh();
  monitor_bar_.refresh();
  knobs_.refresh();
  headphone_eq_.refresh();
  status_.refresh();
  notice_.refresh();
  blind_.refresh();
  if (blind_.is_running() && !blind_.isVisible()) open_blind(true);
}

void Window::open_blind(bool is_open) {
  blind_.setVisible(is_open || blind_.is_running());
  for (juce::Component* part : std::initializer_list<juce::Component*>{
           &preset_bar_, &stage_, &curves_, &meters_, &monitor_bar_, &knobs_, &headphone_eq_, &status_}) {
    part->setVisible(!blind_.isVisible());  // also for a screen reader
  }
}

void Window::paint(juce::Graphics& graphics) { graphics.fillAll(theme_->palette().background); }

void Window::resized() {
  const double scale = static_cast<double>(getWidth()) / layout::width;
  content_.setTransform(juce::AffineTransform::scale(static_cast<float>(scale)));
  settings_.set_scale(scale);
}

bool Window::keyPressed(const juce::KeyPress& key) {
  if (blind_.isVisible()) return blind_.keyPressed(key);
  const bool is_command = key.getModifiers().isCommandDown();
  const auto letter = juce::CharacterFunctions::toLowerCase(static_cast<juce::juce_wchar>(key.getKeyCode()));
  if (is_command && letter == 'z') {
    if (key.getModifiers().isShiftDown())
      desk_.redo();
    else
      desk_.undo();
    return true;
  }
  if (is_command || key.getModifiers().isAltDown()) return false;
  if (letter == 'x') return desk_.toggle_slot(), true;
  if (letter == 'r') return desk_.change(Param::room, 1.0f - desk_.value(Param::room)), true;
  if (letter >= '1' && letter <= '4') return desk_.change(Param::monitor, static_cast<float>(letter - '1')), true;
  return false;
}

void Window::filesDropped(const juce::StringArray& files, int, int) {
  const juce::File file(files[0]);
  if (file.hasFileExtension("txt;wav")) return headphone_eq_.load(file);
  desk_.open(file);
}

}  // namespace forestage::plugin
