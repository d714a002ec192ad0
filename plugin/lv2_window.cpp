// The window of the LV2 plugins: an X11 window in the host's process, which the host's own loop keeps alive. JUCE is
// there for as long as a window is open, and not where none is.
#include <juce_gui_basics/juce_gui_basics.h>
#include <lv2/core/lv2_util.h>
#include <lv2/instance-access/instance-access.h>
#include <lv2/options/options.h>
#include <lv2/ui/ui.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "editor/window.hpp"
#include "host_loop.hpp"
#include "lv2_plugin.hpp"

namespace forestage::plugin {
namespace {

/// What the host offers to a window.
struct Host {
  LV2UI_Write_Function write;
  LV2UI_Controller controller;
  const LV2UI_Touch* touch;
  const LV2UI_Resize* resize;
  void* parent;
  double scale;  // of its screen
};

/// Values go to the plugin at once, and to the host's ports, so that it shows and keeps them.
class Lv2Model final : public PluginModel {
 public:
  Lv2Model(Lv2Plugin& plugin, const Host& host) : plugin_(plugin), host_(host) {}

  float value(Param id) const override { return plugin_.shown(id); }
  void begin(Param id) override { touch(id, true); }
  void set(Param id, float plain) override {
    plugin_.set_shown(id, plain);
    write(port(id), plain);
  }
  void end(Param id) override { touch(id, false); }

  const Session& session() const override { return plugin_.session(); }
  std::shared_ptr<const PresetList> presets() const override { return plugin_.presets(); }
  void reload_presets() override {
    plugin_.reload_presets();
    show_position();
  }
  int position() const override {
    const auto contents = session().contents();
    const auto slot = static_cast<std::size_t>(value(Param::slot));
    const auto playing = contents.presets[slot] != nullptr ? slot : 1 - slot;  // an empty slot plays the other
    const auto& chosen = contents.chosen[playing];
    return contents.presets[playing] != nullptr
               ? presets()->position_of(contents.presets[playing], chosen ? chosen->name : "")
               : PresetList::custom;
  }
  void load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen) override {
    plugin_.load(slot, std::move(preset), std::move(chosen));
    for (std::size_t i = 0; i < param_count; ++i)
      if (params[i].in_preset) write(plugin_.ports().param(i), value(static_cast<Param>(i)));
    show_position();
  }
  void put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen) override {
    plugin_.put_back(presets, chosen);
    show_position();
  }
  void set_headphone_eq(std::optional<HeadphoneEq> eq) override { plugin_.set_headphone_eq(std::move(eq)); }

  LevelTap& levels() override { return plugin_.levels(); }
  SoundTap& sound() override { return plugin_.sound(); }
  double sample_rate() const override { return session().engine()->spec().sample_rate; }
  int latency_frames() const override {
    const auto quality = static_cast<UpmixQuality>(static_cast<int>(value(Param::upmix_quality)));
    return session().latency_frames(quality, sample_rate());
  }
  int output_channels() const override { return plugin_.ports().outputs; }

 private:
  int port(Param id) const { return plugin_.ports().param(static_cast<std::size_t>(id)); }
  void write(int port, float value) const {
    host_.write(host_.controller, static_cast<std::uint32_t>(port), sizeof value, 0, &value);
  }
  void touch(Param id, bool is_held) const {
    if (host_.touch != nullptr) host_.touch->touch(host_.touch->handle, static_cast<std::uint32_t>(port(id)), is_held);
  }
  void show_position() const {
    const int now = position();
    plugin_.expect_preset_port(now);
    write(plugin_.ports().preset(), static_cast<float>(now));
  }

  Lv2Plugin& plugin_;
  Host host_;
};

/// The window with a corner to drag, in the host's.
class Frame final : public juce::Component {
 public:
  Frame(PluginModel& model, const Host& host) : host_(host), window_(model), corner_(this, &constrainer_) {
    constrain(constrainer_);
    constrainer_.setSizeLimits(scaled(constrainer_.getMinimumWidth()), scaled(constrainer_.getMinimumHeight()),
                               scaled(constrainer_.getMaximumWidth()), scaled(constrainer_.getMaximumHeight()));
    addAndMakeVisible(window_);
    addAndMakeVisible(corner_);
    corner_.setAlwaysOnTop(true);
    const auto size = window_.usual_size();
    setSize(scaled(size.x), scaled(size.y));
    setOpaque(true);
    addToDesktop(0, host.parent);
    setVisible(true);
  }

