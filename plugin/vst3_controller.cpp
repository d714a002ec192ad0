#include "vst3_controller.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

JUCE_BEGIN_IGNORE_WARNINGS_GCC_LIKE("-Wshadow")
#include <pluginterfaces/base/ipluginbase.h>
#include <pluginterfaces/base/smartpointer.h>
JUCE_END_IGNORE_WARNINGS_GCC_LIKE

// The build renames the entry of JUCE's VST3 client (plugin/CMakeLists.txt), so that this file exports its own.
#undef GetPluginFactory
extern "C" Steinberg::IPluginFactory* PLUGIN_API forestage_juce_factory();

namespace forestage::plugin {
namespace {

using namespace Steinberg;
using namespace Steinberg::Vst;

bool is(const TUID wanted, const TUID other) { return FUnknownPrivate::iidEqual(wanted, other); }

/// Counts references. Interfaces that `Derived::own` does not give are those of the object behind.
template <class Derived, class Interface>
class Front : public Interface {
 public:
  explicit Front(Interface* behind) : behind_(behind, false) {}
  virtual ~Front() = default;
  Front(const Front&) = delete;
  Front& operator=(const Front&) = delete;

  tresult PLUGIN_API queryInterface(const TUID wanted, void** object) override {
    if (!Derived::is_own(wanted)) return behind_->queryInterface(wanted, object);
    addRef();
    *object = static_cast<Interface*>(this);
    return kResultOk;
  }
  uint32 PLUGIN_API addRef() override { return ++references_; }
  uint32 PLUGIN_API release() override {
    const uint32 left = --references_;
    if (left == 0) delete this;
    return left;
  }

 protected:
  IPtr<Interface> behind_;

 private:
  std::atomic<uint32> references_{1};
};

class Vst3Controller final : public Front<Vst3Controller, IEditController> {
 public:
  using Front::Front;
  static bool is_own(const TUID wanted) {
    return is(wanted, IEditController_iid) || is(wanted, IPluginBase_iid) || is(wanted, FUnknown_iid);
  }

  ParamValue PLUGIN_API getParamNormalized(ParamID id) override {
    if (auto* plugin = id == vst3_program_id ? values() : nullptr) plugin->note_program_shown();
    return held(id);
  }

  tresult PLUGIN_API setParamNormalized(ParamID id, ParamValue value) override {
    const auto program = held(vst3_program_id);
    const auto result = std::isnan(value) ? kInvalidArgument : behind_->setParamNormalized(id, snapped(id, value));
    if (!is_same(held(id), value)) tell_host(id);
    if (id != vst3_program_id && !is_same(held(vst3_program_id), program)) tell_host(vst3_program_id);
    return result;
  }

  tresult PLUGIN_API setComponentHandler(IComponentHandler* handler) override {
    handler_ = handler;
    if (auto* plugin = values()) plugin->follow_handler(handler);
    return behind_->setComponentHandler(handler);
  }
  tresult PLUGIN_API terminate() override {
    handler_ = nullptr;
    if (auto* plugin = values()) plugin->follow_handler(nullptr);
    return behind_->terminate();
  }

  tresult PLUGIN_API initialize(FUnknown* context) override { return behind_->initialize(context); }
  tresult PLUGIN_API setComponentState(IBStream* state) override { return behind_->setComponentState(state); }
  tresult PLUGIN_API setState(IBStream* state) override { return behind_->setState(state); }
  tresult PLUGIN_API getState(IBStream* state) override { return behind_->getState(state); }
  int32 PLUGIN_API getParameterCount() override { return behind_->getParameterCount(); }
  tresult PLUGIN_API getParameterInfo(int32 index, ParameterInfo& info) override {
    const auto result = behind_->getParameterInfo(index, info);
    if (result != kResultOk || info.id != vst3_program_id) return result;
    for (auto* title : {info.title, info.shortTitle}) std::copy_n(u"Preset", 7, title);  // JUCE says "Program"
    return result;
  }
  tresult PLUGIN_API getParamStringByValue(ParamID id, ParamValue value, String128 text) override {
    return behind_->getParamStringByValue(id, usable(id, value), text);
  }
  tresult PLUGIN_API getParamValueByString(ParamID id, TChar* text, ParamValue& value) override {
    return behind_->getParamValueByString(id, text, value);
  }
  ParamValue PLUGIN_API normalizedParamToPlain(ParamID id, ParamValue value) override {
    return behind_->normalizedParamToPlain(id, usable(id, value));
  }
  ParamValue PLUGIN_API plainParamToNormalized(ParamID id, ParamValue value) override {
    return behind_->plainParamToNormalized(id, value);
  }
  IPlugView* PLUGIN_API createView(FIDString name) override { return behind_->createView(name); }

