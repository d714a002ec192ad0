#include "peak_guard.hpp"

#include <algorithm>
#include <cmath>

namespace forestage {
namespace {

constexpr float ceiling = 0.99999f;  // leaves room for rounding below full scale
constexpr double release_s = 0.100;

float peak_of(ConstAudioBlock block) noexcept {
  float peak = 0.0f;
  for (int c = 0; c < block.channels; ++c) {
    for (int n = 0; n < block.frames; ++n) peak = std::max(peak, std::abs(block[c][n]));
  }
  return peak;
}

}  // namespace

PeakGuard::PeakGuard(double sample_rate)
    : release_(static_cast<float>(1.0 - std::exp(-1.0 / (release_s * sample_rate)))) {}

void PeakGuard::process(AudioBlock feeds, bool is_on) noexcept {
  if (gain_ == 1.0f && (!is_on || peak_of(feeds) <= ceiling)) return;
  for (int n = 0; n < feeds.frames; ++n) {
    float peak = 0.0f;
    for (int c = 0; c < feeds.channels; ++c) peak = std::max(peak, std::abs(feeds[c][n]));
    gain_ += release_ * (1.0f - gain_);
    if (gain_ > 0.9999f) gain_ = 1.0f;
    if (is_on && peak * gain_ > ceiling) gain_ = ceiling / peak;
    for (int c = 0; c < feeds.channels; ++c) feeds[c][n] *= gain_;
  }
}

}  // namespace forestage
