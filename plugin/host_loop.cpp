#include "host_loop.hpp"

// JUCE keeps what follows for its own clients; the headers of X11 that come with it define common words away.
#define JUCE_GUI_BASICS_INCLUDE_XHEADERS 1
// clang-format off
#include <juce_gui_basics/juce_gui_basics.h>
#include <juce_audio_plugin_client/utility/juce_LinuxMessageThread.h>
// clang-format on

namespace forestage::plugin {

struct HostLoop::Juce {
  juce::ScopedJuceInitialiser_GUI is_there;
  juce::SharedResourcePointer<juce::HostDrivenEventLoop> loop;
};

HostLoop::HostLoop() : juce_(std::make_unique<Juce>()) {}

HostLoop::~HostLoop() = default;

void HostLoop::handle_pending() { juce_->loop->processPendingEvents(); }

}  // namespace forestage::plugin
