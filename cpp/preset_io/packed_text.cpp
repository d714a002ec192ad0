#include "packed_text.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base64.hpp"
#include "preset_error.hpp"

namespace forestage {
namespace {

using preset_detail::decode_base64;
using preset_detail::encode_base64;
using preset_detail::Path;

constexpr std::string_view family = "forestage-packed ";
constexpr std::string_view head = "forestage-packed 3\n";
constexpr std::string_view second_head = "forestage-packed 2\n";
constexpr std::string_view first_head = "forestage-packed 1\n";
constexpr char mark = '\0';
constexpr std::size_t least_chars = 64;  // of base64, for a blob
constexpr int text_level = 3;            // of zlib
constexpr int blob_level = 1;            // most of it is noise: more would take twice the time for a hundredth
constexpr std::array<std::size_t, 3> widths{1, 2, 4};

/// What is known of a blob's bytes; version 2 knew the first two.
enum class Form : std::uint8_t {
  in_turn,  // numbers with noise in their lowest bytes, where they have several
  planes,   // the first bytes of all numbers, then the second ones
  packable,
  noise,
};
constexpr std::size_t forms = 4;
constexpr std::size_t form_step = 256;  // beside the width

struct Blob {
  std::size_t width;  // bytes of a number
  Form form;
  std::vector<std::uint8_t> bytes;
  /// Whether byte `plane` of its numbers is noise that nothing packs.
  bool is_noise(std::size_t plane) const {
    if (form == Form::packable || form == Form::noise) return form == Form::noise;
    return plane == 0 && width > 1;
  }
};

[[noreturn]] void fail_large(std::size_t size, std::size_t max_bytes) {
  throw PresetError("the packed text has " + std::to_string(size) + " bytes; at most " + std::to_string(max_bytes) +
                    " would be right");
}

[[noreturn]] void fail_damaged() { throw PresetError("the packed text is damaged, or cut"); }

// -- numbers and streams ----------------------------------------------------------------------------------------------

void put(std::string& out, std::size_t value) {
  for (int k = 0; k < 4; ++k) out += static_cast<char>((value >> (8 * k)) & 255U);
}

std::string sized(std::string_view bytes) {
  std::string out;
  put(out, bytes.size());
  return out.append(bytes);
}

/// Reads from the front of what is left.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  std::string_view take(std::size_t count) {
    if (count > left_.size()) fail_damaged();
    const auto taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::size_t number() {
    std::size_t value = 0;
    const auto bytes = take(4);
    for (std::size_t k = 0; k < 4; ++k)
      value |= static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[k])) << (8 * k);
    return value;
  }

 private:
  std::string_view left_;
};

const Bytef* as_bytes(std::string_view text) { return reinterpret_cast<const Bytef*>(text.data()); }

std::string deflated(std::string_view raw, int level) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string stream(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(stream.data()), &size, as_bytes(raw), static_cast<uLong>(raw.size()), level) !=
      Z_OK) {
    throw std::bad_alloc();
  }
  stream.resize(size);
  std::string out;
  put(out, raw.size());
  put(out, stream.size());
  return out + stream;
}

std::string inflated(Reader& in, std::size_t max_bytes) {
  const std::size_t size = in.number();
  const std::string_view stream = in.take(in.number());
  constexpr std::size_t most_ratio = 1040;  // zlib packs nothing denser
  if (size > max_bytes) fail_large(size, max_bytes);
  if (size > most_ratio * (stream.size() + 1)) fail_damaged();
  std::string raw(size, '\0');
  uLongf filled = static_cast<uLongf>(size);
  if (uncompress(reinterpret_cast<Bytef*>(raw.data()), &filled, as_bytes(stream), static_cast<uLong>(stream.size())) !=
          Z_OK ||
      filled != size) {
    fail_damaged();
  }
  return raw;
}

// -- blobs ------------------------------------------------------------------------------------------------------------

bool is_digit(char c) noexcept { return preset_detail::base64_digits[static_cast<unsigned char>(c)] < 64; }

/// The next run of base64 that is long enough, from `from` on; empty when there is none.
std::string_view next_base64(std::string_view text, std::size_t from) {
  while (from < text.size()) {
    const auto* const begin = std::find_if(text.data() + from, text.data() + text.size(), is_digit);
    const auto* end = std::find_if_not(begin, text.data() + text.size(), is_digit);
    for (int k = 0; k < 2 && end < text.data() + text.size() && *end == '='; ++k) ++end;
    const auto length = static_cast<std::size_t>(end - begin);
    if (length >= least_chars && length % 4 == 0) return {begin, length};
    from = static_cast<std::size_t>(end - text.data());
  }
  return {};
}

