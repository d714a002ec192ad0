// Uses the plugin's window as a person would, and says what is not as it should be. Needs a display, which may be one
// that nobody sees.
#include <juce_audio_processors/juce_audio_processors.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "curves.hpp"
#include "design_view.hpp"
#include "editor.hpp"
#include "layout.hpp"
#include "preset_io.hpp"
#include "preset_tree.hpp"
#include "processor.hpp"
#include "processor_clock.hpp"
#include "window.hpp"

namespace forestage::plugin {
namespace {

int failures = 0;

void expect(bool is_right, const std::string& what) {
  if (is_right) return;
  ++failures;
  std::cout << "WRONG: " << what << '\n';
}

using Controls = std::vector<juce::Component*>;

void collect(juce::Component& component, Controls& found) {
  found.push_back(&component);
  for (auto* child : component.getChildren()) collect(*child, found);
}

Controls parts_of(juce::Component& component) {
  Controls found;
  collect(component, found);
  return found;
}

/// What can be worked, by its title.
juce::Button& button(Window& window, const juce::String& title) {
  for (auto* part : parts_of(window)) {
    auto* found = dynamic_cast<juce::Button*>(part);
    if (found != nullptr && found->getTitle().startsWith(title)) return *found;
  }
  std::cout << "no button is called " << title << '\n';
  std::exit(1);
}

void click(Window& window, const juce::String& title) {
  button(window, title).onClick();
  window.refresh();
}

struct Opened {
  Opened() {
    processor.setPlayConfigDetails(2, 2, 48000.0, 256);
    processor.prepareToPlay(48000.0, 256);
    window = std::make_unique<Window>(processor);
  }
  juce::String tab(const char* letter) {
    window->refresh();
    return button(*window, juce::String("Slot ") + letter).getButtonText();
  }
  Processor processor;
  std::unique_ptr<Window> window;
};

void play_silence(Processor& processor) {
  juce::AudioBuffer<float> buffer(2, 256);
  juce::MidiBuffer midi;
  buffer.clear();
  processor.processBlock(buffer, midi);
}

void blind_trials_cover_all_that_would_tell_and_go_by_keys() {
  Opened opened;
  Window& window = *opened.window;
  Desk& desk = window.desk();
  const auto heard = [&] { return static_cast<BlindListen>(static_cast<int>(desk.value(Param::blind_listen))); };
  play_silence(opened.processor);
  desk.change(Param::blind_pair, static_cast<float>(BlindPair::design_plain));
  desk.change(Param::blind_trials, 2.0f);
  click(window, "Blind trials");
  expect(window.blind().isVisible() && !window.blind().is_running(), "blind trials open, and wait");
  const auto said = [&] { return window.refresh(), window.blind().getDescription(); };
  expect(said().contains("Level Match is Calibrated"), "not said that loudness may decide");
  desk.change(Param::level_match, static_cast<float>(LevelMatch::programme));
  expect(!said().contains("Level Match"), "said that loudness may decide where it cannot");
  window.open_blind(false);
  expect(!window.blind().isVisible(), "blind trials close");
  click(window, "Begin ABX");
  play_silence(opened.processor);
  window.refresh();
  expect(window.blind().isVisible() && window.blind().is_running(), "blind trials that run are shown");
  expect(said().contains("keys X, Y, A, B"), "keys are not told");
  window.open_blind(false);
  for (auto* part : window.blind().getParentComponent()->getChildren()) {
    expect(part == &window.blind() || !part->isVisible() || dynamic_cast<juce::TooltipWindow*>(part) != nullptr,
           "blind trials leave " + part->getTitle().toStdString() + " to be seen");
  }
  expect(window.blind().getBounds() == window.blind().getParentComponent()->getLocalBounds(), "they cover all");
  const float slot = desk.value(Param::slot);
  for (const auto& [key, sound] : {std::pair{'y', BlindListen::y},
                                   {'x', BlindListen::x},
                                   {' ', BlindListen::y},
                                   {'b', BlindListen::b},
                                   {'a', BlindListen::a},
                                   {' ', BlindListen::x}}) {
    window.keyPressed(juce::KeyPress(key));
    expect(heard() == sound, std::string("key ") + key + " is heard");
  }
  expect(desk.value(Param::slot) == slot, "keys of blind trials leave the slot");
  for (const char* answer : {"Answer X", "Answer Y"}) {
    click(window, answer);
    play_silence(opened.processor);
    desk.plugin().set(Param::blind_answer, 0.0f);  // as the plugin's timer does
    play_silence(opened.processor);
  }
  opened.processor.note_blind();
  window.refresh();
  expect(!window.blind().is_running(), "trials end after the last");
  expect(window.blind().results_text().contains(" of 2. By guessing"), "results are told");
  button(window, "Copy all trials").onClick();
  click(window, "Close blind trials");
  expect(!window.blind().isVisible(), "blind trials close when they are over");
}

void sample_rate_and_latency_are_those_that_play() {
  Processor processor;
  processor.setRateAndBufferSizeDetails(44100.0, 512);  // as the standalone program is made, also without a sound card
  Window window(processor);
  const auto says = [&](const juce::String& text) {
    window.refresh();
    const auto parts = parts_of(window);
    return std::any_of(parts.begin(), parts.end(), [&](auto* part) { return part->getTitle().endsWith(text); });
  };
  expect(says("Not playing yet"), "the window tells a sample rate at which nothing plays");
  processor.prepareToPlay(44100.0, 512);
  expect(says("44.1 kHz, latency 5.5 ms (243 frames)"), "the window does not tell the latency at 44.1 kHz");
}

void every_parameter_has_a_control() {
  Opened opened;
  std::set<std::string> controlled;
  for (auto* part : parts_of(*opened.window))
    controlled.insert(part->getProperties()["parameter"].toString().toStdString());
  for (const ParamSpec& row : params) {
    if (!is_read_only(row)) expect(controlled.contains(param_id(row)), param_id(row) + " has no control");
  }
}

void every_control_has_a_title() {
  Opened opened;
  int controls = 0;
  for (auto* part : parts_of(*opened.window)) {
    const bool is_control = dynamic_cast<juce::Button*>(part) != nullptr ||
                            dynamic_cast<juce::Slider*>(part) != nullptr ||
                            dynamic_cast<juce::ComboBox*>(part) != nullptr;
    if (!is_control) continue;
    ++controls;
    const auto title = part->getTitle();
    expect(title.isNotEmpty(), "a control without a title in " + part->getParentComponent()->getTitle().toStdString());
    expect(part->getWantsKeyboardFocus() || !part->isEnabled(), title.toStdString() + " cannot be reached by Tab");
    if (auto* handler = part->getAccessibilityHandler()) {
      expect(handler->getTitle().isNotEmpty(), title.toStdString() + " says nothing to a screen reader");
    }
  }
  expect(controls > 35, "only " + std::to_string(controls) + " controls");
}

void values_have_the_colours_of_the_window_from_the_start() {
  Opened opened;
  for (auto* part : parts_of(*opened.window)) {
    if (dynamic_cast<juce::Slider*>(part->getParentComponent()) == nullptr) continue;
    expect(part->findColour(juce::Label::outlineColourId).isTransparent(), "a value has a frame of JUCE's");
  }
}

void text_stands_out() {
  for (const Palette* palette : {&Palette::dark(), &Palette::light()}) {
    const std::vector<std::tuple<const char*, juce::Colour, juce::Colour>> pairs{
        {"text on panel", palette->text, palette->panel},
        {"text on background", palette->text, palette->background},
        {"dim text on panel", palette->dim_text, palette->panel},
        {"text on what is chosen", palette->on_accent, palette->accent},
        {"text on tab A", palette->on_accent, palette->slot_a},
        {"text on tab B", palette->on_accent, palette->slot_b},
        {"good", palette->good, palette->panel},
        {"warning", palette->warning, palette->panel},
        {"error", palette->error, palette->panel},
        {"curve of A", palette->slot_a, palette->panel},
        {"curve of B", palette->slot_b, palette->panel},
        {"plain curve", palette->plain, palette->panel},
        {"target curve", palette->target, palette->panel},
    };
    for (float share = 0.0f; share <= 1.0f; share += 0.02f) {  // squares of the zone
      const auto back = palette->background.interpolatedWith(palette->slot_a, share);
      expect(contrast(readable_on(back), back) >= 4.5, "numbers of the zone do not stand out");
    }
    for (const auto& [what, front, back] : pairs) {
      expect(contrast(front, back) >= 4.5,
             std::string(what) + " has a contrast of " + std::to_string(contrast(front, back)));
    }
  }
}

void tabs_follow_slots_and_states() {
  Opened opened;
  Desk& desk = opened.window->desk();
  desk.choose(3);
  const auto third = juce::String::fromUTF8(opened.processor.presets()->name(3).c_str());
  expect(opened.tab("A").contains(third), "tab A does not say what was chosen");
  juce::MemoryBlock state;
  opened.processor.getStateInformation(state);
  Opened again;
  again.processor.setStateInformation(state.getData(), static_cast<int>(state.getSize()));
  expect(again.tab("A").contains(third), "tab A does not say what a state brought");
  click(*opened.window, "Copy to the other slot");
  expect(opened.tab("B").contains(third), "copying does not show in tab B");
  click(*opened.window, "Slot B");
  desk.choose(0);
  click(*opened.window, "Swap A and B");
  expect(opened.tab("B").contains(third) && !opened.tab("A").contains(third), "swapping does not show");
  expect(!opened.tab("B").contains("*"), "a preset just chosen is marked as changed");
  desk.change(Param::amount, 40.0f);
  expect(opened.tab("B").contains("*"), "changed knobs are not marked");
}

void undo_takes_back_what_was_done_here_and_nothing_else() {
  Opened opened;
  Desk& desk = opened.window->desk();
  const auto name = desk.name(Slot::a);
  const float width = desk.value(Param::stage_width_deg);
  for (int i = 0; i < 60; ++i) desk.change(Param::stage_width_deg, static_cast<float>(i));
  desk.choose(5);
  opened.processor.set(Param::center_level_db, -3.0f);  // as a host would
  for (int i = 0; i < 61; ++i) click(*opened.window, "Undo");
  expect(desk.name(Slot::a) == name, "undo does not bring the preset back");
  expect(std::abs(desk.value(Param::stage_width_deg) - width) < 1e-3f, "undo does not bring the knob back");
  expect(desk.value(Param::center_level_db) == -3.0f, "undo takes back what the host did");
  expect(desk.undoable() == nullptr, "there is something left to undo");
  for (int i = 0; i < 61; ++i) click(*opened.window, "Redo");
  expect(desk.name(Slot::a) == juce::String::fromUTF8(opened.processor.presets()->name(5).c_str()), "redo does not");
}

void a_loudspeaker_can_be_dragged() {
  Opened opened;
  StageView* stage = nullptr;
  for (auto* part : parts_of(*opened.window)) {
    if (auto* found = dynamic_cast<StageView*>(part)) stage = found;
  }
  const auto source = juce::Desktop::getInstance().getMainMouseSource();
  const auto event = [&](juce::Point<float> at, juce::Point<float> from) {
    const auto now = juce::Time::getCurrentTime();
    return juce::MouseEvent(source, at, juce::ModifierKeys::leftButtonModifier, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, stage,
                            stage, now, from, now, 1, at != from);
  };
  // Where the pointer says that there is something to take hold of
  juce::Point<float> grip;
  for (int y = 0; y < stage->getHeight() && grip.isOrigin(); y += 4) {
    for (int x = 0; x < stage->getWidth() / 2 && grip.isOrigin(); x += 4) {
      const juce::Point<float> at(static_cast<float>(x), static_cast<float>(y));
      stage->mouseMove(event(at, at));
      if (stage->getMouseCursor() == juce::MouseCursor::LeftRightResizeCursor) grip = at;
    }
  }
  expect(!grip.isOrigin(), "no loudspeaker can be taken hold of");
  const float before = opened.window->desk().value(Param::stage_width_deg);
  const auto to = grip.translated(-40.0f, 40.0f);
  stage->mouseDown(event(grip, grip));
  stage->mouseDrag(event(to, grip));
  stage->mouseUp(event(to, grip));
  const float after = opened.window->desk().value(Param::stage_width_deg);
  expect(after > before + 5.0f, "dragging outwards does not widen the stage");
  click(*opened.window, "Undo");
  expect(std::abs(opened.window->desk().value(Param::stage_width_deg) - before) < 1e-3f, "one drag is not one step");
}

std::filesystem::path folder() {
  const auto path = std::filesystem::temp_directory_path() / "forestage-check-window";
  std::filesystem::create_directories(path);
  return path;
}

juce::File written(const char* name, const std::string& text) {
  const auto path = folder() / name;
  std::ofstream(path, std::ios::binary) << text;
  return juce::File(juce::String(path.string()));
}

/// Whatever somebody does, the thread of the window is free again after a tenth of a second of its own time.
void expect_quick(const std::string& what, const std::function<void()>& action) {
  const double start = thread_s();
  action();
  const double took_s = thread_s() - start;
  expect(took_s < 0.1, what + " takes " + std::to_string(took_s) + " s");
}

double at(const Line& line, double hz) {
  const auto next = std::ranges::lower_bound(line.frequency_hz, hz);
  const auto i = static_cast<std::size_t>(std::distance(line.frequency_hz.begin(), next));
  if (i == 0 || i >= line.values.size()) return line.values.at(std::min(i, line.values.size() - 1));
  const double share =
      std::log(hz / line.frequency_hz[i - 1]) / std::log(line.frequency_hz[i] / line.frequency_hz[i - 1]);
  return std::lerp(line.values[i - 1], line.values[i], share);
}

const Line& named(const std::vector<Line>& lines, const std::string& name) {
  return *std::ranges::find(lines, name, &Line::name);
}

/// The design stated its separation from the device as it is modelled; the window hears the preset's ears.
void curves_are_those_of_the_design_and_follow_the_knobs() {
  Opened opened;
  const auto preset = opened.window->desk().preset(Slot::a);
  const PresetCurves curves(preset);
  ParamStore knobs;
  const auto lines = curves.separation(knobs);
  for (const auto& [line, curve] :
       {std::pair("Cancellation", "separation_processed"), std::pair("Plain device", "separation_plain")}) {
    const auto stated = *std::ranges::find(preset->analysis, curve, &Curve::name);
    const Line of_design{line,
                         LineKind::design,
                         {stated.frequency_hz.begin(), stated.frequency_hz.end()},
                         {stated.values.begin(), stated.values.end()}};
    for (const double hz : {100.0, 250.0, 630.0, 1000.0, 1600.0, 2500.0, 6000.0}) {
      const double difference_db = std::abs(at(named(lines, line), hz) - at(of_design, hz));
      expect(difference_db < 0.5,
             std::string(line) + " differs by " + std::to_string(difference_db) + " dB at " + std::to_string(hz));
    }
  }
  knobs.set(Param::cancellation, 0.0f);
  const auto uncancelled = curves.separation(knobs);
  const double left_db =
      at(named(uncancelled, "Cancellation"), 1000.0) - at(named(uncancelled, "Plain device"), 1000.0);
  expect(std::abs(left_db) < 0.01, "without cancellation the design is not the plain device");
  const double lost_db = at(named(curves.colour(knobs), "Middle"), 1000.0);
  knobs.set(Param::center_level_db, -6.0f);
  expect(std::abs(at(named(curves.colour(knobs), "Middle"), 1000.0) - (lost_db - 6.0)) < 0.01,
         "the middle does not follow its level");
}

void beams_follow_the_knobs() {
  Opened opened;
  Preset preset = *opened.window->desk().preset(Slot::a);
  // From the front all drivers are heard alike, from the left the left one alone
  preset.directions = Directions{{0.0f, 90.0f}, {1000.0f}, {{1, 0, 1, 0}, {1, 0, 0, 0}, {1, 0, 0, 0}}};
  const PresetCurves curves(std::make_shared<const Preset>(preset));
  ParamStore knobs;
  knobs.set(Param::center_focus, 0.0f);  // the plain mix: left and right alike
  expect(std::abs(curves.beam_picture(knobs).level_db[1][0] + 6.02) < 0.01, "half of the mix is not 6 dB less");
  knobs.set(Param::center_focus, 100.0f);
  expect(std::abs(curves.beam_picture(knobs).level_db[1][0] + 6.02) > 0.05, "the beam does not follow the focus");
  preset.directions.reset();
  expect(PresetCurves(std::make_shared<const Preset>(preset)).beam_picture(knobs).is_empty(), "a beam from nowhere");
}

void places_are_those_of_the_device() {
  Opened opened;
  const DesignView view = design_view(*opened.window->desk().preset(Slot::a));
  expect(view.drivers.size() == 3 && view.body_radius_m == 0.09 && view.distance_m == 2.0,
         "the smart speaker is not as it is");
  expect(view.drivers[0].name == "left" && std::abs(view.drivers[0].y_m - 0.09) < 1e-9,
         "its left driver is not on its left");
  expect(view.heard_left_deg > view.plain_left_deg, "the design is not heard wider than the plain device");
  Preset bare = *opened.window->desk().preset(Slot::a);
  for (const char* odd :
       {"", "[]", "{\"device\": 3}", "{\"device\": {\"driver\": [1, null, {\"position_m\": [\"x\"]}]}}"}) {
    bare.design_json = odd;
    expect(design_view(bare).drivers.empty() && !design_view(bare).distance_m, std::string("places from ") + odd);
  }
}

void files_are_opened_or_refused_with_a_reason() {
  Opened opened;
  Window& window = *opened.window;
  const auto name = window.desk().name(Slot::a);
  const auto refused = [&](const juce::File& file, const juce::String& reason) {
    window.filesDropped({file.getFullPathName()}, 0, 0);
    window.refresh();
    expect(window.desk().notice().contains(reason),
           "not said: " + reason.toStdString() + ", but " + window.desk().notice().toStdString());
    expect(window.desk().name(Slot::a) == name, "the slot lost what it had");
    expect(button(window, "Dismiss").isShowing() || button(window, "Dismiss").getParentComponent()->isVisible(),
           "no message is shown");
    click(window, "Dismiss");
    expect(window.desk().notice().isEmpty(), "the message stays");
  };
  Preset preset = *window.desk().preset(Slot::a);
  std::string text = write_preset(preset);
  refused(written("text.json", "no preset"), "text.json");
  refused(written("other.vstpreset", "no preset"), "VST3");
  refused(juce::File("/nonexistent/here.json"), "here.json");
  std::string broken = text;
  broken.replace(broken.find("\"sample_rate\": 48000"), 20, "\"sample_rate\": 48001");
  refused(written("broken.json", broken), "sample_rate");
  std::string endless = text;
  endless.replace(endless.find(preset.name), preset.name.size(), std::string(500, 'W'));
  refused(written("endless.json", endless), "has 500 characters; at most 100 fit");
  preset.analysis.clear();
  preset.maps.clear();
  preset.design_json.clear();
  for (const std::string odd : {std::string(100, 'W'), std::string("\xf0\x9f\x8e\xa7 Kopfh\xc3\xb6rer"),
                                std::string("\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d")}) {
    preset.name = odd;
    window.filesDropped({written("odd.json", write_preset(preset)).getFullPathName()}, 0, 0);
    expect(window.desk().name(Slot::a) == juce::String::fromUTF8(odd.c_str()), "not opened: " + odd);
    for (int tab = 0; tab < CurvesView::tab_count; ++tab) {
      window.curves().show(static_cast<CurvesView::Tab>(tab));
      window.refresh();
      window.createComponentSnapshot(window.getLocalBounds());
    }
  }
  window.desk().change(Param::amount, 70.0f);
  const juce::File saved(juce::String((folder() / "saved.json").string()));
  window.desk().save(saved);
  expect(load_preset(saved.getFullPathName().toStdString()).parameters.at("amount") == 70.0f, "saving loses the knobs");
  expect(window.desk().name(Slot::a) == "saved", "what was saved is not what plays");
}

void equalisers_are_dropped_like_presets() {
  Opened opened;
  Window& window = *opened.window;
  const auto drop = [&](const juce::File& file) {
    window.filesDropped({file.getFullPathName()}, 0, 0);
    window.refresh();
  };
  const auto name = window.desk().name(Slot::a);
  drop(written("HD 650 ParametricEQ.txt", "Preamp: -3 dB\nFilter 1: ON PK Fc 1000 Hz Gain 3 dB Q 1\n"));
  expect(opened.processor.session().headphone_eq_name().has_value(), "an equaliser is not dropped");
  drop(written("broken.txt", "Filter 1: ON PK Fc here Gain 3 dB Q 1\n"));
  expect(window.desk().notice().contains("broken.txt"), "nothing is said of a broken equaliser");
  expect(opened.processor.session().headphone_eq_name().has_value(),
         "a broken equaliser takes the place of a good one");
  expect(window.desk().name(Slot::a) == name, "an equaliser takes the slot");
}

void a_full_folder_is_listed_as_far_as_it_goes() {
  const auto data = folder() / "data";
  const auto presets = data / "forestage" / "presets";
  std::filesystem::create_directories(presets / "deep");
  std::filesystem::create_directory_symlink(presets, presets / "deep" / "again");
  std::filesystem::create_directory_symlink("around", presets / "around");  // a link to itself
  std::ofstream(presets / "a huge one.json").put('{');
  std::filesystem::resize_file(presets / "a huge one.json", std::uintmax_t{1} << 30);  // nearly all of it nothing
  constexpr int files = 4999;
  for (int i = 0; i < files; ++i) std::ofstream(presets / ("p" + std::to_string(i) + ".json"));
  setenv("XDG_DATA_HOME", data.c_str(), 1);
  Opened opened;
  expect_quick("looking into a folder of 5000 files", [&] { opened.window->desk().reload(); });
  unsetenv("XDG_DATA_HOME");
  const auto list_now = opened.processor.presets();
  const auto& list = *list_now;
  expect(list.count() == PresetList::custom, "the list is not full");
  expect(list.unlisted() == static_cast<std::size_t>(files + 1 - (list.count() - list.factory_count())),
         "files are lost");
  const auto name = opened.window->desk().name(Slot::a);
  expect_quick("a file of a gigabyte", [&] { opened.window->desk().choose(list.factory_count()); });
  expect(opened.window->desk().notice().contains("1073741824"), opened.window->desk().notice().toStdString());
  opened.window->desk().choose(list.factory_count() + 1);
  expect(opened.window->desk().notice().isNotEmpty(), "an empty file is opened without a word");
  expect(opened.window->desk().name(Slot::a) == name, "an empty file takes the slot");
}

/// A state as hosts wrap it: header, the state, and a list of one chunk.
std::string wrapped(const std::string& state) {
  std::string bytes("VST3\1\0\0\0ABCDEF019182FAEB4672737446736731", 40);
  const auto put = [&bytes](std::size_t value) {
    for (std::size_t k = 0; k < 8; ++k) bytes += static_cast<char>((value >> (8 * k)) & 255U);
  };
  constexpr std::size_t header_bytes = 48;
  put(header_bytes + state.size());
  bytes += state + std::string("List\1\0\0\0Comp", 12);
  put(header_bytes);
  put(state.size());
  return bytes;
}

void presets_of_hosts_are_opened_with_their_knobs() {
  Opened from, to;
  from.window->desk().toggle_slot();
  from.window->desk().choose(4);
  from.window->desk().change(Param::amount, 55.0f);
  juce::MemoryBlock state;
  from.processor.getStateInformation(state);
  to.window->desk().open(
      written("hosts.vstpreset", wrapped({static_cast<const char*>(state.getData()), state.getSize()})));
  expect(to.window->desk().notice().isEmpty(), to.window->desk().notice().toStdString());
  expect(to.window->desk().name(Slot::a) == from.window->desk().name(Slot::b), "the preset that played is not opened");
  expect(to.window->desk().value(Param::amount) == 55.0f, "its knobs are not as they were");
}

/// Titles with their positions, folders in brackets.
std::string written_out(const std::vector<PresetNode>& nodes) {
  std::string text;
  for (const PresetNode& node : nodes)
    text += node.title + (node.nodes.empty() ? " " : "(" + written_out(node.nodes) + ") ");
  return text;
}

void the_menu_has_devices_variants_and_folders_and_looks_again() {
  const auto data = folder() / "menu";
  const auto presets = data / "forestage" / "presets";
  setenv("XDG_DATA_HOME", data.c_str(), 1);
  Opened opened;
  Desk& desk = opened.window->desk();
  const auto devices = written_out(presets_by_device(*opened.processor.presets()));
  for (const char* part : {"Laptop ", "Smart Speaker(Smart Speaker Close Free Field Up ) ", "TV(TV Close ) "})
    expect(devices.find(part) != std::string::npos, std::string("not in the menu: ") + part + ", but " + devices);
  std::vector<int> positions;
  const std::function<void(const std::vector<PresetNode>&)> gather = [&](const auto& nodes) {
    for (const PresetNode& node : nodes) {
      if (node.position >= 0) positions.push_back(node.position);
      gather(node.nodes);
    }
  };
  gather(presets_by_device(*opened.processor.presets()));
  std::ranges::sort(positions);
  for (int i = 0; i < opened.processor.presets()->factory_count(); ++i)
    expect(i < static_cast<int>(positions.size()) && positions[static_cast<std::size_t>(i)] == i,
           "a preset is missing");
  expect(opened.processor.presets()->count() == opened.processor.presets()->factory_count(), "presets from nowhere");

  std::filesystem::create_directories(presets / "car" / "front");
  Preset own = *desk.preset(Slot::a);
  const auto write = [&](const char* name, float amount) {
    own.name = name;
    own.parameters["amount"] = amount;
    std::ofstream(presets / (std::string(name) + ".json"), std::ios::binary) << write_preset(own);
  };
  for (const char* name : {"mine", "car/one", "car/front/two"}) write(name, 50.0f);
  desk.reload();
  const auto folders = written_out(presets_by_folder(*opened.processor.presets()));
  expect(folders == "car(front(two ) one ) mine ", "folders are shown as " + folders);
  const int mine = opened.processor.presets()->count() - 1;
  desk.choose(mine);
  expect(desk.value(Param::amount) == 50.0f && desk.name(Slot::a) == "mine", "a preset of the user's is not chosen");
  write("mine", 30.0f);
  desk.reload();
  expect(std::abs(desk.value(Param::amount) - 30.0f) < 1e-3f, "reloading does not read the file again");
  write("a", 20.0f);
  desk.reload();
  expect(opened.processor.position() == mine + 1, "a new file moves what plays to another name");

  std::filesystem::remove_all(presets);
  desk.reload();
  expect(opened.processor.presets()->problem().empty(), "a folder that is not there is a problem");
  std::ofstream(presets) << "no folder";
  desk.reload();
  expect(opened.processor.presets()->problem().find("is a file, not a folder") != std::string::npos, "not said");
  unsetenv("XDG_DATA_HOME");
}

void keys_do_what_they_say() {
  Opened opened;
  Window& window = *opened.window;
  Desk& desk = window.desk();
  window.keyPressed(juce::KeyPress('x'));
  expect(desk.slot() == Slot::b, "X does not toggle the slot");
  window.keyPressed(juce::KeyPress('z', juce::ModifierKeys::commandModifier, 0));
  expect(desk.slot() == Slot::a, "Ctrl+Z does not undo");
  for (int monitor = 0; monitor < 4; ++monitor) {
    window.keyPressed(juce::KeyPress('1' + monitor));
    expect(static_cast<int>(desk.value(Param::monitor)) == monitor, "a key does not choose its monitor");
  }
  window.keyPressed(juce::KeyPress('r'));
  expect(desk.value(Param::room) == 1.0f, "R does not open the room");
  expect(!window.keyPressed(juce::KeyPress(juce::KeyPress::spaceKey)), "the host's space bar is swallowed");
}

using Sound = std::vector<float>;

Sound play(Processor& processor, int blocks, const std::function<void(int)>& between) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> noise(-0.3f, 0.3f);
  juce::AudioBuffer<float> buffer(2, 256);
  juce::MidiBuffer midi;
  Sound heard;
  for (int block = 0; block < blocks; ++block) {
    between(block);
    for (int n = 0; n < 256; ++n) {
      for (int c = 0; c < 2; ++c) buffer.setSample(c, n, noise(random));
    }
    processor.processBlock(buffer, midi);
    heard.insert(heard.end(), buffer.getReadPointer(0), buffer.getReadPointer(0) + 256);
  }
  return heard;
}

void the_spectrum_is_that_of_what_plays() {
  Opened opened;
  CurvesView& curves = opened.window->curves();
  opened.window->desk().change(Param::bypass, 1.0f);
  juce::AudioBuffer<float> buffer(2, 256);
  juce::MidiBuffer midi;
  int frame = 0;
  const auto play_tone = [&](int blocks, float amplitude) {
    for (int block = 0; block < blocks; ++block) {
      for (int n = 0; n < 256; ++n, ++frame) {
        const auto turn = juce::MathConstants<double>::twoPi * 1000.0 * frame / 48000.0;
        for (int c = 0; c < 2; ++c) buffer.setSample(c, n, amplitude * static_cast<float>(std::sin(turn)));
      }
      opened.processor.processBlock(buffer, midi);
    }
  };
  const auto look = [&] {
    for (int i = 0; i < 2; ++i) curves.refresh();
    return curves.spectrum_db();
  };
  play_tone(100, 0.1f);
  expect(look().empty(), "a spectrum that nobody asked for");
  curves.show_spectrum(true);
  look();
  play_tone(100, 0.1f);
  const auto levels_db = look();
  const auto loudest = std::ranges::max_element(levels_db);
  const double expected_db = -20.0 + 10.0 * std::log10(2.0) + opened.processor.session().measured(Param::gain_db);
  expect(loudest - levels_db.begin() == 26, "a tone of 1 kHz is not in the band at 1008 Hz");
  expect(!levels_db.empty() && std::abs(*loudest - expected_db) < 0.1,
         "a tone of " + std::to_string(expected_db) + " dB is shown at " + std::to_string(*loudest));
  for (std::size_t band = 0; band < levels_db.size(); ++band) {
    const bool is_far = std::abs(static_cast<int>(band) - 26) > 2;
    expect(!is_far || levels_db[band] < expected_db - 60.0, "a tone is all over the spectrum");
  }
  const auto held = look();  // nothing plays any more
  expect(held[26] < levels_db[26] - 1.0, "the spectrum stands still without sound");
  opened.window->createComponentSnapshot(opened.window->getLocalBounds());
  curves.show_spectrum(false);
  expect(look().empty(), "the spectrum stays");
}

/// By EBU Tech 3341: a tone of 1 kHz in both channels has the loudness of its level.
void loudness_is_that_of_what_plays() {
  Opened opened;
  LevelTap& levels = opened.processor.levels();
  const auto play_tone = [&](float amplitude, double seconds) {
    juce::AudioBuffer<float> buffer(2, 256);
    juce::MidiBuffer midi;
    for (int frame = 0; frame < seconds * 48000.0; frame += 256) {
      for (int n = 0; n < 256; ++n) {
        const double turn = juce::MathConstants<double>::twoPi * 1000.0 * (frame + n) / 48000.0;
        for (int c = 0; c < 2; ++c) buffer.setSample(c, n, amplitude * static_cast<float>(std::sin(turn)));
      }
      opened.processor.processBlock(buffer, midi);
    }
    opened.window->refresh();
  };
  const auto expect_lufs = [](float heard, double expected, const std::string& what) {
    expect(std::abs(heard - expected) < 0.1,
           what + " is " + std::to_string(heard) + " LUFS, not " + std::to_string(expected));
  };
  opened.window->desk().change(Param::bypass, 1.0f);
  play_tone(0.1f, 4.0);
  const double gain_db = opened.processor.session().measured(Param::gain_db);
  expect_lufs(levels.input_loudness().short_term, -20.0, "the input");
  expect_lufs(levels.ears_loudness().short_term, -20.0 + gain_db, "what is heard");
  play_tone(0.05f, 4.0);
  expect_lufs(levels.input_loudness().short_term, -26.0, "the last three seconds");
  expect_lufs(levels.input_loudness().integrated, 10.0 * std::log10(0.5 * (0.01 + 0.0025)), "all");
  juce::Component* meters = nullptr;
  for (auto* part : parts_of(*opened.window))
    if (part->getTitle() == "Levels") meters = part;
  expect(meters->getDescription().contains("in: -26.0, all -22."), meters->getDescription().toStdString());
  levels.forget();
  play_tone(0.05f, 4.0);
  expect_lufs(levels.input_loudness().integrated, -26.0, "all since it was forgotten");
  opened.window->desk().change(Param::monitor, 0.0f);  // two outputs are too few for feeds: ears play on
  play_tone(0.05f, 1.0);
  expect(std::isfinite(levels.ears_loudness().short_term), "a preview is not heard");
  opened.window = nullptr;
  expect(!std::isfinite(levels.input_loudness().short_term), "it is measured with nobody looking");
}

void a_window_changes_no_sound() {
  Opened with, without;
  without.window = nullptr;
  const Sound usual = play(without.processor, 60, [](int) {});
  const Sound watched = play(with.processor, 60, [&](int block) {
    if (block % 10 == 5) with.window = nullptr;
    if (block % 10 == 9) {
      with.window = std::make_unique<Window>(with.processor);
      with.window->curves().show_spectrum(true);
    }
    if (with.window) with.window->refresh();
  });
  expect(usual == watched, "opening and closing the window changes the sound");
}

void nothing_keeps_the_window_waiting() {
  Opened opened;
  Window& window = *opened.window;
  juce::AudioBuffer<float> buffer(2, 256);
  juce::MidiBuffer midi;
  const auto list = opened.processor.presets();
  for (int position = 0; position < list->factory_count(); ++position) {
    expect_quick("choosing " + list->name(position), [&] { window.desk().choose(position); });
    expect_quick("drawing " + list->name(position), [&] { window.refresh(); });
    opened.processor.processBlock(buffer, midi);
  }
  for (int tab = 0; tab < CurvesView::tab_count; ++tab) {
    window.curves().show(static_cast<CurvesView::Tab>(tab));
    window.curves().show_other(true);
    expect_quick("showing a tab", [&] { window.refresh(); });
    expect_quick("painting a tab", [&] { window.createComponentSnapshot(window.getLocalBounds()); });
  }
  expect_quick("swapping", [&] { window.desk().swap(); });
  expect_quick("undoing", [&] { window.desk().undo(); });
  expect_quick("saving", [&] { window.desk().save(juce::File(juce::String((folder() / "quick.json").string()))); });
  opened.window = nullptr;
  expect_quick("opening the window", [&] { opened.window = std::make_unique<Window>(opened.processor); });
}

/// Notes what of the window is to be drawn anew.
struct Noted final : juce::CachedComponentImage {
  void paint(juce::Graphics&) override {}
  bool invalidateAll() override { return invalidate({layout::width, layout::height}); }
  bool invalidate(const juce::Rectangle<int>& area) override {
    anew.add(area);
    return false;
  }
  void releaseResources() override {}
  juce::RectangleList<int> anew;
};

void only_what_moves_is_drawn() {
  Opened opened;
  Window& window = *opened.window;
  auto cache = std::make_unique<Noted>();
  auto& anew = cache->anew;
  window.setVisible(true);
  window.setSize(layout::width, layout::height);
  window.curves().show(CurvesView::separation);
  window.setCachedComponentImage(cache.release());  // the window's
  const auto look = [&](const std::function<void()>& act) {
    anew.clear();
    act();
    for (int i = 0; i < 2; ++i) window.refresh();  // curves are looked at every other time
  };
  look([&] { window.desk().change(Param::stage_width_deg, 40.0f); });  // marks the slot's tab
  look([] {});
  expect(anew.isEmpty(), "nothing moves, and something is drawn");
  look([&] { window.desk().change(Param::stage_width_deg, 50.0f); });
  const auto [left, top] = layout::curves.getTopLeft();
  for (const auto& [area, moves, what] :
       {std::tuple{layout::Area(left + 60, top + 60, 380, 150), true, "curves"},
        std::tuple{layout::Area(layout::stage.getX() + 60, layout::stage.getY() + 40, 150, 200), true, "stage"},
        std::tuple{layout::curves.withHeight(32), false, "tabs of curves"},
        std::tuple{layout::curves.withTop(layout::curves.getBottom() - 40), false, "names of curves"},
        std::tuple{layout::stage.withHeight(24), false, "title of the stage"},
        std::tuple{layout::preset_bar, false, "presets"}, std::tuple{layout::meters, false, "meters"}}) {
    expect(moves ? anew.containsRectangle(area) : !anew.intersectsRectangle(area),
           std::string(what) + (moves ? " do not follow a knob" : " are drawn though they stay"));
  }
  look([&] { play(opened.processor, 8, [](int) {}); });
  expect(!anew.isEmpty() && layout::meters.contains(anew.getBounds()), "sound moves more than the meters");
}

void every_scale_of_a_screen_is_drawn() {
  Processor processor;
  for (const float scale : {0.5f, 1.0f, 3.0f}) {
    Editor editor(processor, processor);
    editor.setSize(layout::width, layout::height);
    editor.setScaleFactor(scale);
    juce::Component screen;
    screen.addAndMakeVisible(editor);
    const auto seen = screen.getLocalArea(&editor, editor.getLocalBounds());
    expect(seen.getWidth() == juce::roundToInt(scale * layout::width), "a window has not the scale of its screen");
    screen.setBounds(seen.withZeroOrigin());
    const auto picture = screen.createComponentSnapshot(screen.getLocalBounds());
    std::set<juce::uint32> colours;
    for (int x = 0; x < picture.getWidth(); x += 7)
      for (int y = 0; y < picture.getHeight(); y += 7) colours.insert(picture.getPixelAt(x, y).getARGB());
    expect(colours.size() > 20, "a window is not drawn at a scale of " + std::to_string(scale));
  }
}

/// From control to control, as Tab goes: everything in reading order of the window's parts, and around once.
void tab_reaches_every_control_once() {
  Opened opened;
  std::vector<juce::Component*> reached;
  auto traverser = opened.window->createKeyboardFocusTraverser();
  for (auto* part : traverser->getAllComponents(opened.window.get())) reached.push_back(part);
  std::set<juce::Component*> different(reached.begin(), reached.end());
  expect(different.size() == reached.size(), "Tab comes to a control twice");
  for (auto* part : parts_of(*opened.window)) {
    const bool is_control = dynamic_cast<juce::Button*>(part) != nullptr ||
                            dynamic_cast<juce::Slider*>(part) != nullptr ||
                            dynamic_cast<juce::ComboBox*>(part) != nullptr;
    bool is_seen = part->isEnabled();
    for (auto* up = part; up != opened.window.get(); up = up->getParentComponent())
      is_seen = is_seen && up->isVisible();
    if (is_control && is_seen)
      expect(different.contains(part), part->getTitle().toStdString() + " is not reached by Tab");
  }
}

void sizes_are_what_they_may_be() {
  Processor processor;
  const auto open = [&] { return std::make_unique<Editor>(processor, processor); };
  auto editor = open();
  for (const auto& [width, height] : {std::pair{10, 10}, std::pair{8000, 8000}, std::pair{1470, 960}}) {
    editor->setBoundsConstrained({0, 0, width, height});
    const double ratio = static_cast<double>(editor->getWidth()) / editor->getHeight();
    expect(std::abs(ratio - static_cast<double>(layout::width) / layout::height) < 0.01, "the aspect is not kept");
    expect(editor->getWidth() >= 735 && editor->getWidth() <= 1960, "a size out of range");
    expect(editor->window().getBounds() == editor->getLocalBounds(), "the window does not fill the editor");
  }
  editor->setBoundsConstrained({0, 0, 1225, 800});
  editor = nullptr;
  editor = open();
  expect(editor->getWidth() == 1225, "the size is not remembered");
  editor->setBoundsConstrained({0, 0, layout::width, layout::height});
}

void settings_lie_where_those_of_others_lie() {
  const auto place = folder() / "config" / "forestage" / "window.settings";
  setenv("XDG_CONFIG_HOME", (folder() / "config").c_str(), 1);
  {
    Opened opened;
    opened.window->curves().show(CurvesView::zone);
  }
  expect(std::filesystem::is_regular_file(place), "no settings in " + place.string());
  Opened again;
  expect(again.window->curves().shown() == CurvesView::zone, "the tab is forgotten");
  again.window = nullptr;
  unsetenv("XDG_CONFIG_HOME");
}

void anything_at_random_while_audio_runs() {
  Opened opened;
  std::atomic<bool> is_over{false};
  std::thread audio([&] {
    while (!is_over) play(opened.processor, 10, [](int) {});
  });
  std::mt19937 random(11);
  const auto below = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
  for (int i = 0; i < 200; ++i) {
    if (opened.window == nullptr) opened.window = std::make_unique<Window>(opened.processor);
    Desk& desk = opened.window->desk();
    const std::vector<std::function<void()>> actions{
        [&] { desk.choose(below(6)); },
        [&] { desk.toggle_slot(); },
        [&] { desk.copy_to_other(); },
        [&] { desk.swap(); },
        [&] { desk.undo(); },
        [&] { desk.redo(); },
        [&] { desk.change(Param::stage_width_deg, static_cast<float>(below(90))); },
        [&] { desk.change(Param::monitor, static_cast<float>(below(4))); },
        [&] { opened.window->curves().show(static_cast<CurvesView::Tab>(below(CurvesView::tab_count))); },
        [&] { opened.window->curves().show_other(below(2) == 0); },
        [&] { opened.window->curves().show_spectrum(below(2) == 0); },
        [&] { desk.reload(); },
        [&] { opened.window->setSize(735 + below(1000), 480 + below(700)); },
        [&] { opened.window->set_light(below(2) == 0); },
        [&] { desk.open(juce::File("/nonexistent/file.json")); },
    };
    actions[static_cast<std::size_t>(below(static_cast<int>(actions.size())))]();
    opened.window->refresh();
    if (i % 10 == 0) opened.window->createComponentSnapshot(opened.window->getLocalBounds());
    if (i % 17 == 16) opened.window = nullptr;
  }
  is_over = true;
  audio.join();
}

}  // namespace

