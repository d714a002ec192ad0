#include "blind_panel.hpp"

#include <array>
#include <cmath>

#include "parameter_text.hpp"

namespace forestage::plugin {
namespace {

constexpr int column_width = 460;
constexpr int large_height = 54;
constexpr int small_width = 150;
constexpr std::array<const char*, 4> sound_names{"X", "Y", "A", "B"};

juce::String percent(double share) { return juce::String(juce::roundToInt(100.0 * share)); }

std::size_t answers_in(const std::vector<BlindRecord>& records) {
  std::size_t count = records.size();
  for (const BlindRecord& record : records) count += record.run.trials.size();
  return count;
}

}  // namespace

juce::String sentence_of(const BlindRecord& record) {
  const BlindRun& run = record.run;
  const auto name = [&](std::size_t i) { return to_juce(record.names[i]); };
  const auto count = static_cast<int>(run.trials.size());
  const ShareInterval share = share_interval(run);
  const bool is_abx = run.method == Blind::abx;
  juce::String text =
      is_abx ? name(0) + " told from " + name(1) + ": right in " : name(0) + " rather than " + name(1) + ": ";
  text << run.hits() << " of " << count;
  if (!run.is_over()) text << " (ended early: " << run.planned << " were planned)";
  text << ". By guessing, " << (is_abx ? "as many or more" : "as far from half") << " come with a chance of "
       << percent(p_value(run)) << " %. The share is " << percent(share.low) << " to " << percent(share.high)
       << " % (95 % sure).";
  return text;
}

BlindPanel::BlindPanel(Desk& desk, std::function<void()> close)
    : Panel(desk),
      close_(std::move(close)),
      preference_("Which is better?", "Begin trials of preference.", [this] { begin(Blind::preference); }),
      abx_("Which is A? (ABX)", "Begin ABX trials.", [this] { begin(Blind::abx); }),
      copy_("Copy as CSV", "Copy all trials of this session as CSV.", [this] { copy_csv(); }),
      close_button_("Close", "Close blind trials.", [this] { close_(); }),
      stop_("End", "End these trials before all are answered.", [this] { desk_.change(Param::blind, 0.0f); }),
      answer_x_("", "Answer X.", [this] { answer(BlindAnswer::x); }),
      answer_y_("", "Answer Y.", [this] { answer(BlindAnswer::y); }) {
  setTitle("Blind trials");
  setOpaque(true);
  setWantsKeyboardFocus(true);
  const auto pairs = texts_of(spec(Param::blind_pair));
  for (int i = 0; i < pairs.size(); ++i) pair_.addItem(pairs[i], i + 1);
  pair_.setTitle("Blind Pair");
  for (juce::ComboBox* each : {&pair_, &count_}) each->setWantsKeyboardFocus(true);
  pair_.onChange = [this] { desk_.change(Param::blind_pair, static_cast<float>(pair_.getSelectedId() - 1)); };
  mark(pair_, Param::blind_pair);
  for (int i = 1; i <= BlindTrials::most_trials; ++i)
    count_.addItem(juce::String(i) + (i > 1 ? " trials" : " trial"), i);
  count_.setTitle("Blind Trials");
  count_.onChange = [this] { desk_.change(Param::blind_trials, static_cast<float>(count_.getSelectedId())); };
  mark(count_, Param::blind_trials);
  for (std::size_t i = 0; i < sound_names.size(); ++i) {
    const juce::String name = sound_names[i];
    sounds_.push_back(std::make_unique<Action>(name, "Hear " + name + ". Key: " + name + ".",
                                               [this, i] { hear(static_cast<BlindListen>(i)); }));
    mark(*sounds_.back(), Param::blind_listen);
  }
  for (Action* each : {&preference_, &abx_}) mark(*each, Param::blind);
  for (Action* each : {&answer_x_, &answer_y_}) mark(*each, Param::blind_answer);
  results_.setMultiLine(true);
  results_.setReadOnly(true);
  results_.setTitle("Results");
  for (juce::Component* part : std::initializer_list<juce::Component*>{
           &pair_, &count_, &preference_, &abx_, &copy_, &close_button_, &stop_, &answer_x_, &answer_y_, &results_}) {
    addAndMakeVisible(part);
  }
  for (const auto& sound : sounds_) addAndMakeVisible(*sound);
}

void BlindPanel::lookAndFeelChanged() { results_.applyColourToAllText(findColour(juce::TextEditor::textColourId)); }

void BlindPanel::hear(BlindListen sound) { desk_.plugin().set(Param::blind_listen, static_cast<float>(sound)); }

/// The plugin sets it back once it is taken.
void BlindPanel::answer(BlindAnswer answer) {
  if (desk_.value(Param::blind_answer) == 0.0f) desk_.plugin().set(Param::blind_answer, static_cast<float>(answer));
}

void BlindPanel::begin(Blind method) {
  hear(BlindListen::x);
  desk_.plugin().set(Param::blind, static_cast<float>(method));
}

bool BlindPanel::keyPressed(const juce::KeyPress& key) {
  if (!is_running_ || key.getModifiers().isAnyModifierKeyDown()) return false;
  const bool is_x = desk_.value(Param::blind_listen) == static_cast<float>(BlindListen::x);
  switch (juce::CharacterFunctions::toLowerCase(static_cast<juce::juce_wchar>(key.getKeyCode()))) {
    case 'x':
      return hear(BlindListen::x), true;
    case 'y':
      return hear(BlindListen::y), true;
    case 'a':
      if (is_abx_) hear(BlindListen::a);
      return true;
    case 'b':
      if (is_abx_) hear(BlindListen::b);
      return true;
    case ' ':
      return hear(is_x ? BlindListen::y : BlindListen::x), true;
    default:
      return false;
  }
}

juce::String BlindPanel::heading() const {
  if (!is_running_) return "Blind trials";
  return "Trial " + juce::String(juce::roundToInt(desk_.value(Param::blind_trial))) + " of " +
         juce::String(juce::roundToInt(desk_.value(Param::blind_trials))) +
         (is_abx_ ? ": which of X and Y is A?" : ": which is better, X or Y?");
}

/// What to know before, or how it goes.
juce::String BlindPanel::hint() const {
  if (is_running_)
    return "The keys X, Y" + juce::String(is_abx_ ? ", A, B" : "") + " do the same; Space, the other one.";
  if (desk_.value(Param::level_match) == static_cast<float>(LevelMatch::programme)) return {};
  return "Level Match is " + desk_.text(Param::level_match) + ": with Programme, loudness does not decide.";
}

void BlindPanel::show_results() {
  const auto records = desk_.plugin().session().blind_records();
  if (answers_in(records) == shown_answers_) return;
  shown_answers_ = answers_in(records);
  juce::String text;
  for (auto record = records.rbegin(); record != records.rend(); ++record) text << sentence_of(*record) << "\n\n";
  results_.setText(records.empty() ? "No trials yet." : text);
}

void BlindPanel::copy_csv() const {
  juce::String text;
  for (const BlindRecord& record : desk_.plugin().session().blind_records()) {
    const auto lines = to_juce(to_csv(record.run, record.names[0], record.names[1]));
    text << (text.isEmpty() ? lines : lines.fromFirstOccurrenceOf("\n", false, false));
  }
  juce::SystemClipboard::copyTextToClipboard(text);
}

/// What has been taken goes back, so that it can be done again: also where the plugin cannot write its own ports (LV2).
void BlindPanel::set_back(const Session::BlindNow& blind) {
  const auto is_taken = [&](Param id, auto taken) {
    return desk_.value(id) != 0.0f && desk_.value(id) == static_cast<float>(taken);
  };
  if (is_taken(Param::blind_answer, blind.taken.answer)) desk_.plugin().set(Param::blind_answer, 0.0f);
  const bool has_ended = !blind.is_running && !blind.taken.is_refused;
  if (has_ended && is_taken(Param::blind, blind.taken.method)) desk_.plugin().set(Param::blind, 0.0f);
}

void BlindPanel::refresh() {
  const auto blind = desk_.plugin().session().blind();
  set_back(blind);
  is_running_ = blind.is_running;
  is_abx_ = desk_.value(Param::blind) == static_cast<float>(Blind::abx);
  pair_.setSelectedId(static_cast<int>(desk_.value(Param::blind_pair)) + 1, juce::dontSendNotification);
  count_.setSelectedId(juce::roundToInt(desk_.value(Param::blind_trials)), juce::dontSendNotification);
  for (juce::Component* part : std::initializer_list<juce::Component*>{&pair_, &count_, &preference_, &abx_, &copy_,
                                                                       &close_button_, &results_}) {
    part->setVisible(!is_running_);
  }
  for (Action* part : {&stop_, &answer_x_, &answer_y_}) part->setVisible(is_running_);
  answer_x_.setButtonText(is_abx_ ? "X is A" : "X is better");
  answer_y_.setButtonText(is_abx_ ? "Y is A" : "Y is better");
  const float heard = desk_.value(Param::blind_listen);
  for (std::size_t i = 0; i < sounds_.size(); ++i) {
    sounds_[i]->setVisible(is_running_ && (is_abx_ || i < 2));
    sounds_[i]->setToggleState(heard == static_cast<float>(i), juce::dontSendNotification);
  }
  if (!is_running_) show_results();
  if (heading() == heading_ && hint() == hint_) return;
  heading_ = heading();
  hint_ = hint();
  setDescription(heading_ + ". " + hint_);
  repaint();
}

void BlindPanel::resized() {
  auto area = getLocalBounds().reduced((getWidth() - column_width) / 2, 40).withTrimmedTop(60);
  auto setup = area;
  auto row = setup.removeFromTop(Theme::row_height);
  count_.setBounds(row.removeFromRight(small_width));
  pair_.setBounds(row.withTrimmedRight(Theme::margin));
  setup.removeFromTop(Theme::margin);
  row = setup.removeFromTop(large_height);
  preference_.setBounds(row.removeFromLeft(row.getWidth() / 2).withTrimmedRight(Theme::gap));
  abx_.setBounds(row);
  setup.removeFromTop(Theme::margin);
  row = setup.removeFromBottom(Theme::row_height);
  copy_.setBounds(row.removeFromLeft(small_width));
  close_button_.setBounds(row.removeFromRight(small_width));
  setup.removeFromBottom(Theme::margin);
  results_.setBounds(setup);

  for (const std::size_t first : {std::size_t{0}, std::size_t{2}}) {
    row = area.removeFromTop(2 * large_height);
    sounds_[first]->setBounds(row.removeFromLeft(row.getWidth() / 2).withTrimmedRight(Theme::gap));
    sounds_[first + 1]->setBounds(row);
    area.removeFromTop(Theme::margin);
  }
  row = area.removeFromTop(large_height);
  answer_x_.setBounds(row.removeFromLeft(row.getWidth() / 2).withTrimmedRight(Theme::gap));
  answer_y_.setBounds(row);
  stop_.setBounds(area.removeFromBottom(Theme::row_height).removeFromRight(small_width));
}

void BlindPanel::paint(juce::Graphics& graphics) {
  graphics.fillAll(palette().background);
  graphics.setColour(palette().text);
  graphics.setFont(Theme::bold_font().withHeight(22.0f));
  auto area = getLocalBounds().withTrimmedTop(20);
  graphics.drawText(heading_, area.removeFromTop(40), juce::Justification::centred);
  graphics.setColour(palette().dim_text);
  graphics.setFont(Theme::text_font());
  graphics.drawText(hint_, area.removeFromTop(24), juce::Justification::centred, true);
}

}  // namespace forestage::plugin
