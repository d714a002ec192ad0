// The VST3's process() neither allocates nor throws, with dense automation in blocks of many lengths. Argument: the
// plugin's binary. JUCE takes locks there: for each block, and when parameters tell their listeners (decisions.md).
#include <cstdio>
#include <vector>

#include "real_time_hooks.hpp"
#include "vst3_host.hpp"

namespace {

constexpr int max_frames = 8192;
constexpr std::uint64_t stereo = 3;

std::vector<vst3_host::Point> points_for(const std::vector<std::uint32_t>& ids, int frames) {
  std::vector<vst3_host::Point> points;
  for (std::size_t i = 0; i < ids.size(); ++i)
    for (int frame = 0; frame < frames; frame += 1 + static_cast<int>(i) * 13)
      points.push_back({ids[i], frame, 0.5 + 0.5 * (frame % 7) / 7.0});
  return points;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 2) return 2;
  vst3_host::Plugin plugin(arguments[1]);
  plugin.arrange(stereo, stereo);
  plugin.start(48000.0, max_frames);
  std::vector<std::uint32_t> ids;
  for (int i = 0; i < plugin.controller->getParameterCount(); ++i) {
    Steinberg::Vst::ParameterInfo info{};
    plugin.controller->getParameterInfo(i, info);
    if ((info.flags & Steinberg::Vst::ParameterInfo::kIsProgramChange) == 0) ids.push_back(info.id);
  }
  std::vector<float> left(max_frames, 0.1f);
  std::vector<float> right(max_frames, -0.1f);
  float* lanes[] = {left.data(), right.data()};
  forestage::Counts counts;
  for (const int frames : {0, 1, 64, 480, max_frames}) {
    vst3_host::Changes points(points_for(ids, frames));
    for (int i = 0; i < 3; ++i) {
      vst3_host::Changes returned;
      counts += forestage::watch([&] { plugin.process(lanes, 2, lanes, 2, frames, points, returned); });
    }
  }
  std::printf("%d allocations, %d locks, %d throws\n", counts.allocations, counts.locks, counts.throws);
  return counts.allocations + counts.throws == 0 ? 0 : 1;
}
