#include "json_tree.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "preset_error.hpp"
#include "text_encoding.hpp"

namespace forestage::preset_detail {

namespace {

/// Receives the parser's events and grows the tree. The parser does not recurse; neither does this.
class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

  json take() { return std::move(root_); }

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(json::number_integer_t value) { return add(value); }
  bool number_unsigned(json::number_unsigned_t value) { return add(value); }
  bool number_float(json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(json::binary_t& value) { return add(std::move(value)); }
  bool start_object(std::size_t) { return open(json::object()); }
  bool start_array(std::size_t) { return open(json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Level& level = open_.back();
    level.key = std::move(name);
    const auto [slot, is_new] = level.node->get_ref<json::object_t&>().try_emplace(level.key, nullptr);
    if (!is_new) throw PresetError(where() + ": key appears twice");
    level.value = &slot->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) {
    const std::size_t byte = std::min(position, text_.size());
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
    const std::string inside = where();
    // "[json.exception...] parse error at line 1, column 2: syntax error while parsing value - what is wrong"
    std::string detail = error.what();
    for (const std::string_view before : {"] ", " - "}) {
      if (const auto start = detail.find(before); start != std::string::npos) detail.erase(0, start + before.size());
    }
    // It quotes what was read last, which may be no UTF-8 and no message for Python then.
    const auto is_beyond_ascii = [](char c) { return static_cast<unsigned char>(c) >= 0x80U; };
    std::ranges::replace_if(detail, is_beyond_ascii, '?');
    throw PresetError("not JSON at byte " + std::to_string(byte) + ", line " + std::to_string(line) +
                      (position > text_.size() ? ", the end of the text (truncated?)" : "") +
                      (inside.empty() ? "" : ", inside " + inside) + ": " + shortened(detail, 160));
  }

 private:
  struct Level {
    json* node;       // an object or array; it stays where it is while it is open
    std::string key;  // of the value that is being read, for an object
    json* value = nullptr;
  };

  bool open(json&& container) {
    if (open_.size() == limits_.depth) {
      throw PresetError(where() + ": more than " + std::to_string(limits_.depth) + " levels of nesting");
    }
    open_.push_back({place(std::move(container)), {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  bool add(json&& value) {
    place(std::move(value));
    return true;
  }

  json* place(json&& value) {
    if (++values_ > limits_.values) {
      throw PresetError(where() + ": more than " + std::to_string(limits_.values) + " values in one file");
    }
    if (open_.empty()) return &(root_ = std::move(value));
    Level& level = open_.back();
    if (level.node->is_object()) return &(*level.value = std::move(value));
    return &level.node->get_ref<json::array_t&>().emplace_back(std::move(value));
  }

  /// JSON pointer of the value last begun.
  std::string where() const {
    std::string path;
    for (const Level& level : open_) {
      if (level.node->is_object()) {
        if (level.value != nullptr) path += "/" + pointer_token(level.key);
      } else if (!level.node->empty()) {
        path += "/" + std::to_string(level.node->size() - 1);
      }
    }
    return path;
  }

  std::string_view text_;
  Limits limits_;
  json root_;
  std::vector<Level> open_;
  std::size_t values_ = 0;
};

}  // namespace

json parse_tree(std::string_view text, const Limits& limits) {
  const auto check_size = [&](std::size_t bytes) {
    if (bytes <= limits.bytes) return;
    throw PresetError("has " + std::to_string(bytes) + " bytes; at most " + std::to_string(limits.bytes) + " are read");
  };
  check_size(text.size());
  const auto utf8 = utf8_from_utf16(text);
  if (utf8) check_size(utf8->size());
  const std::string_view json_text = utf8 ? *utf8 : text;
  TreeBuilder builder(json_text, limits);
  json::sax_parse(json_text, &builder);
  return builder.take();
}

}  // namespace forestage::preset_detail
