#include "fir_text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base64.hpp"
#include "flac.hpp"
#include "shared_by_content.hpp"

namespace forestage::preset_detail {

namespace {

constexpr std::string_view half_prefix = "f16:";
constexpr std::string_view planes_prefix = "f16p:";
constexpr std::string_view flac_prefix = "flac";
constexpr int least_scale = -100;
constexpr int most_scale = 10;  // just above max_tap

/// Bits of a number that float16 (IEEE 754) holds exactly.
std::optional<std::uint16_t> half_bits(float value) {
  constexpr int least_exponent = -14;
  constexpr int most_exponent = 15;
  const auto word = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t biased = (word >> 23) & 255U;
  if ((word & 0x1fffU) == 0 && biased >= 113 && biased <= 142) {  // normal in both, and no digit too many
    return static_cast<std::uint16_t>((word >> 16 & 0x8000U) | ((word >> 13 & 0x3ffffU) - (112U << 10)));
  }
  const float magnitude = std::abs(value);
  const int exponent = magnitude > 0.0f ? std::max(std::ilogb(magnitude), least_exponent) : least_exponent;
  const float mantissa = std::ldexp(magnitude, 10 - exponent);
  if (exponent > most_exponent || mantissa != std::floor(mantissa)) return std::nullopt;
  // The leading bit of a normal mantissa adds one to the exponent; a subnormal one has none, and needs none.
  const int bits = ((exponent - least_exponent) << 10) + static_cast<int>(mantissa);
  return static_cast<std::uint16_t>(bits | (std::signbit(value) ? 0x8000 : 0));
}

float from_half_bits(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  if (exponent > 0 && exponent < 31) {  // normal
    return std::bit_cast<float>(
        static_cast<std::uint32_t>((bits & 0x8000) << 16 | ((bits & 0x7fff) + (112 << 10)) << 13));
  }
  const int fraction = bits & 1023;
  float value = std::ldexp(static_cast<float>(exponent > 0 ? 1024 + fraction : fraction), std::max(exponent, 1) - 25);
  if (exponent == 31) value = fraction > 0 ? std::nanf("") : INFINITY;
  return (bits & 0x8000) != 0 ? -value : value;
}

/// Where byte `k` of number `i` is among `count` numbers of `width` bytes, which stand one after the other, or have
/// their first bytes before all second ones.
struct Layout {
  std::size_t width;
  std::size_t count;
  bool has_planes;
  std::size_t at(std::size_t i, std::size_t k) const { return has_planes ? k * count + i : i * width + k; }
};

template <class Word>
Word word_at(const std::uint8_t* bytes, const Layout& layout, std::size_t i) {
  Word word = 0;
  for (std::size_t k = 0; k < sizeof(Word); ++k) word |= static_cast<Word>(Word{bytes[layout.at(i, k)]} << (8 * k));
  return word;
}

std::optional<std::string> encode_half(const Fir& taps) {
  std::vector<std::uint8_t> bytes(2 * taps.size());
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const auto bits = half_bits(taps[i]);
    if (!bits) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(*bits);
    bytes[taps.size() + i] = static_cast<std::uint8_t>(*bits >> 8);
  }
  return std::string(planes_prefix) + encode_base64(bytes);
}

/// Texts of the filters that were last read or written as FLAC, so that what is read is written as it was, whichever
/// libFLAC and processor it is from, and nothing is encoded that has a text.
class FlacTexts {
 public:
  std::optional<std::string> find(const Fir& taps) {
    const std::lock_guard guard(mutex_);
    const auto found = std::ranges::find(texts_, key_of(taps), &Entry::first);
    if (found == texts_.end()) return std::nullopt;
    texts_.splice(texts_.begin(), texts_, found);
    return found->second;
  }
  void keep(const Fir& taps, std::string_view text) {
    const std::lock_guard guard(mutex_);
    const std::uint64_t key = key_of(taps);
    std::erase_if(texts_, [key](const Entry& entry) { return entry.first == key; });
    texts_.emplace_front(key, text);
    if (texts_.size() > most) texts_.pop_back();
  }

