// Versions of a format follow one another, each by its own step.
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "migrate.hpp"

namespace forestage::preset_detail {
namespace {

constexpr std::array<Step, 2> steps{
    [](json& tree) {
      tree["gain"] = tree["level"];
      tree.erase("level");
    },
    [](json& tree) { tree["gain"] = 2 * tree["gain"].get<int>(); },
};

bool is_migrated(const char* from, const char* to) {
  json tree = json::parse(from);
  migrate(tree, "schema", steps);
  if (tree == json::parse(to)) return true;
  std::printf("%s became %s, not %s\n", from, tree.dump().c_str(), to);
  return false;
}

}  // namespace
}  // namespace forestage::preset_detail

int main() {
  using forestage::preset_detail::is_migrated;
  const bool is_right = is_migrated(R"({"schema": 1, "level": 3})", R"({"schema": 3, "gain": 6})") &&
                        is_migrated(R"({"schema": 2, "gain": 3})", R"({"schema": 3, "gain": 6})") &&
                        is_migrated(R"({"schema": 3, "gain": 3})", R"({"schema": 3, "gain": 3})") &&
                        is_migrated(R"({"schema": 4, "loud": 3})", R"({"schema": 4, "loud": 3})");
  return is_right ? 0 : 1;
}