/// What base64 stands for; nothing where that would not give the same text again.
std::vector<std::uint8_t> bytes_of(std::string_view base64) {
  try {
    return decode_base64(base64, "a blob", Path());
  } catch (const PresetError&) {
    return {};
  }
}

/// By what stands in front of it.
Blob blob_of(std::string_view before, std::vector<std::uint8_t> bytes) {
  constexpr std::size_t longest = sizeof("flac-100:");
  const auto prefix = before.substr(before.size() - std::min(before.size(), longest));
  if (prefix.ends_with(':') && prefix.find("flac") != prefix.npos) return {1, Form::noise, std::move(bytes)};
  const bool is_planar = before.ends_with("f16p:");
  const bool is_half = is_planar || before.ends_with("f16:");
  const std::size_t width = is_half ? 2 : 4;
  if (bytes.size() % width != 0) return {1, Form::packable, std::move(bytes)};
  return {width, is_planar ? Form::planes : is_half ? Form::in_turn : Form::packable, std::move(bytes)};
}

/// Byte `plane` of every number of each blob of a width, for each width and plane: those that are noise, or the others.
template <class Blobs, class Visit>
void each_byte(Blobs& blobs, bool is_noise, Visit visit) {
  for (const std::size_t width : widths) {
    for (std::size_t plane = 0; plane < width; ++plane) {
      for (auto& blob : blobs) {
        if (blob.width != width || blob.is_noise(plane) != is_noise) continue;
        const std::size_t numbers = blob.bytes.size() / width;
        const bool is_planar = blob.form == Form::planes;
        const std::size_t step = is_planar ? 1 : width;
        const std::size_t first = is_planar ? plane * numbers : plane;
        for (std::size_t k = 0; k < numbers; ++k) visit(blob.bytes[first + k * step]);
      }
    }
  }
}

std::size_t count_bytes(const std::vector<Blob>& blobs, bool is_noise) {
  std::size_t count = 0;
  for (const Blob& blob : blobs) {
    for (std::size_t plane = 0; plane < blob.width; ++plane) {
      if (blob.is_noise(plane) == is_noise) count += blob.bytes.size() / blob.width;
    }
  }
  return count;
}

/// The bytes that each_byte() visits.
std::string bytes_of(const std::vector<Blob>& blobs, bool is_noise) {
  std::string bytes(count_bytes(blobs, is_noise), '\0');
  char* to = bytes.data();
  each_byte(blobs, is_noise, [&to](std::uint8_t byte) { *to++ = static_cast<char>(byte); });
  return bytes;
}

std::string packed_blobs(const std::vector<std::size_t>& references, const std::vector<Blob>& blobs) {
  std::string out;
  put(out, references.size());
  for (const std::size_t reference : references) put(out, reference);
  put(out, blobs.size());
  for (const Blob& blob : blobs) {
    put(out, blob.width + form_step * static_cast<std::size_t>(blob.form));
    put(out, blob.bytes.size());
  }
  out = deflated(out + bytes_of(blobs, false), blob_level);
  return out + sized(bytes_of(blobs, true));
}

/// The base64 that each mark stands for, in order.
std::vector<std::string> base64_of(Reader& source, std::size_t max_bytes, std::vector<std::size_t>& references) {
  const std::string blobs_text = inflated(source, max_bytes);
  const std::string_view noise = source.take(source.number());
  Reader in(blobs_text);
  const std::size_t marks = in.number();
  if (marks > blobs_text.size() / 4) fail_damaged();
  for (std::size_t k = 0; k < marks; ++k) references.push_back(in.number());
  std::vector<Blob> blobs(std::min(in.number(), blobs_text.size() / 8 + 1));
  std::size_t left = blobs_text.size() + noise.size();
  for (Blob& blob : blobs) {
    const std::size_t form = in.number();
    blob.width = form % form_step;
    blob.form = static_cast<Form>(form / form_step % forms);
    const std::size_t bytes = in.number();
    if (form >= forms * form_step || std::ranges::find(widths, blob.width) == widths.end() || bytes % blob.width != 0 ||
        bytes > left)
      fail_damaged();
    left -= bytes;
    blob.bytes.resize(bytes);
  }
  if (std::ranges::any_of(references, [&](std::size_t k) { return k >= blobs.size(); })) fail_damaged();
  if (count_bytes(blobs, true) != noise.size()) fail_damaged();
  const std::string_view others = in.take(count_bytes(blobs, false));
  const auto fill = [&](bool is_noise, const char* from) {
    each_byte(blobs, is_noise, [&](std::uint8_t& byte) { byte = static_cast<std::uint8_t>(*from++); });
  };
  fill(false, others.data());
  fill(true, noise.data());
  std::vector<std::string> texts;
  for (const Blob& blob : blobs) texts.push_back(encode_base64(blob.bytes));
  return texts;
}

}  // namespace

