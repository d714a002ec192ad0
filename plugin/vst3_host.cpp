#include "vst3_host.hpp"

#include <juce_events/juce_events.h>

JUCE_BEGIN_IGNORE_WARNINGS_GCC_LIKE("-Wshadow")
#include <pluginterfaces/vst/ivsteditcontroller.h>
JUCE_END_IGNORE_WARNINGS_GCC_LIKE

namespace forestage::plugin {

std::int32_t Vst3Host::queryIEditController(const Steinberg::TUID wanted, void** object) {
  if (!Steinberg::FUnknownPrivate::iidEqual(wanted, Vst3Values::iid)) {
    *object = nullptr;
    return Steinberg::kNoInterface;
  }
  *object = static_cast<Vst3Values*>(this);  // no reference is counted: the controller asks anew for each use
  return Steinberg::kResultOk;
}

Steinberg::Vst::ParamID Vst3Host::vst3_id_of(const juce::AudioProcessorParameter& parameter) {
  const auto& with_id = dynamic_cast<const juce::HostedAudioProcessorParameter&>(parameter);
  return static_cast<Steinberg::Vst::ParamID>(with_id.getParameterID().hashCode()) & 0x7fffffffu;
}

template <class Call>
void Vst3Host::with_handler(Call&& call) const {
  using Steinberg::Vst::IComponentHandler;
  auto* const host = handler_.load();
  if (host == nullptr) return;
  void* found = nullptr;
  if (host->queryInterface(Steinberg::Vst::IComponentHandler_iid, &found) != Steinberg::kResultOk) return;
  auto* handler = static_cast<IComponentHandler*>(found);
  call(*handler);
  handler->release();
}

bool Vst3Host::juce_announces() { return juce::MessageManager::getInstance()->isThisTheMessageThread(); }

void Vst3Host::announce_latency() const {
  if (juce_announces()) return;
  with_handler([](auto& handler) { handler.restartComponent(Steinberg::Vst::kLatencyChanged); });
}

void Vst3Host::announce(const juce::AudioProcessorParameter& parameter) const {
  if (juce_announces()) return;
  const auto id = vst3_id_of(parameter);
  with_handler([&](auto& handler) {
    handler.beginEdit(id);
    handler.performEdit(id, parameter.getValue());
    handler.endEdit(id);
  });
}

void Vst3Host::announce_values() const {
  with_handler([](auto& handler) { handler.restartComponent(Steinberg::Vst::kParamValuesChanged); });
}

}  // namespace forestage::plugin
