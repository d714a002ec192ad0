#include "upmix.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forestage {
namespace {

constexpr std::array<double, Upmix::bands - 1> crossover_hz = {250.0, 600.0, 1400.0, 3200.0, 7000.0};
constexpr double average_s = 0.020;      // of the band statistics
constexpr float silence_power = 1e-18f;  // -180 dBFS: keeps the ratios finite, far below any sound

}  // namespace

Upmix::Upmix(double sample_rate)
    : average_coefficient_(static_cast<float>(1.0 - std::exp(-1.0 / (average_s * sample_rate)))) {
  constexpr double damping = std::numbers::sqrt2;
  for (std::size_t b = 0; b < crossover_hz.size(); ++b) {
    const double g = std::tan(std::numbers::pi * std::min(crossover_hz[b] / sample_rate, 0.45));
    const double a1 = 1.0 / (1.0 + g * (g + damping));
    a1_[b] = static_cast<float>(a1);
    a2_[b] = static_cast<float>(g * a1);
    a3_[b] = static_cast<float>(g * g * a1);
  }
}

void Upmix::reset() noexcept {
  mid_ = side_ = {};
  mid_power_ = side_power_ = cross_power_ = {};
}

/// Low-passes side by side, then differences: band b = lowpass b - lowpass b-1, the last one = x - lowpass.
void Upmix::split(float x, LowPass& state, Bands& out) const noexcept {
  Bands low;
  for (std::size_t b = 0; b < width; ++b) {
    const float v3 = x - state.integrator2[b];
    const float v1 = a1_[b] * state.integrator1[b] + a2_[b] * v3;
    const float v2 = state.integrator2[b] + a2_[b] * state.integrator1[b] + a3_[b] * v3;
    state.integrator1[b] = 2.0f * v1 - state.integrator1[b];
    state.integrator2[b] = 2.0f * v2 - state.integrator2[b];
    low[b] = v2;
  }
  low[bands - 1] = x;
  out = low;
  for (std::size_t b = bands - 1; b > 0; --b) out[b] = low[b] - low[b - 1];
}

float Upmix::center(float mid, float side) noexcept {
  Bands m, s;
  split(mid, mid_, m);
  split(side, side_, s);
  Bands center{};
  for (std::size_t b = 0; b < width; ++b) {
    mid_power_[b] += average_coefficient_ * (m[b] * m[b] - mid_power_[b]);
    side_power_[b] += average_coefficient_ * (s[b] * s[b] - side_power_[b]);
    cross_power_[b] += average_coefficient_ * (m[b] * s[b] - cross_power_[b]);
    const float side_power = side_power_[b] + silence_power;
    const float tilt = cross_power_[b] / side_power;
    const float a = std::min(1.0f, std::max(-1.0f, tilt));
    const float center_power = std::max(0.0f, mid_power_[b] - side_power_[b]);
    const float rest_power = std::max(0.0f, side_power_[b] - cross_power_[b] * tilt);
    const float gain = center_power / (center_power + rest_power + silence_power);
    center[b] = gain * (m[b] - a * s[b]);
  }
  float sum = 0.0f;
  for (std::size_t b = 0; b < bands; ++b) sum += center[b];
  return sum;
}

void Upmix::process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept {
  for (int n = 0; n < in.frames; ++n) {
    const float left = in[0][n];
    const float right = in[1][n];
    const float c = amount[n] * center(0.5f * (left + right), 0.5f * (left - right));
    out[0][n] = left - c;
    out[1][n] = right - c;
    out[2][n] = c;
  }
}

}  // namespace forestage
