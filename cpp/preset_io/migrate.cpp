#include "migrate.hpp"

namespace forestage::preset_detail {

void migrate(json& tree, std::string_view key, std::span<const Step> steps) {
  json& version = tree.at(std::string(key));
  for (auto from = version.get<std::size_t>(); from <= steps.size(); ++from) {
    steps[from - 1](tree);
    tree[std::string(key)] = from + 1;
  }
}

}  // namespace forestage::preset_detail
