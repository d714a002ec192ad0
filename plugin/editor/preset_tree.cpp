#include "preset_tree.hpp"

#include <algorithm>
#include <string_view>

namespace forestage::plugin {
namespace {

bool is_variant(std::string_view name, std::string_view of) {
  return name.size() > of.size() && name.starts_with(of) && name[of.size()] == ' ';
}

void put_into_folder(std::vector<PresetNode>& nodes, std::string_view path, int position) {
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return nodes.push_back({std::string(path), position}), void();
  const auto folder = path.substr(0, slash);
  const auto known =
      std::ranges::find_if(nodes, [&](const PresetNode& node) { return node.position < 0 && node.title == folder; });
  auto& into = known != nodes.end() ? *known : nodes.emplace_back(PresetNode{std::string(folder)});
  put_into_folder(into.nodes, path.substr(slash + 1), position);
}

}  // namespace

std::vector<PresetNode> presets_by_device(const PresetList& list) {
  std::vector<int> order;
  for (int position = 0; position < list.factory_count(); ++position) order.push_back(position);
  std::ranges::sort(order, {}, [&](int position) { return list.name(position); });  // a device before its variants
  std::vector<PresetNode> devices;
  for (const int position : order) {
    const std::string name = list.name(position);
    if (devices.empty() || !is_variant(name, devices.back().title)) {
      devices.push_back({name, position});
      continue;
    }
    PresetNode& device = devices.back();
    if (device.nodes.empty()) device.nodes.push_back({device.title, device.position});
    device.nodes.push_back({name.substr(device.title.size() + 1), position});
    device.position = -1;
  }
  return devices;
}

std::vector<PresetNode> presets_by_folder(const PresetList& list) {
  std::vector<PresetNode> nodes;
  for (int position = list.factory_count(); position < list.count(); ++position)
    put_into_folder(nodes, list.name(position), position);
  return nodes;
}

}  // namespace forestage::plugin
