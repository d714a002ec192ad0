// JSON with long base64 in it (taps), packed without loss: what comes out again is the same text to the byte.
//
//     bytes   "forestage-packed 1\n", then the text and the blobs, each as size, packed size (uint32), zlib stream, and
//             the lowest bytes of the blobs' numbers as size, bytes
//     text    the JSON, with a NUL where base64 was
//     blobs   which blob each NUL stands for; width and bytes of each blob; all but the lowest bytes of all blobs
//
// Equal blobs are there once. Taps are split into their bytes, as only the high ones are alike, and the lowest are
// noise that nothing packs: float16 responses of a room then take 83 % of themselves. All numbers are little-endian.
#pragma once

#include <string>
#include <string_view>

namespace forestage {

struct PackedText {
  std::string text;   // with its NULs, which may be edited elsewhere
  std::string blobs;  // all the rest of the bytes
};

PackedText pack(std::string_view text);
std::string to_bytes(const PackedText& packed);

bool is_packed(std::string_view bytes) noexcept;
/// Throws PresetError where the bytes are damaged, of a newer version, or would take more than `max_bytes`.
std::string unpack(std::string_view bytes, std::size_t max_bytes);

}  // namespace forestage
