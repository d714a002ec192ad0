// One headphones monitor: the responses at the ears behind it, the static gain, and the limiter.
//
// Responses begin with next to nothing: the first thing that is heard stands at the ears' delay. All behind that lead
// is filtered ahead of its time, which is the limiter's look-ahead; the lead itself joins on the way out. So the sum is
// what it always was, and look-ahead takes no time of its own.
//
// From 88.2 kHz on, responses of more than a tenth of a second are played at half the rate or less from some
// milliseconds on: late sound up to 20 kHz is as it was, and that above is lost (low_rate_tail.hpp).
//
//     in ─┬─ FIR matrix, taps from the lead on ── gain ── limiter, late by the lead ─┐
//         └─ taps of the lead ─────────────────── gain ──────────────────────────────┴─ clamp ── out
#pragma once

#include <array>
#include <vector>

#include "blocks.hpp"
#include "fir_matrix.hpp"
#include "lanes.hpp"
#include "limiter.hpp"
#include "preset.hpp"

namespace forestage {

/// Responses [ear][source].
using EarResponses = std::array<std::vector<Fir>, 2>;

class EarPath {
 public:
  /// `ears_delay_frames`: when the ears hear the first thing that counts; the look-ahead is never longer.
  EarPath(const EarResponses& responses, float gain_db, int ears_delay_frames, double sample_rate,
          int max_block_frames);

  /// Overwrites out, two lanes.  [audio]
  void process(ConstAudioBlock in, RampBlock gain, bool is_guarded, AudioBlock out) noexcept;
  void reset() noexcept;
  bool is_clean() const noexcept { return is_clean_; }
  int tail_frames() const noexcept { return lookahead_frames_ + matrix_.tail_frames(); }
  float least_gain() const noexcept { return limiter_.least_gain(); }

 private:
  /// `responses` have the gain in them.
  EarPath(const EarResponses& responses, int lookahead_frames, double sample_rate, int max_block_frames);

  int lookahead_frames_;
  bool is_clean_ = true;  // nothing came in since the reset
  FirMatrix lead_;
  FirMatrix matrix_;
  Lanes lead_out_;
  Limiter limiter_;
};

}  // namespace forestage
