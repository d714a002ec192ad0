#include "virtual_stereo.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "physics.hpp"
#include "shared_by_content.hpp"
#include "simd.hpp"

namespace forestage {
namespace {

constexpr float max_width_deg = 90.0f;
constexpr int widths_per_degree = 32;
constexpr int most_glide_frames = 32;
constexpr float least_reach_deg = 1.0f / 256.0f;
constexpr float most_reach_deg = 1.0f;

struct Range {
  float center, reach;
};

/// Of a ramp's values, which may turn once.
Range range(const float* values, int count) noexcept {
  const auto [least, most] = std::minmax({values[0], values[count / 2], values[count - 1]});
  return {0.5f * (least + most), 0.5f * (most - least)};
}

}  // namespace

FarEar far_ear(double width_deg) noexcept {
  constexpr double head_s = head_radius_m / speed_of_sound_m_s;
  const double angle = width_deg * std::numbers::pi / 180.0;
  const double angle_2 = angle * angle;
  const double delay_s = head_s * (angle + std::sin(angle)) * (1.046 - 0.0103 * angle_2);  // Woodworth, corrected
  const double pole_hz = 719.0 - 692.0 * angle + 529.0 * angle_2;
  const double floor_db = -13.34 * angle - 0.129 * angle * angle_2 + 9.1 * std::pow(angle / 1.5, 12.0);
  return {delay_s, pole_hz, pole_hz * std::pow(10.0, -floor_db / 20.0)};
}

VirtualStereo::VirtualStereo(double sample_rate, int max_block_frames, std::span<const Fir> weights,
                             int weight_delay_frames)
    : sample_rate_(sample_rate),
      filters_(shared_filters(sample_rate)),
      near_(2, FractionalDelay::latency + weight_delay_frames, max_block_frames),
      far_(2, far_ear(max_width_deg).delay_s * sample_rate, max_block_frames),
      far_lanes_(2, max_block_frames),
      delay_lane_(static_cast<std::size_t>(max_block_frames)) {
  if (weights.empty()) return;
  const std::array<FirPath, 2> paths = {FirPath{0, 0, weights[0]}, FirPath{1, 1, weights[1]}};
  weights_ = std::make_unique<FirMatrix>(2, 2, paths);
}

void VirtualStereo::reset() noexcept {
  near_.reset();
  if (weights_) weights_->reset();
  far_.reset();
  shelf_state_ = {};
}

int VirtualStereo::tail_frames() const noexcept {
  const double longest = far_ear(max_width_deg).delay_s * sample_rate_;
  const int far =
      static_cast<int>(std::ceil(longest)) + FractionalDelay::taps + (weights_ ? weights_->tail_frames() : 0);
  return std::max(near_.latency_frames(), far);
}

VirtualStereo::FarFilter VirtualStereo::far_filter(double width_deg, double sample_rate) noexcept {
  const FarEar ear = far_ear(width_deg);
  const double pole = std::tan(std::numbers::pi * std::min(0.49, ear.pole_hz / sample_rate));
  const double zero = std::tan(std::numbers::pi * std::min(0.49, ear.zero_hz / sample_rate));
  const double scale = pole / (zero * (1.0 + pole));
  const double b0 = (zero + 1.0) * scale;
  const double b1 = (zero - 1.0) * scale;
  const double a1 = (pole - 1.0) / (pole + 1.0);
  return {ear.delay_s * sample_rate,
          {static_cast<float>(b0), static_cast<float>(b1 - a1 * b0), static_cast<float>(-a1)}};
}

std::shared_ptr<const VirtualStereo::GlideFilters> VirtualStereo::shared_filters(double sample_rate) {
  static SharedByContent<GlideFilters> all;
  return all.get(std::bit_cast<std::uint64_t>(sample_rate), [&] {
    GlideFilters filters;
    for (int n = 0; n <= widths_per_degree * static_cast<int>(max_width_deg); ++n) {
      const FarFilter filter = far_filter(static_cast<double>(n) / widths_per_degree, sample_rate);
      filters.push_back(
          {filter.shelf.direct, filter.shelf.to_state, filter.shelf.feedback, static_cast<float>(filter.delay_frames)});
    }
    return filters;
  });
}

inline VirtualStereo::GlideFilter VirtualStereo::filter_at(float width_deg) const noexcept {
  constexpr int last = widths_per_degree * static_cast<int>(max_width_deg);
  const float place = std::clamp(width_deg, 0.0f, max_width_deg) * widths_per_degree;
  const int below = std::min(static_cast<int>(place), last - 1);
  const float share = place - static_cast<float>(below);
  const GlideFilter& a = (*filters_)[static_cast<std::size_t>(below)];
  const GlideFilter& b = (*filters_)[static_cast<std::size_t>(below) + 1];
  GlideFilter between;
  for (std::size_t part = 0; part < between.size(); ++part) between[part] = a[part] + share * (b[part] - a[part]);
  return between;
}

void VirtualStereo::process(ConstAudioBlock in, Ramp& width_deg, Ramp& crosstalk, AudioBlock out) noexcept {
  const int frames = in.frames;
  const bool is_steady = width_deg.is_steady();
  const float* widths = width_deg.advance(frames);
  const float* gains = crosstalk.advance(frames);
  const AudioBlock far = far_lanes_.block(frames);
  for (int c = 0; c < 2; ++c) {
    for (int n = 0; n < frames; ++n) far[c][n] = gains[n] * in[c][n];
  }
  if (weights_) weights_->process(far, far);
  if (is_steady) {
    if (widths[0] != steady_width_deg_) {
      steady_width_deg_ = widths[0];
      steady_ = far_filter(std::clamp(widths[0], 0.0f, max_width_deg), sample_rate_);
    }
    darken(far, 0, frames, [shelf = steady_.shelf]<class V>(int, ShelfOf<V>& found) {
      const V none{};
      found = {none + shelf.direct, none + shelf.to_state, none + shelf.feedback};
    });
    far_.process(far, steady_.delay_frames);
  } else {
    for (int begin = 0; begin < frames;) {
      int count = std::min(most_glide_frames, frames - begin);
      while (count > 1 && range(widths + begin, count).reach > most_reach_deg) count /= 2;
      glide(far, widths, begin, count);
      begin += count;
    }
    far_.process(far, delay_lane_.data());
  }
  near_.process(in, out);
  for (int n = 0; n < frames; ++n) {
    out[0][n] += far[1][n];
    out[1][n] += far[0][n];
  }
}

/// Filters of frames by parabolas through those of three widths: with tones up to 15 kHz right to -90 dB in a jump by
/// 30 degrees at 44.1 kHz and above, to -76 dB from one end to the other.
void VirtualStereo::glide(AudioBlock far, const float* widths, int begin, int frames) noexcept {
  const Range all = range(widths + begin, frames);
  const float reach = std::max(all.reach, least_reach_deg);
  const float center = std::clamp(all.center, reach, max_width_deg - reach);
  const float scale = 1.0f / reach;
  const GlideFilter below = filter_at(center - reach);
  const GlideFilter middle = filter_at(center);
  const GlideFilter above = filter_at(center + reach);
  GlideFilter slope, bend;
  for (std::size_t part = 0; part < middle.size(); ++part) {
    slope[part] = 0.5f * (above[part] - below[part]);
    bend[part] = 0.5f * (above[part] + below[part]) - middle[part];
  }
  const auto part_at = [&]<class V>(std::size_t part, const V& place) {
    return middle[part] + place * (slope[part] + place * bend[part]);
  };
  const int end = begin + frames;
  for (int n = begin; n < end; ++n) {
    delay_lane_[static_cast<std::size_t>(n)] = part_at(3, scale * (widths[n] - center));
  }
  darken(far, begin, end, [&]<class V>(int n, ShelfOf<V>& found) {
    V width;
    simd::load(width, widths + n);
    const V place = scale * (width - center);
    found = {part_at(0, place), part_at(1, place), part_at(2, place)};
  });
}

template <class ShelfAt>
void VirtualStereo::darken(AudioBlock io, int begin, int end, ShelfAt shelf_at) noexcept {
  const int most = end - (end - begin) % simd::width<simd::Baseline>;
  darken_some<simd::Baseline>(io, begin, most, shelf_at);
  darken_some<float>(io, most, end, shelf_at);
}

/// Several frames side by side, where each would wait for the one before: the states after them are sums of what each
/// adds, and of the state before them all, times the feedbacks between.
template <class V, class ShelfAt>
void VirtualStereo::darken_some(AudioBlock io, int begin, int end, ShelfAt shelf_at) noexcept {
  const V none{};
  auto states = shelf_state_;
  for (int n = begin; n < end; n += simd::width<V>) {
    ShelfOf<V> shelf;
    shelf_at(n, shelf);
    V over_two = shelf.feedback, over_all = shelf.feedback;
    if constexpr (simd::width<V> == 4) {
      const V one = none + 1.0f;
      over_two *= simd::later<1>(one, shelf.feedback);
      over_all = over_two * simd::later<2>(one, over_two);
    }
    for (std::size_t c = 0; c < states.size(); ++c) {
      float* frames = io[static_cast<int>(c)] + n;
      V in;
      simd::load(in, frames);
      V after = shelf.to_state * in;
      if constexpr (simd::width<V> == 4) {
        after += shelf.feedback * simd::later<1>(none, after);
        after += over_two * simd::later<2>(none, after);
      }
      const V state = none + states[c];
      after += over_all * state;
      simd::store<V>(frames, shelf.direct * in + simd::later<1>(state, after));
      states[c] = simd::last(after);
    }
  }
  shelf_state_ = states;
}

}  // namespace forestage
