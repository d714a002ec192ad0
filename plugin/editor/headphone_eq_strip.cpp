#include "headphone_eq_strip.hpp"

#include <exception>
#include <utility>

#include "headphone_eq_file.hpp"

namespace forestage::plugin {
namespace {

constexpr int button_width = 80;
constexpr int row_height = 30;

}  // namespace

HeadphoneEqStrip::HeadphoneEqStrip(Desk& desk, Settings& settings)
    : FramedPanel(desk),
      settings_(settings),
      load_(juce::String::fromUTF8("Load\u2026"),
            "Load an equaliser for the headphones. Text (.txt, as AutoEq has them) or impulse responses (.wav).",
            [this] { choose(); }),
      clear_("Clear", "Play without an equaliser of the headphones.", [this] { apply(std::nullopt); }) {
  name_.setFont(Theme::text_font());
  name_.setText("Headphone EQ: none", juce::dontSendNotification);
  clear_.setEnabled(false);
  addAndMakeVisible(name_);
  addAndMakeVisible(load_);
  addAndMakeVisible(clear_);
}

void HeadphoneEqStrip::resized() {
  auto area =
      getLocalBounds().reduced(Theme::margin, 0).withSizeKeepingCentre(getWidth() - 2 * Theme::margin, row_height);
  clear_.setBounds(area.removeFromRight(button_width));
  area.removeFromRight(Theme::gap);
  load_.setBounds(area.removeFromRight(button_width));
  area.removeFromRight(Theme::gap);
  name_.setBounds(area);
}

void HeadphoneEqStrip::refresh() {
  const auto name = desk_.plugin().session().headphone_eq_name();
  if (name != shown_) {
    shown_ = name;
    name_.setText("Headphone EQ: " + juce::String::fromUTF8(name ? name->c_str() : "none"), juce::dontSendNotification);
    clear_.setEnabled(name.has_value());
  }
  const auto notes = desk_.plugin().session().notes();
  if (notes == shown_notes_) return;
  shown_notes_ = notes;
  juce::String text;
  for (const std::string& note : notes) text << "\n" << juce::String::fromUTF8(note.c_str());
  desk_.say(notes.empty() ? text : "This session is kept, but not all of it can be read:" + text);
}

void HeadphoneEqStrip::choose() {
  chooser_ = std::make_unique<juce::FileChooser>(
      "Equaliser of your headphones",
      settings_.folder("equalisers", juce::File::getSpecialLocation(juce::File::userHomeDirectory)), "*.txt;*.wav");
  chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                        [this](const juce::FileChooser& chooser) {
                          draw_again_soon(*this);
                          if (const auto file = chooser.getResult(); file != juce::File()) load(file);
                        });
}

void HeadphoneEqStrip::load(const juce::File& file) {
  settings_.set_folder("equalisers", file.getParentDirectory());
  try {
    apply(load_headphone_eq(file.getFullPathName().toStdString()));
  } catch (const std::exception& error) {
    desk_.say(file.getFileName() + ": " + juce::String::fromUTF8(error.what()));
  }
}

void HeadphoneEqStrip::apply(std::optional<HeadphoneEq> eq) {
  try {
    desk_.plugin().set_headphone_eq(std::move(eq));
    desk_.say({});
  } catch (const std::exception& error) {
    desk_.say(juce::String::fromUTF8(error.what()));
  }
}

}  // namespace forestage::plugin
