// Carries FIRs from one sample rate to another, keeping their frequency response and the place of their main tap.
#pragma once

#include <vector>

#include "preset.hpp"

namespace forestage {

/// A delay carried to another rate, in whole frames.
int scaled_frames(int frames, int from_rate, int to_rate) noexcept;

/// Room for the pre-ringing of driver equalisers, which have no delay of their own, when they are converted.
int converted_eq_delay_frames(const FilterSet& set) noexcept;

/// Delay of the ear responses at another rate, with room for pre-ringing.
int converted_ears_delay_frames(const Ears& ears, int to_rate) noexcept;

/// Band-limited to the lower of the two rates. A tap at `from_delay` frames lands on `to_delay` frames, which may be
/// fractional. The interpolation weights are computed once and serve any number of filters; they repeat as often as the
/// two rates meet, so that long filters cost little more than their sums.  [main; allocates]
class FirResampler {
 public:
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

/// The whole set at a rate the preset holds none for.
FilterSet resample_filters(const FilterSet& set, int to_rate);

}  // namespace forestage