 private:
  /// Null until the host has connected the plugin.
  Vst3Values* values() {
    void* found = nullptr;
    return behind_->queryInterface(Vst3Values::iid, &found) == kResultOk ? static_cast<Vst3Values*>(found) : nullptr;
  }

  ParamValue held(ParamID id) {
    auto* plugin = values();
    const auto decided = plugin != nullptr ? plugin->decided(id) : std::nullopt;
    return decided ? *decided : behind_->getParamNormalized(id);
  }

  ParamValue usable(ParamID id, ParamValue value) { return std::isnan(value) ? held(id) : std::clamp(value, 0.0, 1.0); }

  /// The very number that the plugin's own parameter gives for this step.
  ParamValue snapped(ParamID id, ParamValue value) {
    const auto last_step = static_cast<float>(last_step_of(id));
    const ParamValue clamped = usable(id, value);
    return last_step > 0.0f ? std::round(static_cast<float>(clamped) * last_step) / last_step : clamped;
  }

  int32 last_step_of(ParamID id) {
    ParameterInfo info{};
    for (int32 i = 0; last_steps_.empty() && i < behind_->getParameterCount();) {
      for (; i < behind_->getParameterCount(); ++i) {
        if (behind_->getParameterInfo(i, info) == kResultOk) last_steps_[info.id] = info.stepCount;
      }
    }
    const auto found = last_steps_.find(id);
    return found != last_steps_.end() ? found->second : 0;
  }

  static bool is_same(ParamValue a, ParamValue b) { return static_cast<float>(a) == static_cast<float>(b); }

  /// Hosts write back what they are told; a host that writes something else is not told again meanwhile.
  void tell_host(ParamID id) {
    if (handler_ == nullptr || is_telling_) return;
    is_telling_ = true;
    if (auto* plugin = id == vst3_program_id ? values() : nullptr) plugin->note_program_shown();
    handler_->beginEdit(id);
    handler_->performEdit(id, held(id));
    handler_->endEdit(id);
    is_telling_ = false;
  }

  IPtr<IComponentHandler> handler_;
  std::map<ParamID, int32> last_steps_;
  bool is_telling_ = false;
};

class Vst3Factory final : public Front<Vst3Factory, IPluginFactory3> {
 public:
  using Front::Front;
  static bool is_own(const TUID wanted) {
    return is(wanted, IPluginFactory3_iid) || is(wanted, IPluginFactory2_iid) || is(wanted, IPluginFactory_iid) ||
           is(wanted, FUnknown_iid);
  }

  tresult PLUGIN_API createInstance(FIDString class_id, FIDString wanted, void** object) override {
    const auto result = behind_->createInstance(class_id, wanted, object);
    if (result != kResultOk) return result;
    void* found = nullptr;
    if (static_cast<FUnknown*>(*object)->queryInterface(IEditController_iid, &found) != kResultOk) return result;
    static_cast<FUnknown*>(*object)->release();
    const IPtr<IEditController> front(new Vst3Controller(static_cast<IEditController*>(found)), false);
    return front->queryInterface(wanted, object);
  }

  tresult PLUGIN_API getFactoryInfo(PFactoryInfo* info) override { return behind_->getFactoryInfo(info); }
  int32 PLUGIN_API countClasses() override { return behind_->countClasses(); }
  tresult PLUGIN_API getClassInfo(int32 index, PClassInfo* info) override { return behind_->getClassInfo(index, info); }
  tresult PLUGIN_API getClassInfo2(int32 index, PClassInfo2* info) override {
    return behind_->getClassInfo2(index, info);
  }
  tresult PLUGIN_API getClassInfoUnicode(int32 index, PClassInfoW* info) override {
    return behind_->getClassInfoUnicode(index, info);
  }
  tresult PLUGIN_API setHostContext(FUnknown* context) override { return behind_->setHostContext(context); }
};

}  // namespace
}  // namespace forestage::plugin

extern "C" SMTG_EXPORT_SYMBOL Steinberg::IPluginFactory* PLUGIN_API GetPluginFactory() {
  auto* factory = forestage_juce_factory();
  void* found = nullptr;
  const auto result = factory->queryInterface(Steinberg::IPluginFactory3_iid, &found);
  factory->release();
  if (result != Steinberg::kResultOk) return nullptr;
  return new forestage::plugin::Vst3Factory(static_cast<Steinberg::IPluginFactory3*>(found));
}
