// How hosts find the LV2 plugins: one descriptor for each layout.
#include <lv2/core/lv2.h>
#include <lv2/core/lv2_util.h>

#include <array>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "lv2_plugin.hpp"

namespace forestage::plugin {
namespace {

Lv2Plugin& plugin(LV2_Handle instance) { return *static_cast<Lv2Plugin*>(instance); }

struct Entry {
  std::string uri;
  int outputs;
  LV2_Descriptor descriptor;
};

const std::vector<Entry>& entries();

LV2_Handle instantiate(const LV2_Descriptor* descriptor, double sample_rate, const char*,
                       const LV2_Feature* const* features) {
  const auto* map = static_cast<const LV2_URID_Map*>(lv2_features_data(features, LV2_URID__map));
  try {
    for (const Entry& entry : entries())
      if (&entry.descriptor == descriptor) return new Lv2Plugin(entry.outputs, sample_rate, map);
  } catch (const std::exception& error) {
    std::cerr << "Forestage: cannot play at " << sample_rate << " Hz: " << error.what() << "\n";
  }
  return nullptr;
}

const void* extension_data(const char* uri) {
  static const LV2_State_Interface state{
      [](LV2_Handle instance, LV2_State_Store_Function store, LV2_State_Handle handle, std::uint32_t,
         const LV2_Feature* const*) { return plugin(instance).save(store, handle); },
      [](LV2_Handle instance, LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle, std::uint32_t,
         const LV2_Feature* const*) { return plugin(instance).restore(retrieve, handle); }};
  return std::strcmp(uri, LV2_STATE__interface) == 0 ? &state : nullptr;
}

Entry entry(int outputs) {
  return {lv2_uri_of(outputs),
          outputs,
          {nullptr, instantiate,
           [](LV2_Handle instance, std::uint32_t port, void* data) { plugin(instance).connect(port, data); },
           [](LV2_Handle instance) { plugin(instance).activate(); },
           [](LV2_Handle instance, std::uint32_t frames) { plugin(instance).run(frames); }, nullptr,
           [](LV2_Handle instance) { delete &plugin(instance); }, extension_data}};
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> made;
    for (const int outputs : all_outputs) made.push_back(entry(outputs));
    for (Entry& one : made) one.descriptor.URI = one.uri.c_str();
    return made;
  }();
  return all;
}

}  // namespace
}  // namespace forestage::plugin

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(std::uint32_t index) {
  const auto& all = forestage::plugin::entries();
  return index < all.size() ? &all[index].descriptor : nullptr;
}
