// The last stage before real loudspeakers: no feed leaves it above full scale while the guard is on.
// A static gain makes room for what the filters can add up to (find_peaks in headroom.hpp), which leaves ordinary
// playing linear. Settings beyond the preset's own and the time-varying upmix are caught by a limiter without attack
// time, linked over all feeds so that cancellation survives it.
#pragma once

#include "blocks.hpp"

namespace forestage {

class PeakGuard {
 public:
  explicit PeakGuard(double sample_rate);

  /// In place; `is_on` may change at any block: switched off while it limits, the guard lets go slowly.  [audio]
  void process(AudioBlock feeds, bool is_on) noexcept;
  void reset() noexcept { gain_ = 1.0f; }

 private:
  float release_;
  float gain_ = 1.0f;
};

}  // namespace forestage
