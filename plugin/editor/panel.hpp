// A part of the window that shows what the plugin does: asked to look again thirty times a second, it repaints what is
// new and nothing else.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include "desk.hpp"
#include "theme.hpp"

namespace forestage::plugin {

class Panel : public juce::Component {
 public:
  explicit Panel(Desk& desk) : desk_(desk) { setFocusContainerType(FocusContainerType::focusContainer); }
  virtual void refresh() = 0;

 protected:
  const Palette& palette() const { return palette_of(*this); }

  Desk& desk_;
};

/// One with a frame on the background, all of which it draws, so that nothing below is drawn.
class FramedPanel : public Panel {
 public:
  explicit FramedPanel(Desk& desk) : Panel(desk) { setOpaque(true); }
  void paint(juce::Graphics& graphics) final {
    draw_panel(graphics, getLocalBounds(), palette());
    draw(graphics);
  }

 protected:
  virtual void draw(juce::Graphics&) {}
};

/// Once a file chooser has gone: not every X server tells what it had covered.
inline void draw_again_soon(juce::Component& part) {
  constexpr int until_it_has_gone_ms = 200;
  juce::Timer::callAfterDelay(until_it_has_gone_ms,
                              [window = juce::Component::SafePointer<juce::Component>(part.getTopLevelComponent())] {
                                if (window != nullptr) window->repaint();
                              });
}

/// Says which parameter a control is for, to whoever looks for it.
inline void mark(juce::Component& control, Param id) {
  control.getProperties().set("parameter", juce::String(param_id(spec(id))));
}

/// A button that says what it does to eyes, pointers and screen readers.
class Action final : public juce::TextButton {
 public:
  Action(const juce::String& label, const juce::String& what_it_does, std::function<void()> action)
      : juce::TextButton(label) {
    setTitle(what_it_does.upToFirstOccurrenceOf(".", false, false));
    setTooltip(what_it_does);
    onClick = std::move(action);
  }
};

}  // namespace forestage::plugin
