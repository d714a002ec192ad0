// Tells a VST3 host of changes at once, on the thread the host called us on, when JUCE does not.
//
// JUCE sends such notices from its message loop. On Linux, without an editor, that loop is a thread of the plugin's
// own, so they come late or, in a host that runs no loop itself (pedalboard), never. Hosts made with JUCE also forget
// output parameters. All calls: [main, inside a call of the host's]; no-ops outside VST3, and where JUCE sends the
// notice itself.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <atomic>
#include <cstdint>

#include "vst3_controller.hpp"

namespace forestage::plugin {

class Vst3Host : public juce::VST3ClientExtensions, public Vst3Values {
 public:
  /// As JUCE's VST3 client makes it: the hash of the id, without its sign.
  static Steinberg::Vst::ParamID vst3_id_of(const juce::AudioProcessorParameter& parameter);

  void setIComponentHandler(Steinberg::FUnknown* handler) override { handler_ = handler; }
  void follow_handler(Steinberg::FUnknown* handler) override { handler_ = handler; }
  std::int32_t queryIEditController(const Steinberg::TUID wanted, void** object) override;

 protected:
  void announce_latency() const;
  void announce(const juce::AudioProcessorParameter& parameter) const;
  /// The host is to read all values again, also from the message thread: JUCE has no notice of values that follow.
  void announce_values() const;

 private:
  static bool juce_announces();
  template <class Call>
  void with_handler(Call&& call) const;

  std::atomic<Steinberg::FUnknown*> handler_{nullptr};  // the host's; read by the timer, too
};

}  // namespace forestage::plugin
