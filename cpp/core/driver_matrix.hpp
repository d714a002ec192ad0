// From path signals to driver feeds: a matrix of designed FIRs, blended against the plain routing of the same signals.
// The cancellation (left, right -> drivers) is one of these, and each beam of the center (center_beam.hpp).
//
//     in ─┬─ align ── FIR matrix (modelling delay D inside) ──┐
//         └─ delay D + plain_align ── plain gains ────────────┴─ blend ── N feeds
//
// Both branches arrive together, so that a blend is a blend of filters and never a comb.
#pragma once

#include <memory>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "fir_matrix.hpp"
#include "lanes.hpp"
#include "preset.hpp"

namespace forestage {

struct DriverMatrixSpec {
  int inputs = 0;
  int drivers = 0;
  std::vector<FirPath> paths;                   // empty: plain routing only
  std::vector<std::vector<float>> plain_gains;  // [driver][input]
  int align_frames = 0;                         // in front of the filters
  int plain_delay_frames = 0;
};

class DriverMatrix {
 public:
  DriverMatrix(const DriverMatrixSpec& spec, int max_block_frames);

  /// `designed[n]`: 0 = plain routing, 1 = designed filters. Overwrites out.  [audio]
  void process(ConstAudioBlock in, RampBlock designed, AudioBlock out) noexcept;
  void reset() noexcept;
  int tail_frames() const noexcept;

 private:
  std::vector<std::vector<float>> plain_gains_;
  Delay align_;
  Delay plain_delay_;
  Lanes aligned_;
  Lanes plain_in_;
  Lanes filtered_;
  std::unique_ptr<FirMatrix> filters_;
};

/// Adds `in` through gains [output][input] to out.
void route(ConstAudioBlock in, const std::vector<std::vector<float>>& gains, AudioBlock out) noexcept;

}  // namespace forestage