  /// The host has made its window so large: as much of it as keeps the aspect.
  void fit(int width, int height) {
    const juce::ScopedValueSetter<bool> by_host(is_resized_by_host_, true);
    const double ratio = constrainer_.getFixedAspectRatio();
    const int fitting = std::min(width, juce::roundToInt(ratio * height));
    const int wide = std::clamp(fitting, constrainer_.getMinimumWidth(), constrainer_.getMaximumWidth());
    setSize(wide, juce::roundToInt(wide / ratio));
  }

  void resized() override {
    window_.setBounds(getLocalBounds());
    corner_.setBounds(getLocalBounds().removeFromBottom(corner_size).removeFromRight(corner_size));
    if (host_.resize != nullptr && !is_resized_by_host_)
      host_.resize->ui_resize(host_.resize->handle, getWidth(), getHeight());
  }

 private:
  static constexpr int corner_size = 18;

  int scaled(int length) const { return juce::roundToInt(host_.scale * length); }

  Host host_;
  Window window_;
  juce::ComponentBoundsConstrainer constrainer_;
  juce::ResizableCornerComponent corner_;
  bool is_resized_by_host_ = false;
};

class Lv2Window {
 public:
  Lv2Window(Lv2Plugin& plugin, const Host& host) : plugin_(plugin), model_(plugin, host), frame_(model_, host) {}

  void* handle() { return frame_.getWindowHandle(); }
  void fit(int width, int height) { frame_.fit(width, height); }
  void idle() {
    plugin_.note_blind();
    loop_.handle_pending();
  }

 private:
  HostLoop loop_;  // the first one: the others need it
  Lv2Plugin& plugin_;
  Lv2Model model_;
  Frame frame_;
};

Lv2Window& window(LV2UI_Handle handle) { return *static_cast<Lv2Window*>(handle); }

double scale_of(const LV2_Feature* const* features) {
  const auto* map = static_cast<const LV2_URID_Map*>(lv2_features_data(features, LV2_URID__map));
  const auto* option = static_cast<const LV2_Options_Option*>(lv2_features_data(features, LV2_OPTIONS__options));
  if (map == nullptr || option == nullptr) return 1.0;
  const LV2_URID key = map->map(map->handle, LV2_UI__scaleFactor);
  for (; option->key != 0; ++option) {
    if (option->key != key || option->size != sizeof(float)) continue;
    const float scale = *static_cast<const float*>(option->value);
    return scale >= 0.5f && scale <= 4.0f ? static_cast<double>(scale) : 1.0;
  }
  return 1.0;
}

LV2UI_Handle open(const LV2UI_Descriptor*, const char*, const char*, LV2UI_Write_Function write,
                  LV2UI_Controller controller, LV2UI_Widget* widget, const LV2_Feature* const* features) {
  const auto data = [features](const char* uri) { return lv2_features_data(features, uri); };
  auto* plugin = static_cast<Lv2Plugin*>(data(LV2_INSTANCE_ACCESS_URI));
  const Host host{write,
                  controller,
                  static_cast<const LV2UI_Touch*>(data(LV2_UI__touch)),
                  static_cast<const LV2UI_Resize*>(data(LV2_UI__resize)),
                  data(LV2_UI__parent),
                  scale_of(features)};
  if (plugin == nullptr || host.parent == nullptr) {
    std::fprintf(stderr,
                 "Forestage: the window needs the plugin in the same process, and a place in the host's window\n");
    return nullptr;
  }
  auto opened = std::make_unique<Lv2Window>(*plugin, host);
  *widget = opened->handle();
  return opened.release();
}

const void* extension_data(const char* uri) {
  static const LV2UI_Idle_Interface idle{[](LV2UI_Handle handle) {
    window(handle).idle();
    return 0;
  }};
  static const LV2UI_Resize resize{nullptr, [](LV2UI_Feature_Handle handle, int width, int height) {
                                     window(handle).fit(width, height);
                                     return 0;
                                   }};
  if (std::strcmp(uri, LV2_UI__idleInterface) == 0) return &idle;
  return std::strcmp(uri, LV2_UI__resize) == 0 ? &resize : nullptr;
}

}  // namespace
}  // namespace forestage::plugin

LV2_SYMBOL_EXPORT const LV2UI_Descriptor* lv2ui_descriptor(std::uint32_t index) {
  using namespace forestage::plugin;
  // What the host's ports hold is asked of the plugin, so that events of ports say nothing new.
  static const LV2UI_Descriptor descriptor{
      lv2_window_uri, open, [](LV2UI_Handle handle) { delete &window(handle); },
      [](LV2UI_Handle, std::uint32_t, std::uint32_t, std::uint32_t, const void*) {}, extension_data};
  return index == 0 ? &descriptor : nullptr;
}
