// Structured mutations of every format that the core reads: presets, states, responses as FLAC, equalisers as text and
// as WAV files.
//
//     fuzz_formats preset|state|flac|eq_text|eq_wav [first seed] [count]
//
// Whatever comes in, it is read or refused by an exception whose message is UTF-8, within a second of CPU time; what
// was read is built now and then. Made for the build with sanitizers, which end the program where memory is misused,
// and with the library's assertions: what reads beyond a part of a file is still within the file, and no sanitizer's
// affair. The input that failed is left as fuzz-TARGET-SEED.bin, and its seed alone finds it again.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "base64.hpp"
#include "check_preset.hpp"
#include "engine.hpp"
#include "fir_text.hpp"
#include "flac.hpp"
#include "headphone_eq_text.hpp"
#include "headphone_eq_wav.hpp"
#include "number_text.hpp"
#include "preset_io.hpp"
#include "state.hpp"

extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
const char* __asan_default_options() { return "max_allocation_size_mb=512"; }

namespace forestage {
namespace {

constexpr double most_cpu_s = 1.0;
constexpr unsigned hang_s = 120;  // of time on the wall: the machine may be busy
constexpr std::uint32_t default_count = 10000;
constexpr std::uint32_t builds_every = 50;  // of what was read

using Random = std::minstd_rand;

std::size_t below(Random& random, std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

template <class List>
auto pick(Random& random, const List& list) {
  return list[below(random, std::size(list))];
}

// -- text -------------------------------------------------------------------------------------------------------------

/// Also of base64.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(".-_+/=").find(c) != std::string_view::npos;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> tokens;
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, is_word) - text.begin());
    tokens.emplace_back(text.substr(0, std::max<std::size_t>(end, 1)));
    text.remove_prefix(tokens.back().size());
  }
  return tokens;
}

std::string odd_token(Random& random) {
  constexpr std::array<std::string_view, 47> odd{"0",
                                                 "-0",
                                                 "-1",
                                                 "1",
                                                 "2",
                                                 "16",
                                                 "17",
                                                 "127",
                                                 "65535",
                                                 "65536",
                                                 "2147483648",
                                                 "1e308",
                                                 "-1e308",
                                                 "1e999",
                                                 "1e-320",
                                                 "NaN",
                                                 "null",
                                                 "true",
                                                 "48000",
                                                 "8000",
                                                 "192000",
                                                 "192001",
                                                 "0.5",
                                                 "1,000",
                                                 "10.000",
                                                 "1,5",
                                                 "\"\"",
                                                 "{}",
                                                 "[]",
                                                 "[0]",
                                                 "\xFF",
                                                 "\xC0",
                                                 "\xED\xA0\x80",
                                                 "\"\\ud800\"",
                                                 "\"AADAfw==\"",
                                                 "\"AACAfw==\"",
                                                 "\"f16:AHw=\"",
                                                 "\"flac0:ZkxhQw==\"",
                                                 "\"====\"",
                                                 "kHz",
                                                 "dB",
                                                 "BW Oct",
                                                 "IIR",
                                                 "Channel: L\n",
                                                 "GraphicEQ: ",
                                                 "Filter: ON ",
                                                 "\r"};
  switch (below(random, 8)) {
    case 0:
      return std::string(below(random, 3000), pick(random, std::string_view("[{(\"0a:,+-. \n#\xA0")));
    case 1:
      return std::to_string(random());
    default:
      return std::string(pick(random, odd));
  }
}

/// A number as it might be meant, or base64 of other bytes; anything else becomes odd.
std::string changed_token(Random& random, std::string token) {
  double number = 0.0;
  if (const auto read = std::from_chars(token.data(), token.data() + token.size(), number);
      read.ec == std::errc{} && read.ptr == token.data() + token.size()) {
    return number_text(number * pick(random, std::array{-1.0, 0.0, 0.5, 0.99, 1.01, 2.0, 4.0, 1000.0}));
  }
  if (token.size() < 16) return odd_token(random);
  const std::size_t at = 4 * below(random, token.size() / 4);
  switch (below(random, 4)) {
    case 0:
      return token.erase(at, 4 * (1 + below(random, 4)));
    case 1:
      return token.insert(at, token.substr(4 * below(random, token.size() / 4), 16));
    default:
      token[at + below(random, 3)] = pick(random, std::string_view("ABCDwxyz0189+/=-"));
      return token;
  }
}

