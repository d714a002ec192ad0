// Blind trials in the window. While they run this is all that there is to see: nothing tells what plays.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "panel.hpp"

namespace forestage::plugin {

/// What came out of trials, in a sentence.
juce::String sentence_of(const BlindRecord& record);

class BlindPanel final : public Panel {
 public:
  BlindPanel(Desk& desk, std::function<void()> close);

  void refresh() override;
  void resized() override;
  void paint(juce::Graphics& graphics) override;
  void lookAndFeelChanged() override;  // a text keeps the colour it was set in
  /// X, Y, and in ABX A and B, are heard; Space goes to the other of X and Y.
  bool keyPressed(const juce::KeyPress& key) override;

  bool is_running() const noexcept { return is_running_; }
  juce::String results_text() const { return results_.getText(); }

 private:
  void hear(BlindListen sound);
  void answer(BlindAnswer answer);
  void begin(Blind method);
  void set_back(const Session::BlindNow& blind);
  void show_results();
  void copy_csv() const;
  juce::String heading() const;
  juce::String hint() const;

  std::function<void()> close_;
  juce::ComboBox pair_, count_;
  Action preference_, abx_, copy_, close_button_, stop_;
  std::vector<std::unique_ptr<Action>> sounds_;  // X, Y, A, B
  Action answer_x_, answer_y_;
  juce::TextEditor results_;
  juce::String heading_;
  juce::String hint_;
  bool is_running_ = false;
  bool is_abx_ = false;
  std::size_t shown_answers_ = static_cast<std::size_t>(-1);
};

}  // namespace forestage::plugin
