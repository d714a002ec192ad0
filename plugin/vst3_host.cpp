#include "vst3_host.hpp"

#include <juce_events/juce_events.h>

JUCE_BEGIN_IGNORE_WARNINGS_GCC_LIKE("-Wshadow")
#include <pluginterfaces/vst/ivsteditcontroller.h>
JUCE_END_IGNORE_WARNINGS_GCC_LIKE

namespace forestage::plugin {
namespace {

// As JUCE's VST3 client makes it: the hash of the id, without its sign.
Steinberg::Vst::ParamID vst3_id_of(const juce::AudioProcessorParameterWithID& parameter) {
  return static_cast<Steinberg::Vst::ParamID>(parameter.getParameterID().hashCode()) & 0x7fffffffu;
}

}  // namespace

template <class Call>
void Vst3Host::with_handler(Call&& call) const {
  using Steinberg::Vst::IComponentHandler;
  if (handler_ == nullptr || juce::MessageManager::getInstance()->isThisTheMessageThread()) return;
  void* found = nullptr;
  if (handler_->queryInterface(Steinberg::Vst::IComponentHandler_iid, &found) != Steinberg::kResultOk) return;
  auto* handler = static_cast<IComponentHandler*>(found);
  call(*handler);
  handler->release();
}

void Vst3Host::announce_latency() const {
  with_handler([](auto& handler) { handler.restartComponent(Steinberg::Vst::kLatencyChanged); });
}

void Vst3Host::announce(const juce::AudioProcessorParameter& parameter) const {
  const auto* with_id = dynamic_cast<const juce::AudioProcessorParameterWithID*>(&parameter);
  if (with_id == nullptr) return;
  const auto id = vst3_id_of(*with_id);
  with_handler([&](auto& handler) {
    handler.beginEdit(id);
    handler.performEdit(id, parameter.getValue());
    handler.endEdit(id);
  });
}

}  // namespace forestage::plugin
