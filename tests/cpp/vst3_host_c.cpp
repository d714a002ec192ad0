// The test host for Python: see tests/helpers/vst3_host.py. A call that fails returns null or a negative number.
#include <pluginterfaces/vst/ivstunits.h>

#include <algorithm>
#include <cstdio>
#include <exception>

#include "vst3_host.hpp"

using vst3_host::Changes;
using vst3_host::Plugin;
using vst3_host::Point;
using vst3_host::Stream;

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT Plugin* vst3_open(const char* binary) {
  try {
    return new Plugin(binary);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return nullptr;
  }
}

EXPORT void vst3_close(Plugin* plugin) { delete plugin; }
EXPORT bool vst3_arrange(Plugin* plugin, std::uint64_t in, std::uint64_t out) { return plugin->arrange(in, out); }
EXPORT std::uint64_t vst3_arrangement(Plugin* plugin, bool is_input) { return plugin->arrangement(is_input); }
EXPORT void vst3_set_up(Plugin* plugin, double sample_rate, int frames) { plugin->set_up(sample_rate, frames); }
EXPORT void vst3_start(Plugin* plugin, double sample_rate, int frames) { plugin->start(sample_rate, frames); }
EXPORT void vst3_stop(Plugin* plugin) { plugin->stop(); }
EXPORT int vst3_latency_frames(Plugin* plugin) { return static_cast<int>(plugin->processor->getLatencySamples()); }
EXPORT int vst3_tail_frames(Plugin* plugin) { return static_cast<int>(plugin->processor->getTailSamples()); }
EXPORT bool vst3_can_play(Plugin* plugin, int sample_size) {
  return plugin->processor->canProcessSampleSize(sample_size) == Steinberg::kResultOk;
}

EXPORT int vst3_parameter_count(Plugin* plugin) { return plugin->controller->getParameterCount(); }
EXPORT std::uint32_t vst3_parameter(Plugin* plugin, int index, char16_t* title) {
  Steinberg::Vst::ParameterInfo info{};
  plugin->controller->getParameterInfo(index, info);
  for (int i = 0; i < 128; ++i) title[i] = info.title[i];
  return info.id;
}
EXPORT double vst3_value(Plugin* plugin, std::uint32_t id) { return plugin->controller->getParamNormalized(id); }
EXPORT void vst3_set_value(Plugin* plugin, std::uint32_t id, double value) {
  plugin->controller->setParamNormalized(id, value);
}

/// `returned` takes the plugin's own changes, `returned_count` says how many fit and were made.
EXPORT int vst3_process(Plugin* plugin, float** inputs, int input_channels, float** outputs, int output_channels,
                        int frames, const Point* points, int point_count, int sample_size, Point* returned,
                        int* returned_count) {
  Changes changes({points, points + point_count});
  Changes output_changes;
  const int result =
      plugin->process(inputs, input_channels, outputs, output_channels, frames, changes, output_changes, sample_size);
  int count = 0;
  for (const auto& queue : output_changes.queues)
    for (const Point& point : queue.points)
      if (count < *returned_count) returned[count++] = point;
  *returned_count = count;
  return result;
}

/// Returns the size; call first without memory.
EXPORT int vst3_get_state(Plugin* plugin, char* to) {
  Stream stream;
  if (plugin->component->getState(&stream) != Steinberg::kResultOk) return -1;
  if (to != nullptr) std::copy(stream.data.begin(), stream.data.end(), to);
  return static_cast<int>(stream.data.size());
}

/// As hosts do: to the component, then to the controller.
EXPORT bool vst3_set_state(Plugin* plugin, const char* from, int bytes) {
  Stream stream;
  stream.data.assign(from, from + bytes);
  const bool is_ok = plugin->component->setState(&stream) == Steinberg::kResultOk;
  stream.seek(0, Steinberg::IBStream::kIBSeekSet, nullptr);
  plugin->controller->setComponentState(&stream);
  return is_ok;
}
