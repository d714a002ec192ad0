#include "errors.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "number_text.hpp"
#include "preset_error.hpp"

namespace forestage::preset_detail {

namespace {

constexpr std::size_t max_shown_bytes = 60;
constexpr std::size_t max_notes = 16;

/// Levenshtein distance, one row at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

std::string suggestion(std::string_view key, std::span<const std::string> known) {
  const std::string* nearest = nullptr;
  std::size_t best = 0;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(key, candidate);
    if (nearest == nullptr || distance < best) {
      nearest = &candidate;
      best = distance;
    }
  }
  if (nearest == nullptr || 2 * best > std::max(key.size(), nearest->size())) return "";
  return " did you mean \"" + *nearest + "\"?";
}

template <class Number>
std::string number_or_null(Number value) {
  return std::isfinite(value) ? forestage::number_text(value) : "null";
}

}  // namespace

std::string Path::text() const {
  if (parent_ == nullptr) return "";
  return parent_->text() + "/" + (is_index_ ? std::to_string(index_) : pointer_token(key_));
}

std::string message_at(const Path& path, const std::string& message) {
  const std::string where = path.text();
  return (where.empty() ? "top level" : where) + ": " + message;
}

void fail(const Path& path, const std::string& message) { throw PresetError(message_at(path, message)); }

void fail_type(const Path& path, const json& node, std::string_view expected) {
  fail(path, "is " + describe(node) + "; must be " + std::string(expected));
}

void unknown_key(const Path& path, std::string_view key, std::span<const std::string> known) {
  const std::string shown = shortened(key, max_shown_bytes);
  std::string keys;
  for (const std::string& name : known) keys += (keys.empty() ? "" : ", ") + name;
  const std::string message = "unknown key \"" + shown + "\";" + suggestion(shown, known) + " (keys: " + keys + ")";
  if (path.notes() == nullptr) fail(path, message);
  if (path.notes()->size() < max_notes) path.notes()->push_back(message_at(path, message));
}

std::string describe(const json& node) {
  if (node.is_object()) return "an object";
  if (node.is_array()) return "an array of " + std::to_string(node.size());
  return shortened(node.dump(-1, ' ', false, json::error_handler_t::replace), max_shown_bytes);
}

std::string number_text(float value) { return number_or_null(value + 0.0f); }  // -0 would read back as 0
std::string number_text(double value) { return number_or_null(value); }

std::string pointer_token(std::string_view key) {
  std::string token;
  for (const char c : shortened(key, max_shown_bytes)) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::string shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  std::size_t end = max_bytes;
  const auto continues = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U; };
  while (end > 0 && continues(end)) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace forestage::preset_detail
