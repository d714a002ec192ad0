// Where in a file something is wrong, and what to say about it.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forestage::preset_detail {

using json = nlohmann::json;

/// JSON pointer as a chain of stack objects: costs nothing until an error asks for its text.
class Path {
 public:
  Path() = default;
  /// A top level where keys that are not known are noted, instead of refused.
  explicit Path(std::vector<std::string>& notes) : notes_(&notes) {}
  Path(const Path& parent, std::string_view key) : parent_(&parent), key_(key), notes_(parent.notes_) {}
  Path(const Path& parent, std::size_t index)
      : parent_(&parent), index_(index), is_index_(true), notes_(parent.notes_) {}

  std::string text() const;
  std::vector<std::string>* notes() const { return notes_; }

 private:
  const Path* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool is_index_ = false;
  std::vector<std::string>* notes_ = nullptr;
};

/// "place: what is wrong there".
std::string message_at(const Path& path, const std::string& message);

[[noreturn]] void fail(const Path& path, const std::string& message);
[[noreturn]] void fail_type(const Path& path, const json& node, std::string_view expected);
/// Fails, or notes it where the path takes notes.
void unknown_key(const Path& path, std::string_view key, std::span<const std::string> known);

/// The value as an error shows it: short scalars as they are, long ones cut, containers by their kind.
std::string describe(const json& node);

/// Shortest text that reads back as the same float; `null` for what JSON has no word for.
std::string number_text(float value);
std::string number_text(double value);

/// One reference token of a JSON pointer ("~" and "/" escaped).
std::string pointer_token(std::string_view key);

/// Cuts text to a length fit for a message, never inside a UTF-8 character.
std::string shortened(std::string_view text, std::size_t max_bytes);

}  // namespace forestage::preset_detail
