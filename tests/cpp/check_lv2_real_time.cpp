// The LV2's run() neither allocates, locks nor throws, with every port moving and presets and files asked for.
// Argument: the plugin's binary. The host maps no URIs, so files are asked for by nobody: their ring is checked on its
// own.
#include <dlfcn.h>
#include <lv2/core/lv2.h>

#include <cmath>
#include <cstdio>
#include <vector>

#include "lv2_loader.hpp"
#include "lv2_ports.hpp"
#include "real_time_hooks.hpp"

namespace {

using namespace forestage;
using forestage::plugin::Lv2Ports;

constexpr int outputs = 8;
constexpr int max_frames = 20000;

const LV2_Descriptor* find(void* library) {
  const auto next = reinterpret_cast<LV2_Descriptor_Function>(dlsym(library, "lv2_descriptor"));
  for (std::uint32_t i = 0; next != nullptr && next(i) != nullptr; ++i)
    if (plugin::lv2_uri_of(outputs) == next(i)->URI) return next(i);
  return nullptr;
}

Counts play(const LV2_Descriptor& descriptor) {
  constexpr Lv2Ports ports{outputs};
  std::vector<std::vector<float>> audio(Lv2Ports::inputs + outputs, std::vector<float>(max_frames, 0.1f));
  std::vector<float> controls(static_cast<std::size_t>(ports.count()), 0.0f);
  LV2_Handle instance = descriptor.instantiate(&descriptor, 48000.0, "", nullptr);
  if (instance == nullptr) return {1, 1, 1};
  for (int port = 0; port < ports.count(); ++port) {
    const auto i = static_cast<std::size_t>(port);
    if (port == ports.messages_in() || port == ports.messages_out()) continue;
    descriptor.connect_port(instance, static_cast<std::uint32_t>(port),
                            i < audio.size() ? audio[i].data() : &controls[i]);
  }
  controls[static_cast<std::size_t>(ports.enabled())] = 1.0f;
  descriptor.activate(instance);
  Counts counts;
  for (int turn = 0; turn < 60; ++turn) {
    for (std::size_t row = 0; row < param_count; ++row)
      controls[static_cast<std::size_t>(ports.param(row))] =
          turn % 7 == 0 ? NAN
                        : params[row].min_value +
                              static_cast<float>(turn % 5) / 4.0f * (params[row].max_value - params[row].min_value);
    controls[static_cast<std::size_t>(ports.preset())] = static_cast<float>(turn / 10);
    constexpr std::uint32_t lengths[] = {0, 1, 64, 480, 1024, max_frames};
    counts += watch([&] { descriptor.run(instance, lengths[turn % 6]); });
  }
  descriptor.cleanup(instance);
  return counts;
}

Counts ask_for_files() {
  static plugin::FileRequests requests;
  return watch([] {
    for (int i = 0; i < 20; ++i) requests.push(plugin::FileRequest::Kind::preset, "/a/file.json");
  });
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) return 2;
  void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
  const LV2_Descriptor* descriptor = library != nullptr ? find(library) : nullptr;
  if (descriptor == nullptr) return 2;
  Counts counts = play(*descriptor);
  counts += ask_for_files();
  std::printf("%d allocations, %d locks, %d throws\n", counts.allocations, counts.locks, counts.throws);
  return counts.total() == 0 ? 0 : 1;
}
