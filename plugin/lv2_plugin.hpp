// The LV2 plugins: one forestage::Engine behind the ports of lv2_ports.hpp, without JUCE.
//
// Values: a port counts when it moves, a state or a preset when it is loaded; what came last holds. So a port that
// stays at its default leaves the values of a state, and a session whose ports and state agree opens as it was in any
// order.
// Presets: `preset` is a position in the list (preset_list.hpp) and goes into the slot that plays, with the preset's
// own values. What is set at first is there at the first frame: it is loaded in `activate`, or, for hosts that connect
// ports only afterwards (ffmpeg), in the first block, which waits. Later it is loaded by a thread of the plugin's own,
// or, when the host is free-wheeling and may wait, within the block.
// Files: patch:Set with preset_file or headphone_eq and a path.
// State: as the other formats have it, as text under the key that JUCE's LV2 client used. What the window changes of it
// without moving a port is told by a message.
#pragma once

#include <lv2/atom/atom.h>
#include <lv2/core/lv2.h>
#include <lv2/state/state.h>
#include <lv2/urid/urid.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "lanes.hpp"
#include "level_tap.hpp"
#include "lv2_loader.hpp"
#include "lv2_ports.hpp"
#include "preset_list.hpp"
#include "session.hpp"
#include "sound_tap.hpp"

namespace forestage::plugin {

class Lv2Plugin {
 public:
  /// Throws std::exception where the engine cannot play at this rate.  [main]
  Lv2Plugin(int outputs, double sample_rate, const LV2_URID_Map* map);

  void connect(std::uint32_t port, void* data) noexcept;  // [audio, or stopped]
  void activate();                                        // [main]
  void run(std::uint32_t frames) noexcept;                // [audio]

  // What a window shows and changes, on the host's own thread for windows.
  float shown(Param id) const;                     // in the unit of the table
  void set_shown(Param id, float plain) noexcept;  // a port that stays where it is says nothing
  const Session& session() const noexcept { return session_; }
  /// Has the session keep what is answered of blind trials.  [any but audio]
  void note_blind();
  std::shared_ptr<const PresetList> presets() const;
  void reload_presets();
  /// A preset with its knobs, where the slot plays; on a throw all stays as it was.
  void load(Slot slot, std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen);
  void put_back(const SlotPresets& presets, const std::array<std::optional<ChosenPreset>, 2>& chosen);
  void set_headphone_eq(std::optional<HeadphoneEq> eq);
  /// The port of presets will move to where the window has put it: no choice of the host's.
  void expect_preset_port(int position) noexcept { restored_preset_.store(position, std::memory_order_relaxed); }
  LevelTap& levels() noexcept { return levels_; }
  SoundTap& sound() noexcept { return sound_; }
  const Lv2Ports& ports() const noexcept { return ports_; }

  LV2_State_Status save(LV2_State_Store_Function store, LV2_State_Handle handle);           // [any but audio]
  LV2_State_Status restore(LV2_State_Retrieve_Function retrieve, LV2_State_Handle handle);  // [any but audio]

 private:
  struct Urids {
    explicit Urids(const LV2_URID_Map* map);
    LV2_URID atom_int = 0, atom_string = 0, atom_path = 0, atom_urid = 0, atom_object = 0, atom_blank = 0,
             atom_resource = 0, atom_sequence = 0, patch_set = 0, patch_property = 0, patch_value = 0, state = 0,
             state_changed = 0, program = 0, preset_port = 0, preset_file = 0, headphone_eq = 0;
  };

  const float* control(int port) const noexcept;
  bool is_on(int port, bool otherwise) const noexcept;
  void take_ports() noexcept;
  bool take_preset_port() noexcept;
  void take_messages() noexcept;
  bool take_message(const LV2_Atom_Event& event) noexcept;
  void play(std::uint32_t start, std::uint32_t frames) noexcept;
  void report() noexcept;
  void send_messages() noexcept;
  void note_change() noexcept { changes_.fetch_add(1, std::memory_order_relaxed); }
  void serve();
  void load_preset(int position);
  void load_file(const FileRequest& request);
  void load_chosen(std::shared_ptr<const Preset> preset, std::optional<ChosenPreset> chosen);
  void take_values(const ParamValues& values) noexcept;
  float value(Param id) const noexcept { return values_[static_cast<std::size_t>(id)].load(std::memory_order_relaxed); }

  const Lv2Ports ports_;
  const Urids urids_;
  std::vector<void*> connected_;
  Lanes lanes_;
  std::shared_ptr<const PresetList> list_;  // under load_mutex_
  std::atomic<int> preset_count_;           // of it
  Session session_;
  LevelTap levels_;
  SoundTap sound_;

  std::array<std::atomic<float>, param_count> values_{};       // what holds
  std::array<std::atomic<unsigned>, param_count> moved_in_{};  // the request during which a port last moved its value
  bool has_started_with_ports_ = false;
  ParamValues seen_{};                // of the ports; audio thread
  std::atomic<int> preset_seen_{0};   // of its port
  std::atomic<int> restored_preset_;  // where the port stood when the state was saved: no choice
  std::atomic<int> wanted_preset_;
  std::atomic<unsigned> request_{0};  // counts wanted presets
  std::atomic<unsigned> changes_{0};  // of the state, by the window and by answers of blind trials
  unsigned changes_told_ = 0;         // to the host; audio thread
  FileRequests files_;
  mutable std::mutex load_mutex_;  // who loads: the loader, the host's main thread
  Loader loader_;                  // the last one: it uses the others
};

}  // namespace forestage::plugin
