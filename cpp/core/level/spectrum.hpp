// Levels of sound over frequency, as a window draws them: bands of a sixth of an octave, of the newest sixth of a
// second.
#pragma once

#include <complex>
#include <span>
#include <vector>

#include "fft.hpp"

namespace forestage {

/// Used by one thread at a time, never by the audio thread; construction allocates.
class Spectrum {
 public:
  explicit Spectrum(double sample_rate);

  /// That one look takes of each lane.
  int frames() const noexcept { return fft_.frames(); }
  /// Middles of the bands, from 50 Hz to 20 kHz or half the sample rate.
  std::span<const double> frequency_hz() const noexcept { return frequency_hz_; }
  /// Of all lanes together, one level a band: a sine at full scale in one lane is 0 dB. `lanes`: frames() each.
  std::vector<double> levels_db(std::span<const std::vector<float>> lanes);

 private:
  RealFft fft_;
  double bin_hz_;
  std::vector<double> frequency_hz_;
  std::vector<float> window_;
  double gain_;  // of power
  AlignedVector<float> windowed_;
  AlignedVector<std::complex<float>> bins_;
  std::vector<double> power_;  // of each bin
};

}  // namespace forestage
