// JSON with long base64 in it (taps), packed without loss, in parts: what stays the same is packed once, and goes into
// many packed texts. It comes out again as the same text to the byte.
//
//     bytes   "forestage-packed 3\n", the text with a mark for each part as size, bytes; number of parts, and each part
//             as size, bytes, where size 0 is the part before once more
//     part    text and blobs, each as size, packed size, zlib stream, and what is noise of the blobs as size, bytes
//     text    the JSON, with a NUL where base64 was
//     blobs   which blob each NUL stands for; width, form and bytes of each blob; what is no noise of all blobs
//
// Equal blobs are there once. Taps are split into their bytes, as those of a place are alike. What nothing packs is
// not given to zlib: FLAC, and the lower bytes of float16. All numbers are little-endian; sizes are uint32. Version 2
// took the lowest bytes of float32 for noise, too, and version 1 was one part without a size.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forestage {

/// Stands in a text where a part belongs; JSON has no such character.
inline constexpr char part_mark = '\1';

/// One part.
std::string pack(std::string_view text);
std::string unpack_part(std::string_view part, std::size_t max_bytes);

/// What packed bytes hold: a text with marks, and what belongs there, still packed.
struct PackedText {
  std::string text;
  std::vector<std::string_view> parts;
};

/// `text` has as many marks as there are parts; without parts it may be any text.
std::string join(std::string_view text, std::span<const std::string_view> parts);
/// Throws PresetError where the bytes are damaged, of a newer version, or would take more than `max_bytes`.
PackedText split(std::string_view bytes, std::size_t max_bytes);

/// The text, with `replacement(k)` in the place of mark k.
template <class Replacement>
std::string with_parts(const PackedText& packed, Replacement replacement) {
  if (packed.parts.empty()) return packed.text;
  std::string result;
  std::size_t copied = 0;
  for (std::size_t k = 0; k < packed.parts.size(); ++k) {
    const std::size_t at = packed.text.find(part_mark, copied);
    result.append(packed.text, copied, at - copied);
    result += replacement(k);
    copied = at + 1;
  }
  return result.append(packed.text, copied);
}

bool is_packed(std::string_view bytes) noexcept;
/// The whole text; throws as split() does.
std::string unpack(std::string_view bytes, std::size_t max_bytes);

}  // namespace forestage
