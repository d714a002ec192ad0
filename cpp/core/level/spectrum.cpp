#include "spectrum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace forestage {
namespace {

constexpr double lowest_hz = 50.0;
constexpr double highest_hz = 20000.0;
constexpr double bands_per_octave = 6.0;
constexpr double look_s = 0.12;  // at least; 0.17 s at 48 kHz
constexpr double silence = 1e-12;

int frames_of(double sample_rate) {
  return static_cast<int>(std::bit_ceil(static_cast<std::uint32_t>(look_s * sample_rate)));
}

}  // namespace

Spectrum::Spectrum(double sample_rate)
    : fft_(frames_of(sample_rate)),
      bin_hz_(sample_rate / fft_.frames()),
      windowed_(static_cast<std::size_t>(fft_.frames())),
      bins_(static_cast<std::size_t>(fft_.frames() / 2 + 1)),
      power_(bins_.size()) {
  double energy = 0.0;
  for (int n = 0; n < fft_.frames(); ++n) {  // Hann's
    const double weight = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / fft_.frames());
    window_.push_back(static_cast<float>(weight));
    energy += weight * weight;
  }
  gain_ = 4.0 / (energy * fft_.frames());
  const double above = std::min(highest_hz, sample_rate / 2.0 - 2.0 * bin_hz_);
  for (int band = 0;; ++band) {
    const double hz = lowest_hz * std::exp2(band / bands_per_octave);
    if (hz > above) break;
    frequency_hz_.push_back(hz);
  }
}

std::vector<double> Spectrum::levels_db(std::span<const std::vector<float>> lanes) {
  std::ranges::fill(power_, 0.0);
  for (const auto& lane : lanes) {
    std::ranges::transform(lane, window_, windowed_.begin(), std::multiplies<>());
    fft_.forward(windowed_.data(), bins_.data());
    for (std::size_t k = 0; k < power_.size(); ++k) power_[k] += gain_ * std::norm(bins_[k]);
  }
  const double half_band = std::exp2(0.5 / bands_per_octave);
  std::vector<double> levels;
  for (const double hz : frequency_hz_) {
    // Bin k stands for what lies between k - 1/2 and k + 1/2; low bands are narrower than one.
    const double from = hz / half_band / bin_hz_ + 0.5;
    const double to = hz * half_band / bin_hz_ + 0.5;
    double power = 0.0;
    for (auto k = static_cast<std::size_t>(from); k < power_.size() && static_cast<double>(k) < to; ++k) {
      const auto low = static_cast<double>(k);
      power += power_[k] * (std::min(to, low + 1.0) - std::max(from, low));
    }
    levels.push_back(10.0 * std::log10(std::max(power, silence)));
  }
  return levels;
}

}  // namespace forestage
