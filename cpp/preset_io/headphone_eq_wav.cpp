#include "headphone_eq_wav.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "headphone_eq_text.hpp"

namespace forestage {

namespace {

constexpr std::uint32_t least_unknown_bytes = 0x7FFFF000;  // from here on, lengths that files do not have are "unknown"
constexpr std::string_view what_is_read = "; a WAV file of PCM (8 to 32 bits) or floats would be right";

[[noreturn]] void fail(const std::string& what) { throw std::invalid_argument(what); }

/// `count` bytes of `bytes` from `at` on as a number, the least first; the caller knows that they are there.
std::uint64_t unsigned_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < count; ++k) {
    value |= std::uint64_t{static_cast<unsigned char>(bytes[at + k])} << (8 * k);
  }
  return value;
}

// -- what it is -------------------------------------------------------------------------------------------------------

struct Signature {
  std::string_view bytes;
  std::string_view name;
};
constexpr std::array signatures{
    Signature{"fLaC", "FLAC"},
    Signature{"FORM", "AIFF"},
    Signature{"OggS", "Ogg"},
    Signature{"ID3", "MP3"},
    Signature{"\xFF\xFB", "MP3"},
    Signature{"caff", "CAF"},
    Signature{"wvpk", "WavPack"},
    Signature{"riff", "Wave64"},
    Signature{"RIFX", "WAV of the other byte order (RIFX)"},
    Signature{".snd", "Sun audio"},
};  // what people find under the name of a WAV

void check_kind(std::string_view file) {
  for (const auto& [bytes, name] : signatures) {
    if (file.starts_with(bytes))
      fail("is " + std::string(name) + " under the name of a WAV" + std::string(what_is_read));
  }
  const bool is_wave = file.starts_with("RIFF") || file.starts_with("RF64") || file.starts_with("BW64");
  if (!is_wave || file.substr(std::min<std::size_t>(8, file.size()), 4) != "WAVE") fail("is not a WAV file");
}

struct Coding {
  std::uint64_t tag;
  std::string_view name;
};
constexpr std::uint64_t pcm = 1;
constexpr std::uint64_t floats = 3;
constexpr std::uint64_t extensible = 0xFFFE;
constexpr std::array codings{
    Coding{2, "ADPCM"},        Coding{6, "A-law"},  Coding{7, "mu-law"},
    Coding{0x11, "IMA ADPCM"}, Coding{0x31, "GSM"}, Coding{0x50, "MPEG audio"},
    Coding{0x55, "MP3"},       Coding{0xFF, "AAC"}, Coding{0xF1AC, "FLAC"},
};

std::string coding_name(std::uint64_t tag) {
  const auto* const found = std::ranges::find(codings, tag, &Coding::tag);
  return found != codings.end() ? std::string(found->name) : "sound of the unknown format " + std::to_string(tag);
}

// -- chunks -----------------------------------------------------------------------------------------------------------

struct Chunks {
  std::optional<std::string_view> format;
  std::optional<std::string_view> sound;
};

/// What the header says of the sound's length, against what follows it.
std::string_view sound_of(std::string_view rest, std::uint64_t said_bytes, bool is_known) {
  if (!is_known) return rest;
  if (said_bytes > rest.size()) {
    fail("ends after " + std::to_string(rest.size()) + " of " + std::to_string(said_bytes) +
         " bytes of sound: the file is truncated; a whole one would be right");
  }
  return rest.substr(0, said_bytes);
}

Chunks read_chunks(std::string_view file) {
  Chunks chunks;
  const bool is_riff = file.starts_with("RIFF");
  std::optional<std::uint64_t> long_bytes;  // of the sound, where 32 bits may not hold it
  constexpr std::size_t head = 8;
  std::size_t at = 12;
  while (file.size() - at >= head && !chunks.sound) {
    const std::string_view id = file.substr(at, 4);
    const std::uint64_t bytes = unsigned_at(file, at + 4, 4);
    const std::string_view rest = file.substr(at + head);
    if (id == "data") {
      if (!is_riff && bytes == 0xFFFFFFFF && long_bytes) {
        chunks.sound = sound_of(rest, *long_bytes, *long_bytes != 0);
      } else {
        chunks.sound = sound_of(rest, bytes, bytes != 0 && bytes < least_unknown_bytes);
      }
    } else if (bytes > rest.size()) {
      break;
    } else if (id == "fmt ") {
      chunks.format = rest.substr(0, bytes);
    } else if (id == "ds64" && bytes >= 16) {
      long_bytes = unsigned_at(rest, 8, 8);
    }
    at += std::min<std::size_t>(head + bytes + bytes % 2, file.size() - at);
  }
  return chunks;
}

