#include "preset_bar.hpp"

#include <algorithm>
#include <utility>

#include "preset_tree.hpp"

namespace forestage::plugin {
namespace {

enum MenuItem { none, open_item, save_item, match_item, reload_item, reveal_item, first_preset_item };

bool holds(const PresetNode& node, int position) {
  return node.position == position ||
         std::ranges::any_of(node.nodes, [position](const PresetNode& inner) { return holds(inner, position); });
}

juce::File user_folder() {
  const auto folder = user_preset_folder();
  return folder.empty() ? juce::File::getSpecialLocation(juce::File::userHomeDirectory)
                        : juce::File(juce::String::fromUTF8(folder.c_str()));
}

void add(juce::PopupMenu& menu, const std::vector<PresetNode>& nodes, int now) {
  for (const PresetNode& node : nodes) {
    const auto title = juce::String::fromUTF8(node.title.c_str());
    if (node.position >= 0) {
      menu.addItem(first_preset_item + node.position, title, true, node.position == now);
      continue;
    }
    juce::PopupMenu inner;
    add(inner, node.nodes, now);
    menu.addSubMenu(title, inner, true, nullptr, holds(node, now));
  }
}

juce::String tip_of(const Step* step, const char* verb, const char* nothing) {
  return step != nullptr ? juce::String(verb) + ": " + juce::String::fromUTF8(step->text.c_str()) : nothing;
}

}  // namespace

PresetBar::PresetBar(Desk& desk, Settings& settings, std::function<void()> change_theme,
                     std::function<void()> open_blind)
    : Panel(desk),
      settings_(settings),
      tab_a_("A", "Slot A.", [this] { desk_.change(Param::slot, 0.0f); }),
      tab_b_("B", "Slot B.", [this] { desk_.change(Param::slot, 1.0f); }),
      toggle_("A/B", "Hear the other slot. Key: X.", [this] { desk_.toggle_slot(); }),
      previous_(juce::String::fromUTF8("\u25c0"), "Previous preset.", [this] { desk_.step_preset(-1); }),
      next_(juce::String::fromUTF8("\u25b6"), "Next preset.", [this] { desk_.step_preset(1); }),
      menu_("Presets", "Presets and files.", [this] { show_menu(); }),
      copy_("Copy", "Copy to the other slot.", [this] { desk_.copy_to_other(); }),
      swap_("Swap", "Swap A and B.", [this] { desk_.swap(); }),
      undo_("Undo", "Undo.", [this] { desk_.undo(); }),
      redo_("Redo", "Redo.", [this] { desk_.redo(); }),
      blind_("Blind", "Blind trials: which is better, or is there a difference at all?", std::move(open_blind)),
      theme_(juce::String::fromUTF8("\u25d0"), "Light or dark.", std::move(change_theme)) {
  for (Action* part :
       {&tab_a_, &tab_b_, &toggle_, &previous_, &next_, &menu_, &copy_, &swap_, &undo_, &redo_, &blind_, &theme_}) {
    addAndMakeVisible(*part);
  }
  mark(tab_a_, Param::slot);
  mark(tab_b_, Param::slot);
}

void PresetBar::resized() {
  auto area = getLocalBounds();
  const auto put = [&](Action& part, int width) {
    part.setBounds(area.removeFromLeft(width));
    area.removeFromLeft(Theme::gap);
  };
  put(tab_a_, 182);
  put(tab_b_, 182);
  put(toggle_, 54);
  put(previous_, 30);
  put(next_, 30);
  put(menu_, 84);
  put(copy_, 72);
  put(swap_, 58);
  put(undo_, 58);
  put(redo_, 58);
  put(blind_, 58);
  theme_.setBounds(area);
}

void PresetBar::refresh() {
  const Slot playing = desk_.slot();
  const auto show = [&](Action& tab, Slot slot, const char* letter) {
    const bool is_changed = slot == playing && desk_.differs();
    const auto name = desk_.name(slot);
    const auto text = juce::String(letter) + "  " + name + (is_changed ? " *" : "");
    if (text != tab.getButtonText()) {
      tab.setButtonText(text);
      tab.setTitle(juce::String("Slot ") + letter + ": " + name + (is_changed ? ", knobs changed" : ""));
      tab.setTooltip(tab.getTitle() + ".");
    }
    tab.setToggleState(slot == playing, juce::dontSendNotification);
    tab.setColour(juce::TextButton::buttonOnColourId, slot == Slot::a ? palette().slot_a : palette().slot_b);
  };
  show(tab_a_, Slot::a, "A");
  show(tab_b_, Slot::b, "B");
  const auto copy = juce::String::fromUTF8(playing == Slot::a ? "Copy \u2192 B" : "Copy \u2192 A");
  if (copy != copy_.getButtonText()) copy_.setButtonText(copy);
  undo_.setEnabled(desk_.undoable() != nullptr);
  redo_.setEnabled(desk_.redoable() != nullptr);
  undo_.setTooltip(tip_of(desk_.undoable(), "Undo", "Nothing to undo."));
  redo_.setTooltip(tip_of(desk_.redoable(), "Redo", "Nothing to redo."));
}

juce::PopupMenu PresetBar::menu() const {
  const auto list = desk_.plugin().presets();
  const int now = desk_.plugin().position();
  juce::PopupMenu menu;
  menu.addSectionHeader("Factory, by device");
  add(menu, presets_by_device(*list), now);
  menu.addSectionHeader("Yours");
  add(menu, presets_by_folder(*list), now);
  if (!list->problem().empty()) {
    menu.addItem(none, juce::String::fromUTF8(list->problem().c_str()), false);
  } else if (list->count() == list->factory_count()) {
    menu.addItem(none, juce::String::fromUTF8("None yet: Save as\u2026 makes one"), false);
  }
  if (list->unlisted() > 0) {
    menu.addItem(open_item, juce::String(list->unlisted()) + juce::String::fromUTF8(" more: Open file\u2026"));
  }
  menu.addSeparator();
  menu.addItem(open_item, juce::String::fromUTF8("Open file\u2026"));
  menu.addItem(save_item, juce::String::fromUTF8("Save as\u2026"));
  menu.addItem(match_item, "Keep the gain that Level Match has found", desk_.can_keep_match());
  menu.addItem(reload_item, "Reload");
  menu.addItem(reveal_item, "Reveal folder");
  return menu;
}

void PresetBar::show_menu() {
  menu().showMenuAsync(
      juce::PopupMenu::Options().withTargetComponent(menu_).withParentComponent(getTopLevelComponent()),
      [safe = juce::Component::SafePointer<PresetBar>(this)](int item) {
        if (safe != nullptr) safe->act_on(item);
      });
}

void PresetBar::act_on(int item) {
  switch (item) {
    case none:
      return;
    case open_item:
      return choose_file();
    case save_item:
      return choose_place();
    case match_item:
      return desk_.keep_match();
    case reload_item:
      return desk_.reload();
    case reveal_item:
      user_folder().createDirectory();
      return user_folder().revealToUser();
    default:
      return desk_.choose(item - first_preset_item);
  }
}

void PresetBar::choose_file() {
  const auto own = user_folder();
  const auto usual = own.isDirectory() ? own : juce::File::getSpecialLocation(juce::File::userHomeDirectory);
  chooser_ = std::make_unique<juce::FileChooser>("Preset", settings_.folder("presets", usual), "*.json;*.vstpreset");
  chooser_->launchAsync(juce::FileBrowserComponent::openMode | juce::FileBrowserComponent::canSelectFiles,
                        [this](const juce::FileChooser& chooser) {
                          draw_again_soon(*this);
                          const auto file = chooser.getResult();
                          if (file == juce::File()) return;
                          settings_.set_folder("presets", file.getParentDirectory());
                          desk_.open(file);
                        });
}

void PresetBar::choose_place() {
  const auto name = juce::File::createLegalFileName(desk_.name(desk_.slot())) + ".json";
  user_folder().createDirectory();
  chooser_ = std::make_unique<juce::FileChooser>("Save preset as", user_folder().getChildFile(name), "*.json");
  chooser_->launchAsync(juce::FileBrowserComponent::saveMode | juce::FileBrowserComponent::canSelectFiles |
                            juce::FileBrowserComponent::warnAboutOverwriting,
                        [this](const juce::FileChooser& chooser) {
                          draw_again_soon(*this);
                          const auto file = chooser.getResult();
                          if (file == juce::File()) return;
                          desk_.save(file.withFileExtension("json"));
                          desk_.plugin().reload_presets();
                        });
}

}  // namespace forestage::plugin