/// More often a word than what stands between words, of which there is more.
std::size_t place_of_token(Random& random, const std::vector<std::string>& tokens) {
  std::size_t at = below(random, tokens.size());
  for (int k = 0; k < 8 && !(tokens[at].size() > 0 && is_word(tokens[at][0])); ++k) at = below(random, tokens.size());
  return at;
}

void mutate_tokens(Random& random, std::vector<std::string>& tokens) {
  if (tokens.empty()) tokens.emplace_back();
  const std::size_t at = place_of_token(random, tokens);
  const std::size_t count = std::min(1 + below(random, 8), tokens.size() - at);
  const auto place = tokens.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = place + static_cast<std::ptrdiff_t>(count);
  switch (below(random, 16)) {
    case 0:
      tokens.erase(place, end);
      break;
    case 1: {
      const std::vector<std::string> copy(place, end);
      tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(below(random, tokens.size())), copy.begin(),
                    copy.end());
      break;
    }
    case 2:
      tokens.insert(place, odd_token(random));
      break;
    case 3:
      std::swap(tokens[at], tokens[below(random, tokens.size())]);
      break;
    case 4:
      tokens[at] = odd_token(random);
      break;
    default:
      tokens[at] = changed_token(random, tokens[at]);
  }
}

void mutate_bytes(Random& random, std::string& bytes) {
  if (bytes.empty()) return;
  switch (below(random, 3)) {
    case 0:
      bytes.resize(below(random, bytes.size()));
      break;
    case 1:
      bytes.insert(0, pick(random, std::array<std::string_view, 4>{"\xEF\xBB\xBF", "\xFF\xFE", "\xFE\xFF", "{"}));
      break;
    default:
      bytes[below(random, bytes.size())] = static_cast<char>(random());
  }
}

std::string mutated_text(Random& random, const std::string& base) {
  std::vector<std::string> tokens = split(base);
  for (std::size_t k = 1 + below(random, 3); k > 0; --k) mutate_tokens(random, tokens);
  std::string text;
  for (const std::string& token : tokens) text += token;
  if (below(random, 8) == 0) mutate_bytes(random, text);
  return text;
}

// -- WAV --------------------------------------------------------------------------------------------------------------

void put(std::string& bytes, std::uint64_t value, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) bytes += static_cast<char>(value >> (8 * k));
}

std::string wav(std::string_view head, std::uint64_t tag, std::uint64_t bits, std::uint64_t channels) {
  std::string bytes = std::string(head) + "\x64\1" + std::string(2, '\0') + "WAVEds64";
  put(bytes, 16, 4);
  put(bytes, 0, 8);
  put(bytes, 8 * channels * bits / 8, 8);
  bytes += "fmt ";
  put(bytes, 40, 4);
  for (const std::uint64_t word : {std::uint64_t{0xFFFE}, channels}) put(bytes, word, 2);
  put(bytes, 48000, 4);
  put(bytes, 48000 * channels * bits / 8, 4);
  for (const std::uint64_t word : {channels * bits / 8, bits, std::uint64_t{22}, bits}) put(bytes, word, 2);
  put(bytes, 3, 4);
  put(bytes, tag, 2);
  bytes += std::string("\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71", 14) + "data";
  put(bytes, 8 * channels * bits / 8, 4);
  return bytes + std::string(8 * channels * bits / 8, '\x3E');
}

