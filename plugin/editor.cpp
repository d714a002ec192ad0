#include "editor.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "headphone_eq_file.hpp"

namespace forestage::plugin {
namespace {

constexpr int margin = 6;
constexpr int row_height = 24;
constexpr int button_width = 80;
constexpr int message_height = 40;  // two lines
constexpr int strip_height = row_height + message_height + 3 * margin;
constexpr int least_width = 480;
constexpr int refresh_hz = 5;

}  // namespace

HeadphoneEqStrip::HeadphoneEqStrip(Processor& processor) : processor_(processor) {
  error_.setColour(juce::Label::textColourId, juce::Colours::orange);
  error_.setFont(juce::Font(14.0f));
  error_.setMinimumHorizontalScale(0.7f);
  error_.setJustificationType(juce::Justification::topLeft);
  load_.setTooltip("An equaliser as text (.txt, as AutoEq has them) or impulse responses (.wav)");
  load_.onClick = [this] { choose(); };
  clear_.onClick = [this] { apply(std::nullopt); };
  for (juce::Component* part : {static_cast<juce::Component*>(&name_), static_cast<juce::Component*>(&error_),
                                static_cast<juce::Component*>(&load_), static_cast<juce::Component*>(&clear_)}) {
    addAndMakeVisible(part);
  }
  show_name();
  show_notes();
  startTimerHz(refresh_hz);
}

HeadphoneEqStrip::~HeadphoneEqStrip() { stopTimer(); }

void HeadphoneEqStrip::resized() {
  auto area = getLocalBounds().reduced(margin);
  auto row = area.removeFromTop(row_height);
  clear_.setBounds(row.removeFromRight(button_width));
  row.removeFromRight(margin);
  load_.setBounds(row.removeFromRight(button_width));
  row.removeFromRight(margin);
  name_.setBounds(row);
  area.removeFromTop(margin);
  error_.setBounds(area);
}

void HeadphoneEqStrip::timerCallback() {
  show_name();
  show_notes();
}

void HeadphoneEqStrip::choose() {
  chooser_ = std::make_unique<juce::FileChooser>("Equaliser of your headphones", folder_, "*.txt;*.wav");
  chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                        [this](const juce::FileChooser& chooser) {
                          if (const auto file = chooser.getResult(); file != juce::File()) load(file);
                        });
}

void HeadphoneEqStrip::load(const juce::File& file) {
  folder_ = file.getParentDirectory();
  try {
    apply(load_headphone_eq(file.getFullPathName().toStdString()));
  } catch (const std::exception& error) {
    show_error(file.getFileName() + ": " + juce::String::fromUTF8(error.what()));
  }
}

void HeadphoneEqStrip::apply(std::optional<HeadphoneEq> eq) {
  try {
    processor_.set_headphone_eq(std::move(eq));
    show_error({});
  } catch (const std::exception& error) {
    show_error(juce::String::fromUTF8(error.what()));
  }
  show_name();
}

void HeadphoneEqStrip::show_name() {
  const auto name = processor_.headphone_eq_name();
  if (name != shown_) show_error({});  // what was wrong with a file is past
  shown_ = name;
  name_.setText("Headphone EQ: " + juce::String::fromUTF8(name ? name->c_str() : "none"), juce::dontSendNotification);
  clear_.setEnabled(name.has_value());
}

void HeadphoneEqStrip::show_notes() {
  const auto notes = processor_.notes();
  if (notes == shown_notes_) return;
  shown_notes_ = notes;
  juce::String text;
  for (const std::string& note : notes) text << "\n" << juce::String::fromUTF8(note.c_str());
  show_error(notes.empty() ? text : "This session is kept, but not all of it can be read:" + text);
}

void HeadphoneEqStrip::show_error(const juce::String& message) {
  error_.setText(message, juce::dontSendNotification);
  error_.setTooltip(message);
}

Editor::Editor(Processor& owner) : AudioProcessorEditor(owner), strip_(owner), parameters_(owner) {
  addAndMakeVisible(strip_);
  addAndMakeVisible(parameters_);
  setResizable(true, false);
  setSize(std::max(least_width, parameters_.getWidth()), strip_height + parameters_.getHeight());
}

void Editor::paint(juce::Graphics& graphics) {
  graphics.fillAll(getLookAndFeel().findColour(juce::ResizableWindow::backgroundColourId));
}

void Editor::resized() {
  auto area = getLocalBounds();
  strip_.setBounds(area.removeFromTop(strip_height));
  parameters_.setBounds(area);
}

}  // namespace forestage::plugin
