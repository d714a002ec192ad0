#include <fstream>

#include "errors.hpp"
#include "preset_io.hpp"

namespace forestage {

using namespace preset_detail;

namespace {

/// Receives the parser's events and stops it at the name: false ends the reading.
class NameFinder {
 public:
  bool is_found() const { return is_found_; }
  std::string take() { return std::move(name_); }

  bool key(std::string& key) {
    is_next_ = depth_ == 1 && key == "name";
    return true;
  }
  bool string(std::string& value) {
    if (!is_next_) return true;
    name_ = std::move(value);
    is_found_ = true;
    return false;
  }
  bool start_object(std::size_t) { return open(); }
  bool start_array(std::size_t) { return open(); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool null() { return other(); }
  bool boolean(bool) { return other(); }
  bool number_integer(json::number_integer_t) { return other(); }
  bool number_unsigned(json::number_unsigned_t) { return other(); }
  bool number_float(json::number_float_t, const std::string&) { return other(); }
  bool binary(json::binary_t&) { return other(); }
  bool parse_error(std::size_t, const std::string&, const json::exception&) { return false; }

 private:
  bool open() {
    ++depth_;
    return other();
  }
  bool close() {
    --depth_;
    return true;
  }
  bool other() {
    is_next_ = false;
    return true;
  }

  std::string name_;
  int depth_ = 0;
  bool is_next_ = false;  // the value of the outermost "name"
  bool is_found_ = false;
};

}  // namespace

std::string preset_name(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  NameFinder finder;
  json::sax_parse(stream, &finder);
  if (!finder.is_found()) throw PresetError(file.string() + ": not a preset, or cannot be read: it has no name");
  return finder.take();
}

}  // namespace forestage
