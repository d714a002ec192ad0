#include "knobs.hpp"

#include <array>

namespace forestage::plugin {
namespace {

constexpr int label_height = 16;
constexpr int amount_width = 116;
constexpr int choices_width = 190;
constexpr int columns = 5;
constexpr int choice_height = 34;

/// Where the small knobs are, in the order of Tab.
struct Place {
  Param id;
  int row, column;
};
constexpr std::array<Place, 9> places{{{Param::stage_width_deg, 0, 0},
                                       {Param::stage_crosstalk, 0, 1},
                                       {Param::cancellation, 0, 2},
                                       {Param::upmix, 0, 3},
                                       {Param::input_trim_db, 0, 4},
                                       {Param::center_level_db, 1, 0},
                                       {Param::center_focus, 1, 1},
                                       {Param::center_presence, 1, 2},
                                       {Param::output_trim_db, 1, 4}}};

juce::String name_of(Param id) {
  const auto name = spec(id).name;
  return juce::String::fromUTF8(name.data(), static_cast<int>(name.size()));
}

juce::String sentence_of(Param id) {
  const auto text = spec(id).text;
  return juce::String::fromUTF8(text.data(), static_cast<int>(text.size()));
}

void set_up_name(juce::Label& label, Param id) {
  label.setText(name_of(id), juce::dontSendNotification);
  label.setJustificationType(juce::Justification::centred);
  label.setFont(Theme::small_font());
  label.setMinimumHorizontalScale(0.8f);
  label.setAccessible(false);  // the control says it
  label.setInterceptsMouseClicks(false, false);
}

}  // namespace

Knob::Knob(Desk& desk, Param id) : desk_(desk), id_(id) {
  const ParamSpec& row = spec(id);
  set_up_name(name_, id);
  slider_.setSliderStyle(juce::Slider::RotaryHorizontalVerticalDrag);
  slider_.setTextBoxStyle(juce::Slider::TextBoxBelow, false, 80, label_height + 2);
  slider_.setRange(row.min_value, row.max_value, 0.0);
  mark(slider_, id);
  slider_.setTitle(name_of(id));
  slider_.setTooltip(sentence_of(id));
  slider_.setDescription(sentence_of(id));
  slider_.setWantsKeyboardFocus(true);
  slider_.textFromValueFunction = [this](double value) { return desk_.text(id_, static_cast<float>(value)); };
  slider_.valueFromTextFunction = [this](const juce::String& text) { return desk_.value_of(id_, text); };
  slider_.onDragStart = [this] { desk_.begin(id_); };
  slider_.onDragEnd = [this] { desk_.end(id_); };
  slider_.onValueChange = [this] {
    const auto value = static_cast<float>(slider_.getValue());
    if (slider_.isMouseButtonDown())
      desk_.set(id_, value);
    else
      desk_.change(id_, value);  // typed, by wheel or by key
  };
  slider_.addMouseListener(this, false);
  addAndMakeVisible(name_);
  addAndMakeVisible(slider_);
  slider_.setValue(desk.value(id), juce::dontSendNotification);
  slider_.updateText();
}

void Knob::resized() {
  auto area = getLocalBounds();
  name_.setBounds(area.removeFromTop(label_height));
  slider_.setBounds(area);
}

void Knob::refresh() {
  slider_.setDoubleClickReturnValue(true, desk_.usual(id_));
  if (!slider_.isMouseButtonDown()) slider_.setValue(desk_.value(id_), juce::dontSendNotification);
}

/// The host's own menu, where it has one.
void Knob::mouseDown(const juce::MouseEvent& event) {
  if (!event.mods.isPopupMenu()) return;
  const auto* editor = findParentComponentOfClass<juce::AudioProcessorEditor>();
  const auto* parameter = desk_.plugin().host_parameter(id_);
  if (editor == nullptr || editor->getHostContext() == nullptr || parameter == nullptr) return;
  if (const auto menu = editor->getHostContext()->getContextMenuForParameter(parameter)) {
    menu->showNativeMenu(editor->getMouseXYRelative());
  }
}

Choice::Choice(Desk& desk, Param id) : desk_(desk), id_(id) {
  const ParamSpec& row = spec(id);
  set_up_name(name_, id);
  name_.setJustificationType(juce::Justification::centredRight);
  for (int i = 0; i <= static_cast<int>(row.max_value); ++i) {
    box_.addItem(desk.text(id, static_cast<float>(i)), i + 1);
  }
  mark(box_, id);
  box_.setTitle(name_of(id));
  box_.setTooltip(sentence_of(id));
  box_.setWantsKeyboardFocus(true);
  box_.onChange = [this] { desk_.change(id_, static_cast<float>(box_.getSelectedId() - 1)); };
  addAndMakeVisible(name_);
  addAndMakeVisible(box_);
}

void Choice::resized() {
  auto area = getLocalBounds().reduced(0, 4);
  name_.setBounds(area.removeFromLeft(88));
  box_.setBounds(area);
}

void Choice::refresh() { box_.setSelectedId(static_cast<int>(desk_.value(id_)) + 1, juce::dontSendNotification); }

Knobs::Knobs(Desk& desk) : FramedPanel(desk), amount_(desk, Param::amount) {
  addAndMakeVisible(amount_);
  for (const Place& place : places) addAndMakeVisible(*small_.emplace_back(std::make_unique<Knob>(desk, place.id)));
  for (const Param id : {Param::upmix_quality, Param::level_match, Param::safe_headroom}) {
    addAndMakeVisible(*choices_.emplace_back(std::make_unique<Choice>(desk, id)));
  }
}

void Knobs::resized() {
  auto area = getLocalBounds().reduced(Theme::gap);
  amount_.setBounds(area.removeFromLeft(amount_width));
  auto right = area.removeFromRight(choices_width);
  for (const auto& choice : choices_) choice->setBounds(right.removeFromTop(choice_height));
  const int width = area.getWidth() / columns;
  const int height = area.getHeight() / 2;
  for (std::size_t i = 0; i < places.size(); ++i)
    small_[i]->setBounds(area.getX() + places[i].column * width, area.getY() + places[i].row * height, width, height);
}

void Knobs::refresh() {
  amount_.refresh();
  for (const auto& knob : small_) knob->refresh();
  for (const auto& choice : choices_) choice->refresh();
}

}  // namespace forestage::plugin