std::string mutated_wav(Random& random) {
  constexpr std::array<std::uint64_t, 18> odd{
      0, 1, 2, 3, 6, 7, 8, 16, 17, 24, 32, 64, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF};
  const bool is_float = below(random, 2) == 0;
  const std::uint64_t bits = is_float ? pick(random, std::array<std::uint64_t, 2>{32, 64}) : 8 * (1 + below(random, 4));
  const auto head = pick(random, std::array<std::string_view, 3>{"RIFF", "RF64", "BW64"});
  std::string bytes = wav(head, is_float ? 3 : 1, bits, 1 + below(random, 2));
  for (std::size_t k = below(random, 4); k > 0; --k) {
    std::string field;
    put(field, below(random, 3) == 0 ? random() : pick(random, odd), std::size_t{2} << below(random, 3));
    bytes.replace(std::min(bytes.size(), 2 * below(random, 50)), field.size(), field);
  }
  if (below(random, 4) == 0) mutate_bytes(random, bytes);
  return bytes;
}

// -- targets ----------------------------------------------------------------------------------------------------------

constexpr const char* eq_text = R"(Filter Settings file
Notes: any
Preamp: -6,4 dB
Filter 1: ON LSC Fc 105 Hz Gain 6.2 dB Q 0.70
Channel: L
Filter 2: ON PK Fc 1234 Hz Gain -4.1 dB BW Oct 1.5
Filter 3: ON HS 6dB Fc 10 kHz Gain -3.5 dB # comment
Channel: R
Filter 4: ON NO Fc 10000 Hz
Filter 5: ON Modal Fc 50 Hz Gain -3 dB Q 5 T60 target 500 ms
Channel: all
GraphicEQ: 20 -1.2; 250 2; 20000 3.0
Filter: OFF None
)";

HeadphoneEq check_eq() { return parse_parametric_eq(eq_text, "check"); }

std::string preset_text() { return write_preset(make_check_preset(1, 8, 80)); }

std::string state_text() {
  return write_state({.parameters = {{"amount", 50.0f}},
                      .a = std::make_shared<const Preset>(make_check_preset(1, 8)),
                      .b = nullptr,
                      .has_headphone_eq = true,
                      .headphone_eq = check_eq()});
}

std::vector<std::uint8_t> flac_stream() {
  Random random(1);
  std::vector<std::int32_t> samples(5000);
  for (std::int32_t& sample : samples) sample = static_cast<std::int32_t>(below(random, 1 << 12)) - (1 << 11);
  std::fill_n(samples.begin() + 1000, 1500, 0);
  return preset_detail::encode_flac(samples);
}

void build(const Preset& preset, Random& random) {
  Engine engine({.sample_rate = pick(random, std::array{44100.0, 48000.0, 50000.0}), .output_channels = 2});
  engine.load(Slot::a, std::make_shared<const Preset>(preset));
}

void build(const HeadphoneEq& eq, Random& random) {
  headphone_firs(eq, pick(random, std::array{8000, 44100, 48000, 96000}));
}

[[noreturn]] void fail(const std::string& why);

bool is_equal(const std::shared_ptr<const Preset>& a, const std::shared_ptr<const Preset>& b) {
  return a == b || (a && b && *a == *b);
}

/// What was read can be written, whatever was kept of it, and is then read as it was.
void check_comes_back(const PluginState& state) try {
  const PluginState again = parse_state(write_state(state));
  if (again.parameters != state.parameters || !is_equal(again.a, state.a) || !is_equal(again.b, state.b)) {
    fail("a state that is another one after it was written");
  }
} catch (const PresetError& error) {
  fail("a state that was read but cannot be written: " + std::string(error.what()));
}

struct Target {
  std::string_view name;
  std::function<std::string(Random&)> make;
  /// Reads the input; what it returns builds what was read.
  std::function<std::function<void(Random&)>(const std::string&)> read;
};

