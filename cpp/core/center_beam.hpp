// The center to driver feeds: a beam that completes left and right as a phantom between two loudspeakers does, and one
// that is flat on axis and early, mixed by presence.
//
//     C ─┬─ 1 - presence ── phantom beam ──┐
//        └─ presence ────── flat beam ─────┴─ Σ ── N feeds
//
// Each is blended against the plain mix by `focus` (driver_matrix.hpp). What gets no sound rests, so that either end of
// the range costs one beam. Without phantom filters the flat beam plays alone.
#pragma once

#include <optional>

#include "blocks.hpp"
#include "driver_matrix.hpp"
#include "lanes.hpp"
#include "preset.hpp"
#include "ramp.hpp"

namespace forestage {

class CenterBeam {
 public:
  CenterBeam(const Preset& preset, const FilterSet& filters, int max_block_frames);

  /// `focus[n]`: 0 = plain mix, 1 = designed. `presence`: 0 = phantom, 1 = flat. Overwrites feeds.  [audio]
  void process(ConstAudioBlock center, Ramp& presence, RampBlock focus, AudioBlock feeds) noexcept;
  void reset() noexcept;
  int tail_frames() const noexcept;

 private:
  struct Beam {
    Beam(const DriverMatrixSpec& spec, int max_block_frames) : matrix(spec, max_block_frames) {}
    DriverMatrix matrix;
    int sounds_frames = 0;  // how long it may still sound
  };
  static bool must_play(Beam& beam, bool has_input, int frames) noexcept;

  Beam flat_;
  std::optional<Beam> phantom_;
  Lanes input_;
  Lanes phantom_feeds_;
};

}  // namespace forestage
