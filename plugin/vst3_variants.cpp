#include "vst3_variants.hpp"

#include <juce_core/juce_core.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>

#include "layouts.hpp"

JUCE_BEGIN_IGNORE_WARNINGS_GCC_LIKE("-Wshadow")
#include <pluginterfaces/base/ipluginbase.h>
#include <pluginterfaces/base/smartpointer.h>
#include <pluginterfaces/vst/ivstaudioprocessor.h>
JUCE_END_IGNORE_WARNINGS_GCC_LIKE

extern "C" SMTG_EXPORT_SYMBOL Steinberg::IPluginFactory* PLUGIN_API GetPluginFactory();

namespace forestage::plugin {
namespace {

using namespace Steinberg;

class FixedOutputs {
 public:
  explicit FixedOutputs(int outputs) { fixed_outputs = outputs; }
  ~FixedOutputs() { fixed_outputs = 0; }
  FixedOutputs(const FixedOutputs&) = delete;
  FixedOutputs& operator=(const FixedOutputs&) = delete;
};

/// The first words are those of the plugin itself, the last is "Fdr" and the number.  Frozen: sessions name it.
void class_id_of(int outputs, TUID& id) {
  const FUID made(0xABCDEF01, 0x9182FAEB, JucePlugin_ManufacturerCode, 0x46647200u | static_cast<uint32>(outputs));
  made.toTUID(id);
}

/// The classes of the plugin's own factory, but for each variant instead of the plugin itself.
class Variants final : public IPluginFactory3 {
 public:
  explicit Variants(IPtr<IPluginFactory3> whole) : whole_(std::move(whole)) {
    for (int32 i = 0; i < whole_->countClasses(); ++i) {
      PClassInfo info;
      whole_->getClassInfo(i, &info);
      (std::strcmp(info.category, kVstAudioEffectClass) == 0 ? component_ : controller_) = i;
    }
  }
  virtual ~Variants() = default;

  tresult PLUGIN_API queryInterface(const TUID wanted, void** object) override {
    *object = nullptr;
    for (const auto* own : {&IPluginFactory3_iid, &IPluginFactory2_iid, &IPluginFactory_iid, &FUnknown_iid}) {
      if (!FUnknownPrivate::iidEqual(wanted, *own)) continue;
      addRef();
      *object = static_cast<IPluginFactory3*>(this);
      return kResultOk;
    }
    return kNoInterface;
  }
  uint32 PLUGIN_API addRef() override { return ++references_; }
  uint32 PLUGIN_API release() override {
    const uint32 left = --references_;
    if (left == 0) delete this;
    return left;
  }

  int32 PLUGIN_API countClasses() override { return static_cast<int32>(variant_outputs.size()) + 1; }
  tresult PLUGIN_API getClassInfo(int32 index, PClassInfo* info) override {
    return describe(index, info, whole_->getClassInfo(in_whole(index), info));
  }
  tresult PLUGIN_API getClassInfo2(int32 index, PClassInfo2* info) override {
    return describe(index, info, whole_->getClassInfo2(in_whole(index), info));
  }
  tresult PLUGIN_API getClassInfoUnicode(int32 index, PClassInfoW* info) override {
    return describe(index, info, whole_->getClassInfoUnicode(in_whole(index), info));
  }
  tresult PLUGIN_API createInstance(FIDString class_id, FIDString wanted, void** object) override {
    PClassInfo whole;
    whole_->getClassInfo(component_, &whole);
    for (const int outputs : variant_outputs) {
      TUID id;
      class_id_of(outputs, id);
      if (!FUnknownPrivate::iidEqual(class_id, id)) continue;
      const FixedOutputs fixed(outputs);
      return whole_->createInstance(whole.cid, wanted, object);
    }
    return whole_->createInstance(class_id, wanted, object);
  }
  tresult PLUGIN_API getFactoryInfo(PFactoryInfo* info) override { return whole_->getFactoryInfo(info); }
  tresult PLUGIN_API setHostContext(FUnknown* context) override { return whole_->setHostContext(context); }

 private:
  static bool is_variant(int32 index) { return index >= 0 && index < static_cast<int32>(variant_outputs.size()); }
  int32 in_whole(int32 index) const { return is_variant(index) ? component_ : controller_; }

  template <class Info>
  tresult describe(int32 index, Info* info, tresult result) const {
    if (result != kResultOk || !is_variant(index)) return result;
    const int outputs = variant_outputs[static_cast<std::size_t>(index)];
    class_id_of(outputs, info->cid);
    const std::string name = plugin_name(outputs);
    std::copy(name.c_str(), name.c_str() + name.size() + 1, info->name);
    return kResultOk;
  }

  IPtr<IPluginFactory3> whole_;
  int32 component_ = 0;
  int32 controller_ = 0;
  std::atomic<uint32> references_{1};
};

}  // namespace

}  // namespace forestage::plugin

extern "C" SMTG_EXPORT_SYMBOL Steinberg::IPluginFactory* PLUGIN_API forestage_variants() {
  const Steinberg::IPtr<Steinberg::IPluginFactory> factory(GetPluginFactory(), false);
  void* found = nullptr;
  if (factory == nullptr || factory->queryInterface(Steinberg::IPluginFactory3_iid, &found) != Steinberg::kResultOk)
    return nullptr;
  return new forestage::plugin::Variants({static_cast<Steinberg::IPluginFactory3*>(found), false});
}
