// The two slots and everything that fills them.
#pragma once

#include <memory>

#include "panel.hpp"
#include "settings.hpp"

namespace forestage::plugin {

class PresetBar final : public Panel {
 public:
  /// `change_theme`: light to dark and back. `open_blind`: to blind trials.
  PresetBar(Desk& desk, Settings& settings, std::function<void()> change_theme, std::function<void()> open_blind);

  void refresh() override;
  void resized() override;

  juce::PopupMenu menu() const;

 private:
  void show_menu();
  void act_on(int item);
  void choose_file();
  void choose_place();

  Settings& settings_;
  Action tab_a_, tab_b_;
  Action toggle_, previous_, next_, menu_, copy_, swap_, undo_, redo_, blind_, theme_;
  std::unique_ptr<juce::FileChooser> chooser_;
};

}  // namespace forestage::plugin