/// How many things are not as they should be.
int check_all() {
  sample_rate_and_latency_are_those_that_play();
  every_parameter_has_a_control();
  every_control_has_a_title();
  values_have_the_colours_of_the_window_from_the_start();
  text_stands_out();
  tabs_follow_slots_and_states();
  undo_takes_back_what_was_done_here_and_nothing_else();
  a_loudspeaker_can_be_dragged();
  curves_are_those_of_the_design_and_follow_the_knobs();
  beams_follow_the_knobs();
  places_are_those_of_the_device();
  files_are_opened_or_refused_with_a_reason();
  equalisers_are_dropped_like_presets();
  a_full_folder_is_listed_as_far_as_it_goes();
  presets_of_hosts_are_opened_with_their_knobs();
  the_menu_has_devices_variants_and_folders_and_looks_again();
  keys_do_what_they_say();
  blind_trials_cover_all_that_would_tell_and_go_by_keys();
  the_spectrum_is_that_of_what_plays();
  loudness_is_that_of_what_plays();
  a_window_changes_no_sound();
  nothing_keeps_the_window_waiting();
  only_what_moves_is_drawn();
  every_scale_of_a_screen_is_drawn();
  tab_reaches_every_control_once();
  sizes_are_what_they_may_be();
  settings_lie_where_those_of_others_lie();
  anything_at_random_while_audio_runs();
  std::filesystem::remove_all(folder());
  return failures;
}

}  // namespace forestage::plugin

int main() {
  const juce::ScopedJuceInitialiser_GUI gui;
  if (forestage::plugin::check_all() != 0) return 1;
  std::cout << "all is as it should be\n";
  return 0;
}
