// Carries FIRs from one sample rate to another, keeping their frequency response and the place of their main tap.
#pragma once

#include <vector>

#include "preset.hpp"

namespace forestage {

/// Band-limited to the lower of the two rates. A tap at `from_delay` frames lands on `to_delay` frames, which may be
/// fractional. The interpolation weights are computed once and serve any number of filters; they repeat as often as the
/// two rates meet, so that long filters cost little more than their sums.  [main; allocates]
class FirResampler {
 public:
  static constexpr int pre_ringing_frames = 32;  // at the lower rate: a tap needs so much room before it

  FirResampler(int from_rate, double from_delay, int to_rate, double to_delay);
  Fir operator()(const Fir& taps);

 private:
  struct Weights {  // of the taps first, first + 1, ... in one tap of the result
    std::ptrdiff_t first = 0;
    std::vector<double> values;
  };
  const Weights& weights(std::size_t phase);

  double step_;
  std::size_t phases_;          // frames of the result until the weights repeat
  std::ptrdiff_t period_taps_;  // taps of the filter that pass meanwhile
  double from_delay_;
  double to_delay_;
  std::vector<Weights> cache_;
};

}  // namespace forestage