 private:
  using Entry = std::pair<std::uint64_t, std::string>;
  static constexpr std::size_t most = 64;  // rooms of some four presets, 1.3 MB
  static std::uint64_t key_of(const Fir& taps) { return ContentHash().add(std::span(taps)).value(); }
  std::mutex mutex_;
  std::list<Entry> texts_;  // the newest first
};

FlacTexts& flac_texts() {
  static FlacTexts texts;
  return texts;
}

/// Of numbers in fixed point with a full scale of 2^scale.
float step_of(int scale) { return std::ldexp(1.0f, scale - (flac_bits - 1)); }

std::optional<std::string> encode_fixed(const Fir& taps) {
  if (auto known = flac_texts().find(taps)) return known;
  float peak = 0.0f;
  for (const float tap : taps) peak = std::max(peak, std::abs(tap));
  if (!(peak > 0.0f && peak <= max_tap)) return std::nullopt;
  int scale = 0;
  std::frexp(peak, &scale);
  if (scale < least_scale) return std::nullopt;
  const float step = step_of(scale);
  const float gain = 1.0f / step;
  std::vector<std::int32_t> samples(taps.size());
  std::uint32_t lost = 0;  // bits; -0 and what is no number lose some, too
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const float sample = gain * taps[i];
    samples[i] = static_cast<std::int32_t>(std::abs(taps[i]) <= peak ? sample : 0.0f);
    lost |= std::bit_cast<std::uint32_t>(step * static_cast<float>(samples[i])) ^ std::bit_cast<std::uint32_t>(taps[i]);
  }
  if (lost != 0) return std::nullopt;
  const std::string text = std::string(flac_prefix) + std::to_string(scale) + ":" + encode_base64(encode_flac(samples));
  flac_texts().keep(taps, text);
  return text;
}

Fir decode_fixed(std::string_view text, const Path& path) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  int scale = 0;
  const auto [end, error] = std::from_chars(text.data() + flac_prefix.size(), text.data() + colon, scale);
  if (error != std::errc() || end != text.data() + colon || colon == text.size() || scale < least_scale ||
      scale > most_scale) {
    fail(path, "begins with " + describe(std::string(text.substr(0, std::min<std::size_t>(colon, 16)))) +
                   "; \"flac\", a whole number from " + std::to_string(least_scale) + " to " +
                   std::to_string(most_scale) + " and a colon would be right");
  }
  const auto samples = decode_flac(decode_base64(text.substr(colon + 1), "FLAC", path), max_taps);
  if (!samples) {
    fail(path, "is no FLAC of one channel with " + std::to_string(flac_bits) + " bits and at most " +
                   std::to_string(max_taps) + " taps, or it is damaged");
  }
  Fir taps(samples->size());
  const float step = step_of(scale);
  std::ranges::transform(*samples, taps.begin(),
                         [step](std::int32_t sample) { return step * static_cast<float>(sample); });
  return taps;
}

void check_taps(const Fir& taps, const Path& path) {
  for (std::size_t i = 0; i < taps.size(); ++i) {
    if (std::abs(taps[i]) <= max_tap) continue;
    const std::string tap = "tap " + std::to_string(i) + " is ";
    if (std::isnan(taps[i])) fail(path, tap + "NaN; taps must be finite");
    if (std::isinf(taps[i])) fail(path, tap + "infinite; taps must be finite");
    fail(path, tap + number_text(taps[i]) + "; taps must be within +-" + number_text(max_tap));
  }
}

}  // namespace

std::string encode_fir(const Fir& taps) {
  if (taps.size() > long_taps) {
    if (auto text = encode_fixed(taps)) return *std::move(text);
    if (auto text = encode_half(taps)) return *std::move(text);
  }
  std::vector<std::uint8_t> bytes(4 * taps.size());
  for (std::size_t i = 0; i < taps.size(); ++i) {
    const auto word = std::bit_cast<std::uint32_t>(taps[i]);
    for (std::size_t k = 0; k < 4; ++k) bytes[4 * i + k] = static_cast<std::uint8_t>(word >> (8 * k));
  }
  return encode_base64(bytes);
}

Fir decode_fir(std::string_view text, const Path& path) {
  const bool has_planes = text.starts_with(planes_prefix);
  const bool is_half = has_planes || text.starts_with(half_prefix);
  const std::size_t prefix = has_planes ? planes_prefix.size() : is_half ? half_prefix.size() : 0;
  const std::string_view body = text.substr(prefix);
  if (body.size() > base64_chars(max_taps * (is_half ? 2 : 4))) {
    fail(path, "has " + std::to_string(text.size()) + " characters; a filter has at most " + std::to_string(max_taps) +
                   " taps");
  }
  if (text.starts_with(flac_prefix) && text.find(':') != text.npos) {
    Fir taps = decode_fixed(text, path);
    check_taps(taps, path);
    if (taps.size() > long_taps) flac_texts().keep(taps, text);
    return taps;
  }
  const std::string_view what = is_half ? "float16 taps" : "float32 taps";
  const std::vector<std::uint8_t> bytes = decode_base64(body, what, path);
  const std::size_t width = is_half ? 2 : 4;
  if (bytes.size() % width != 0) {
    fail(path, "holds " + std::to_string(bytes.size()) + " bytes; " + std::string(what) + " take a multiple of " +
                   std::to_string(width));
  }
  const Layout layout{width, bytes.size() / width, has_planes};
  Fir taps(layout.count);
  for (std::size_t i = 0; i < taps.size(); ++i) {
    taps[i] = is_half ? from_half_bits(word_at<std::uint16_t>(bytes.data(), layout, i))
                      : std::bit_cast<float>(word_at<std::uint32_t>(bytes.data(), layout, i));
  }
  check_taps(taps, path);
  return taps;
}

}  // namespace forestage::preset_detail
