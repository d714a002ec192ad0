// The engine: two slots, each with a graph of its own; hand-over of new graphs; bypass; guards against bad input. One
// engine is what the plugin and Python both drive.
//
//     load(slot, preset) [main] ── build ──▶ mailbox ──▶ [audio] warm up, cross-fade 20 ms, give back ──▶ freed [main]
//
// | call                            | thread           | may allocate, lock, throw |
// |---------------------------------|------------------|---------------------------|
// | Engine(), load(), unload(),     | main/worker, one | yes; std::invalid_argument with a message that a user can |
// | set_headphone_eq()              | at a time        | act on |
// | process(), reset()              | audio or stopped | no |
// | set_param(), param(), status(), | any              | no: one atomic each, or a few |
// | match_found(), is_blind()       |                  | |
// | hold_match(), seed_draws()      | audio or stopped | no |
// | blind_run()                     | any              | it allocates |
// | continue_from()                 | main, both stopped | no |
// | latency_frames(), tail_frames() | any              | no; they change inside load() and unload(), and with |
// |                                 |                  | upmix_quality |
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "blind_listening.hpp"
#include "blocks.hpp"
#include "headphone_eq.hpp"
#include "params.hpp"
#include "preset.hpp"
#include "programme_match.hpp"

namespace forestage {

struct EngineSpec {
  double sample_rate = 48000.0;
  int output_channels = 2;  // at least 2; headphones use the first two
  bool operator==(const EngineSpec&) const = default;
};

/// What a preset cannot have as it stands.
struct Lacks {
  bool filters = false;  // of this rate
  bool outputs = false;  // for its drivers
  bool room = false;
};

Lacks lacks(const Preset& preset, const EngineSpec& spec);
/// What there is to say of it.  [any]
Status status_of(const Lacks& lacks, Monitor monitor, bool in_room) noexcept;

/// What an engine plays: a preset for each slot, or none, and the equaliser of the headphones, if they have one.
struct EngineContents {
  std::array<std::shared_ptr<const Preset>, 2> presets;
  std::optional<HeadphoneEq> headphone_eq;
};

class Engine {
 public:
  explicit Engine(const EngineSpec& spec);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Builds all for this engine and hands it over; the newest wins. Parameters stay as they are; on a throw, all.
  void load(const EngineContents& contents);
  /// The same for one slot.
  void load(Slot slot, std::shared_ptr<const Preset> preset);
  /// Empties the slot. An empty slot plays the other one; with both empty, the stereo input passes through.
  void unload(Slot slot);
  /// The headphones monitors of both slots play through the equaliser, or through none; it stays when presets change.
  /// Handed over as a new preset is. Latency and Speakers stay as they are.
  void set_headphone_eq(const std::optional<HeadphoneEq>& eq);

  /// Reads stereo from lanes 0-1 and writes every lane, in place; io.channels == output_channels.
  void process(AudioBlock io) noexcept FORESTAGE_NONBLOCKING;
  void reset() noexcept;

  /// What level_match = Programme has found of the ears of each slot. It measures while it is chosen.
  MatchFound match_found() const noexcept;
  /// Programme plays with these gains from now on, whatever it measures; with none it moves them again.
  void hold_match(const std::optional<MatchFound>& found) noexcept;

  /// Whether blind trials run: what is heard is not what slot, monitor and bypass say, meters rest, and nothing but the
  /// trims moves.
  bool is_blind() const noexcept;
  /// What of the parameters of blind trials has been taken, so that a host may set them back.
  BlindTaken blind_taken() const noexcept;
  /// The last trials, with what is answered.
  BlindRun blind_run() const;
  /// The same draws for the same number, for tests; else they begin with a number of the system.
  void seed_draws(std::uint64_t number) noexcept;
  /// Goes on with the blind trials of an engine that this one replaces.
  void continue_from(const Engine& replaced) noexcept;

  void set_param(Param id, float value) noexcept;  // clamped to the table; NaN is ignored
  float param(Param id) const noexcept;            // meters and the status as they are now
  /// Since the last reset.  [any]
  float most_reduction_db() const noexcept;
  float most_peak() const noexcept;

  /// What there is to say when this slot is chosen and this monitor heard, in the room or in the free field.
  Status status(Slot slot, Monitor monitor, bool in_room) const noexcept;
  /// Latency now, and what it is when this quality is chosen.
  int latency_frames() const noexcept;
  int latency_frames(UpmixQuality quality) const noexcept;
  int tail_frames() const noexcept;  // of the slower quality
  const EngineSpec& spec() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace forestage
