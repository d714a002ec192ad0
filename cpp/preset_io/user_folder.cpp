#include "user_folder.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

namespace forestage {
namespace {

constexpr int deepest = 4;
constexpr int most_entries = 10000;

#if defined(_WIN32)
constexpr const char* data_variable = "APPDATA";
constexpr const char* data_folder = "AppData/Roaming";
constexpr const char* home_variable = "USERPROFILE";
#elif defined(__APPLE__)
constexpr const char* data_variable = "XDG_DATA_HOME";
constexpr const char* data_folder = "Library/Application Support";
constexpr const char* home_variable = "HOME";
#else
constexpr const char* data_variable = "XDG_DATA_HOME";
constexpr const char* data_folder = ".local/share";
constexpr const char* home_variable = "HOME";
#endif

std::filesystem::path absolute_path_in(const char* variable) {
  const char* value = std::getenv(variable);
  const std::filesystem::path path = value != nullptr ? value : "";
  return path.is_absolute() ? path : std::filesystem::path();  // XDG: what is not absolute is invalid
}

}  // namespace

std::filesystem::path user_preset_folder() {
  std::filesystem::path data = absolute_path_in(data_variable);
  const std::filesystem::path home = absolute_path_in(home_variable);
  if (data.empty() && !home.empty()) data = home / data_folder;
  return data.empty() ? data : data / "forestage" / "presets";
}

std::vector<UserPreset> user_presets() {
  namespace fs = std::filesystem;
  const fs::path folder = user_preset_folder();
  std::vector<UserPreset> presets;
  if (folder.empty()) return presets;
  std::error_code none;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, none);
  for (int seen = 0; !none && entry != fs::recursive_directory_iterator() && seen < most_entries; ++seen) {
    if (entry.depth() >= deepest) entry.disable_recursion_pending();
    std::error_code unreadable;
    if (entry->path().extension() == ".json" && entry->is_regular_file(unreadable)) {
      fs::path name = entry->path().lexically_relative(folder);
      presets.push_back({name.replace_extension().generic_string(), entry->path()});
    }
    entry.increment(none);
  }
  std::ranges::sort(presets, {}, &UserPreset::name);
  return presets;
}

std::string user_folder_problem() {
  const auto folder = user_preset_folder();
  std::error_code error;
  if (folder.empty() || !std::filesystem::exists(folder, error))
    return error ? folder.string() + ": " + error.message() : "";
  if (!std::filesystem::is_directory(folder, error)) return folder.string() + " is a file, not a folder";
  const std::filesystem::directory_iterator entries(folder, error);
  return error ? folder.string() + ": " + error.message() : "";
}

}  // namespace forestage