// -- format -----------------------------------------------------------------------------------------------------------

struct Format {
  std::uint64_t tag = pcm;
  std::size_t channels = 0;
  int sample_rate = 0;
  std::size_t sample_bytes = 0;
  std::size_t frame_bytes() const { return channels * sample_bytes; }
};

Format read_format(std::string_view chunk) {
  if (chunk.size() < 16) fail("has a broken header (a format of " + std::to_string(chunk.size()) + " bytes)");
  Format format;
  format.tag = unsigned_at(chunk, 0, 2);
  format.channels = unsigned_at(chunk, 2, 2);
  const auto rate = static_cast<std::int64_t>(unsigned_at(chunk, 4, 4));
  const std::uint64_t frame_bytes = unsigned_at(chunk, 12, 2);
  const std::uint64_t bits = unsigned_at(chunk, 14, 2);
  if (format.tag == extensible && chunk.size() >= 26) format.tag = unsigned_at(chunk, 24, 2);
  if (format.tag != pcm && format.tag != floats) fail("holds " + coding_name(format.tag) + std::string(what_is_read));
  if (format.channels != 1 && format.channels != 2) {
    fail("has " + std::to_string(format.channels) + " channels; one or two would be right");
  }
  check_eq_rate(rate);
  format.sample_rate = static_cast<int>(rate);
  format.sample_bytes = (bits + 7) / 8;
  const bool is_right = format.tag == pcm ? bits >= 1 && bits <= 32 : bits == 32 || bits == 64;
  if (!is_right) {
    fail("has " + std::to_string(bits) + " bits; " + (format.tag == pcm ? "PCM of 8 to 32" : "floats of 32 or 64") +
         " would be right");
  }
  if (frame_bytes != format.frame_bytes()) {
    fail("has frames of " + std::to_string(frame_bytes) + " bytes; " + std::to_string(format.frame_bytes()) +
         " would be right for " + std::to_string(bits) + " bits and " + std::to_string(format.channels) + " channels");
  }
  return format;
}

// -- samples ----------------------------------------------------------------------------------------------------------

float sample_at(std::string_view sound, std::size_t at, const Format& format) {
  const std::uint64_t word = unsigned_at(sound, at, format.sample_bytes);
  if (format.tag == floats) {
    if (format.sample_bytes == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(word));
    constexpr double most = 1e30;  // any float will do that is refused as well
    return static_cast<float>(std::clamp(std::bit_cast<double>(word), -most, most));
  }
  if (format.sample_bytes == 1) return static_cast<float>(static_cast<int>(word) - 128) / 128.0f;
  const auto at_top = static_cast<std::uint32_t>(word << (32 - 8 * format.sample_bytes));
  return static_cast<float>(static_cast<double>(std::bit_cast<std::int32_t>(at_top)) / 2147483648.0);
}

Fir read_channel(std::string_view sound, const Format& format, std::size_t channel) {
  Fir fir(sound.size() / format.frame_bytes());
  for (std::size_t n = 0; n < fir.size(); ++n) {
    fir[n] = sample_at(sound, n * format.frame_bytes() + channel * format.sample_bytes, format);
  }
  return fir;
}

}  // namespace

HeadphoneEq parse_eq_wav(std::string_view bytes, std::string_view name) {
  check_kind(bytes);
  const Chunks chunks = read_chunks(bytes);
  if (!chunks.format) fail("has no format before its sound; it is not a WAV file, or a broken one");
  const Format format = read_format(*chunks.format);
  if (!chunks.sound || chunks.sound->size() < format.frame_bytes()) fail("holds no sound");
  check_eq_frames(chunks.sound->size() / format.frame_bytes(), format.sample_rate);
  FirEq eq{format.sample_rate,
           {read_channel(*chunks.sound, format, 0), read_channel(*chunks.sound, format, format.channels - 1)}};
  check(eq);
  return {headphone_eq_name(name), std::move(eq)};
}

}  // namespace forestage
