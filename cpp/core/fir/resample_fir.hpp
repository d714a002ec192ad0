// Carries FIRs from one sample rate to another, keeping their frequency response and the place of their main tap.
#pragma once

#include <cstddef>
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
  void add_row();

  double step_;
  std::size_t phases_;          // frames of the result until the weights repeat
  std::ptrdiff_t period_taps_;  // taps of the filter that pass meanwhile
  double from_delay_;
  double to_delay_;
  double half_width_;                       // of the window, in taps of the filter
  std::ptrdiff_t row_taps_;                 // that count in one tap of the result
  std::vector<std::ptrdiff_t> first_taps_;  // [phase], as far as there are results
  std::vector<float> weights_;              // [phase][row_taps_]
};

}  // namespace forestage