std::string pack(std::string_view text) {
  std::string marked;
  std::vector<Blob> blobs;
  std::vector<std::size_t> references;
  std::unordered_map<std::string_view, std::size_t> known;
  std::size_t copied = 0;
  const bool has_marks = text.find(mark) != std::string_view::npos;  // no JSON has, but text may be any
  for (std::size_t from = 0; !has_marks;) {
    const std::string_view base64 = next_base64(text, from);
    if (base64.empty()) break;
    const auto at = static_cast<std::size_t>(base64.data() - text.data());
    from = at + base64.size();
    auto place = known.find(base64);
    if (place == known.end()) {
      auto bytes = bytes_of(base64);
      if (bytes.empty()) continue;
      place = known.emplace(base64, blobs.size()).first;
      blobs.push_back(blob_of(text.substr(0, at), std::move(bytes)));
    }
    references.push_back(place->second);
    marked.append(text, copied, at - copied);
    marked += mark;
    copied = from;
  }
  marked.append(text, copied);
  return deflated(marked, text_level) + packed_blobs(references, blobs);
}

std::string unpack_part(std::string_view part, std::size_t max_bytes) {
  Reader in(part);
  const std::string text = inflated(in, max_bytes);
  std::vector<std::size_t> references;
  const std::vector<std::string> base64 = base64_of(in, max_bytes, references);
  std::size_t size = text.size();
  for (const std::size_t reference : references) size += base64[reference].size();
  if (size > max_bytes) fail_large(size, max_bytes);
  if (references.empty()) return text;
  std::string result;
  result.reserve(size);
  std::size_t copied = 0;
  for (const std::size_t reference : references) {
    const std::size_t at = text.find(mark, copied);
    if (at == std::string::npos) fail_damaged();
    result.append(text, copied, at - copied);
    result += base64[reference];
    copied = at + 1;
  }
  return result.append(text, copied);
}

std::string join(std::string_view text, std::span<const std::string_view> parts) {
  std::string bytes(head);
  bytes += sized(pack(text));
  put(bytes, parts.size());
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const bool is_same = k > 0 && parts[k] == parts[k - 1];
    bytes += sized(is_same ? std::string_view() : parts[k]);
  }
  return bytes;
}

bool is_packed(std::string_view bytes) noexcept { return bytes.starts_with(family); }

PackedText split(std::string_view bytes, std::size_t max_bytes) {
  if (bytes.starts_with(first_head)) return {unpack_part(bytes.substr(first_head.size()), max_bytes), {}};
  if (!bytes.starts_with(head) && !bytes.starts_with(second_head))
    throw PresetError("the packed text is of a newer version than this one reads");
  Reader in(bytes.substr(head.size()));
  PackedText packed{unpack_part(in.take(in.number()), max_bytes), {}};
  const std::size_t count = in.number();
  if (count == 0) return packed;
  if (std::cmp_not_equal(count, std::ranges::count(packed.text, part_mark))) fail_damaged();
  for (std::size_t k = 0; k < count; ++k) {
    const std::string_view part = in.take(in.number());
    if (part.empty() && k == 0) fail_damaged();
    packed.parts.push_back(part.empty() ? packed.parts.back() : part);
  }
  return packed;
}

std::string unpack(std::string_view bytes, std::size_t max_bytes) {
  const PackedText packed = split(bytes, max_bytes);
  std::size_t size = packed.text.size();
  return with_parts(packed, [&](std::size_t k) {
    const std::string part = unpack_part(packed.parts[k], max_bytes);
    size += part.size();
    if (size > max_bytes) fail_large(size, max_bytes);
    return part;
  });
}

}  // namespace forestage
