// From left, right and center to driver feeds: one matrix of designed FIRs, blended against the plain routing of the
// same signals.
//
//     L, R ─ align ─┬─ cancellation ────────┐
//     C ──── align ─┼─ focus (1 - presence) ┼─ FIR matrix (modelling delay inside) ──┐
//                   ├─ focus presence ──────┘                                       ├─ N feeds
//                   └─ the rest of each ────── modelling delay ── plain gains ──────┘
//
// The center has two beams, mixed by presence: one that completes left and right as a phantom between two loudspeakers
// does, and one that is flat on axis and early. Shares are taken in front of filters and delays, and both branches
// arrive together, so that a blend is a blend of filters and never a comb. What gets no sound rests. One matrix for all
// takes one transform back per driver.
#pragma once

#include <array>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "fir_matrix.hpp"
#include "lanes.hpp"
#include "preset.hpp"
#include "ramp.hpp"

namespace forestage {

/// Inputs of the filters.
enum class DriverInput { left, right, phantom, flat };
inline constexpr int driver_inputs = 4;

struct DriverMatrixSpec {
  int drivers = 0;
  std::vector<FirPath> paths;                   // from a DriverInput
  std::vector<std::vector<float>> plain_gains;  // [driver][left, right]; the center plays as both
  int side_align_frames = 0;                    // in front of the filters
  int center_align_frames = 0;
  int side_delay_frames = 0;  // of the plain branch, behind those
  int center_delay_frames = 0;
};

/// 0 = plain routing, 1 = designed filters; of presence, 0 = phantom, 1 = flat.
struct DriverShares {
  RampBlock cancellation;
  RampBlock focus;
  RampBlock presence;
};

class DriverMatrix {
 public:
  DriverMatrix(const DriverMatrixSpec& spec, int max_block_frames);

  /// `paths`: left, right, center, which it aligns in place. Overwrites feeds. Without a phantom the flat beam plays
  /// alone, without a flat beam that is the plain mix.  [audio]
  void process(AudioBlock paths, const DriverShares& shares, AudioBlock feeds) noexcept;
  void reset() noexcept;
  int tail_frames() const noexcept;

 private:
  /// A delayed branch that is left out while it holds no sound.
  struct Plain {
    Plain(int channels, int delay_frames, int max_block_frames) : delay(channels, delay_frames, max_block_frames) {}
    Delay delay;
    int sounds_frames = 0;  // how long it still may
  };
  bool has(DriverInput input) const noexcept { return has_[static_cast<std::size_t>(input)]; }
  RampBlock center_share(const DriverShares& shares, int frames) noexcept;
  void add_plain(Plain& plain, const std::vector<std::vector<float>>& gains, ConstAudioBlock in, RampBlock designed,
                 AudioBlock feeds) noexcept;

  std::array<bool, driver_inputs> has_{};
  std::vector<std::vector<float>> side_gains_, center_gains_;  // plain: [driver][input]
  Delay side_align_;
  Delay center_align_;
  Plain plain_sides_;
  Plain plain_center_;
  Lanes filter_in_;
  Lanes plain_in_;
  Lanes weights_;
  std::vector<float> silence_;
  FirMatrix filters_;
};

/// Adds `in` through gains [output][input] to out.
void route(ConstAudioBlock in, const std::vector<std::vector<float>>& gains, AudioBlock out) noexcept;

}  // namespace forestage