std::vector<Target> targets() {
  return {
      {"preset", [base = preset_text()](Random& random) { return mutated_text(random, base); },
       [](const std::string& input) -> std::function<void(Random&)> {
         return [preset = parse_preset(input)](Random& random) { build(preset, random); };
       }},
      {"state",
       [base = state_text(), packed = packed_state(state_text())](Random& random) {
         if (below(random, 4) > 0) return mutated_text(random, base);
         std::string bytes = packed;
         mutate_bytes(random, bytes);
         return bytes;
       },
       [](const std::string& input) -> std::function<void(Random&)> {
         return [state = parse_state(input)](Random& random) {
           check_comes_back(state);
           if (state.a) build(*state.a, random);
           if (state.headphone_eq) build(*state.headphone_eq, random);
         };
       }},
      {"flac",
       [base = flac_stream()](Random& random) {
         std::vector<std::uint8_t> stream = base;
         for (std::size_t k = 1 + below(random, 4); k > 0; --k) {
           stream[below(random, stream.size())] = static_cast<std::uint8_t>(random());
         }
         if (below(random, 4) == 0) stream.resize(below(random, stream.size()));
         return "flac0:" + preset_detail::encode_base64(stream);
       },
       [](const std::string& input) -> std::function<void(Random&)> {
         return [fir = preset_detail::decode_fir(input, {})](Random&) {
           if (preset_detail::decode_fir(preset_detail::encode_fir(fir), {}) != fir) fail("taps that do not come back");
         };
       }},
      {"eq_text", [](Random& random) { return mutated_text(random, eq_text); },
       [](const std::string& input) -> std::function<void(Random&)> {
         return [eq = parse_parametric_eq(input, input)](Random& random) { build(eq, random); };
       }},
      {"eq_wav", &mutated_wav,
       [](const std::string& input) -> std::function<void(Random&)> {
         return [eq = parse_eq_wav(input, input)](Random& random) { build(eq, random); };
       }},
  };
}

// -- runs -------------------------------------------------------------------------------------------------------------

struct Case {
  std::string target;
  std::uint32_t seed = 0;
  std::string input;
};
Case current;  // for who is called when the program is about to die

void report() {
  const std::string name = "fuzz-" + current.target + "-" + std::to_string(current.seed) + ".bin";
  std::ofstream(name, std::ios::binary) << current.input;
  std::fprintf(stderr, "failed: fuzz_formats %s %u 1; the input is in %s\n", current.target.c_str(), current.seed,
               name.c_str());
}

void fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  report();
  std::exit(1);
}

void check_message(std::string_view message) {
  if (message.empty()) fail("an error without a message");
  try {
    static_cast<void>(nlohmann::json(message).dump());
  } catch (const nlohmann::json::exception&) {
    fail("an error whose message is no UTF-8");
  }
}

/// Whether the input was read; `builds` as well.
bool run(const Target& target, Random& random, bool builds) {
  const std::clock_t start = std::clock();
  bool is_read = false;
  alarm(hang_s);
  try {
    const auto build_it = target.read(current.input);
    is_read = true;
    if (builds) build_it(random);
  } catch (const std::exception& error) {
    check_message(error.what());
  }
  const double cpu_s = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  if (cpu_s > most_cpu_s) fail("took " + std::to_string(cpu_s) + " s of CPU time");
  return is_read;
}

int fuzz(const Target& target, std::uint32_t first, std::uint32_t count) {
  std::uint32_t read = 0;
  current.target = target.name;
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    Random random(seed * 2654435761U + 1U);
    current.seed = seed;
    current.input = target.make(random);
    read += run(target, random, count == 1 || read % builds_every == 0) ? 1 : 0;
  }
  std::printf("%s: %u of %u mutations were read, the others refused\n", current.target.c_str(), read, count);
  return read > 0 || count < 100 ? 0 : 1;  // mutations that are all refused would test nothing behind
}

}  // namespace
}  // namespace forestage

int main(int argc, char** argv) {
  using namespace forestage;
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(report);
#endif
  std::signal(SIGALRM, [](int) { std::abort(); });
  std::signal(SIGABRT, [](int) { report(); });  // also from assertions of the library; ends the program all the same
  const std::string_view name = argc > 1 ? argv[1] : "";
  const auto number = [&](int at, std::uint32_t otherwise) {
    return argc > at ? static_cast<std::uint32_t>(std::strtoul(argv[at], nullptr, 10)) : otherwise;
  };
  for (const Target& target : targets()) {
    if (target.name == name) return fuzz(target, number(2, 0), number(3, default_count));
  }
  std::fprintf(stderr, "fuzz_formats preset|state|eq_text|eq_wav [first seed] [count]\n");
  return 2;
}
