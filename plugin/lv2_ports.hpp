// The ports of the LV2 plugins, in one place for what plays them (lv2_plugin.cpp) and what describes them
// (lv2_turtle.cpp).
//
//     2 audio in | N audio out | messages in, out | latency | free_wheeling | enabled | preset | a port per parameter
//
// Hosts keep the order, so it only ever grows at its end: new rows of the table come last.
#pragma once

#include <cstdint>
#include <string>

#include "layouts.hpp"
#include "params.hpp"

namespace forestage::plugin {

inline constexpr char lv2_uri[] = "urn:forestage:forestage";  // of the stereo plugin; frozen, as all below
inline constexpr char lv2_state_uri[] = "urn:forestage:forestage:StateString";
inline constexpr char lv2_program_uri[] = "urn:forestage:forestage:Program";  // an old preset's state: a position
inline constexpr char lv2_preset_port_uri[] = "urn:forestage:forestage:PresetPort";
inline constexpr char lv2_preset_file_uri[] = "urn:forestage:forestage:preset_file";
inline constexpr char lv2_headphone_eq_uri[] = "urn:forestage:forestage:headphone_eq";

inline constexpr char lv2_window_uri[] = "urn:forestage:forestage:window";

inline std::string lv2_uri_of(int outputs) {
  return outputs == 2 ? lv2_uri : std::string(lv2_uri) + ":drivers" + std::to_string(outputs);
}

struct Lv2Ports {
  int outputs;

  static constexpr int inputs = 2;
  constexpr int output(int channel) const { return inputs + channel; }
  constexpr int messages_in() const { return inputs + outputs; }
  constexpr int messages_out() const { return messages_in() + 1; }
  constexpr int latency() const { return messages_in() + 2; }
  constexpr int free_wheeling() const { return messages_in() + 3; }
  constexpr int enabled() const { return messages_in() + 4; }
  constexpr int preset() const { return messages_in() + 5; }
  constexpr int param(std::size_t row) const { return messages_in() + 6 + static_cast<int>(row); }
  constexpr int count() const { return param(param_count); }
};

}  // namespace forestage::plugin
