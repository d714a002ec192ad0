#include "headroom.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numeric>
#include <optional>

#include "decibels.hpp"
#include "fft.hpp"
#include "params.hpp"
#include "path_specs.hpp"
#include "virtual_stereo.hpp"

namespace forestage {
namespace {

// What filters do to the peaks of loud music, whose own were cut by a limiter, at the same power.
constexpr float dispersed_peaks_db = 2.0f;

Ramp steady(float value, const FilterSet& filters, int frames) {
  Ramp ramp(filters.sample_rate, frames);
  ramp.snap(value);
  return ramp;
}

/// Responses [driver][frame] of the feeds to what is on the paths.
std::vector<Fir> feeds_of(const Preset& preset, const FilterSet& filters, Lanes& paths, int frames) {
  DriverMatrix matrix(driver_matrix_spec(preset, filters), frames);
  Ramp cancellation = steady(0.01f * setting(preset, spec(Param::cancellation)), filters, frames);
  Ramp presence = steady(0.01f * setting(preset, spec(Param::center_presence)), filters, frames);
  Ramp focus = steady(0.01f * setting(preset, spec(Param::center_focus)), filters, frames);
  const int drivers = static_cast<int>(preset.drivers.size());
  Lanes feeds(drivers, frames);
  matrix.process(paths.block(frames), {cancellation.advance(frames), focus.advance(frames), presence.advance(frames)},
                 feeds.block(frames));
  std::vector<Fir> result;
  for (int d = 0; d < drivers; ++d) result.emplace_back(feeds[d], feeds[d] + frames);
  return result;
}

/// To an impulse on the left or right path.
std::vector<Fir> side_response(const Preset& preset, const FilterSet& filters, int input, int frames) {
  VirtualStereo virtual_stereo = make_virtual_stereo(filters, frames);
  Ramp width = steady(setting(preset, spec(Param::stage_width_deg)), filters, frames);
  Ramp crosstalk = steady(0.01f * setting(preset, spec(Param::stage_crosstalk)), filters, frames);
  Lanes paths(3, frames);
  paths[input][0] = 1.0f;
  const AudioBlock sides = paths.block(0, 2, frames);
  virtual_stereo.process(sides, width, crosstalk, sides);
  return feeds_of(preset, filters, paths, frames);
}

std::vector<Fir> center_response(const Preset& preset, const FilterSet& filters, int frames) {
  Lanes paths(3, frames);
  paths[2][0] = from_db(setting(preset, spec(Param::center_level_db)));
  return feeds_of(preset, filters, paths, frames);
}

void equalise(std::vector<Fir>& feeds, const FilterSet& filters, int frames) {
  const auto driver_eq = make_driver_eq(filters);
  if (!driver_eq) return;
  std::vector<float*> lanes;
  for (Fir& feed : feeds) lanes.push_back(feed.data());
  const AudioBlock block{lanes.data(), static_cast<int>(lanes.size()), frames};
  driver_eq->process(block, block);
}

/// Plain stereo: an impulse through the plain gains.
std::vector<Fir> plain_response(const Preset& preset, std::size_t input, int frames) {
  std::vector<Fir> result;
  for (const auto& gains : stereo_gains(preset)) {
    Fir feed(static_cast<std::size_t>(frames));
    feed[0] = gains[input];
    result.push_back(std::move(feed));
  }
  return result;
}

double l1_norm(const Fir& a, const Fir* subtract = nullptr) {
  double sum = 0.0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    sum += std::abs(static_cast<double>(a[n]) - (subtract ? static_cast<double>((*subtract)[n]) : 0.0));
  }
  return sum;
}

int response_frames(const FilterSet& filters) {
  std::size_t taps = 1;
  for (const auto& row : filters.cancel) taps = std::max({taps, row[0].size(), row[1].size()});
  for (const Fir& fir : filters.beam) taps = std::max(taps, fir.size());
  for (const Fir& fir : filters.phantom) taps = std::max(taps, fir.size());
  for (const Fir& fir : filters.driver_eq) taps = std::max(taps, fir.size());
  for (const auto& row : filters.bass) {
    for (const Fir& fir : row) taps = std::max(taps, fir.size());
  }
  for (const Fir& fir : filters.crosstalk) taps = std::max(taps, fir.size());
  // Far-ear delay, shelf and alignment are a few milliseconds; the shelf has faded by -100 dB in ten.
  const int delays = stage_latency_frames(filters) + filters.delay_frames + filters.cancel_align_frames +
                     filters.beam_align_frames + filters.driver_eq_delay_frames;
  return static_cast<int>(3 * taps) + delays + static_cast<int>(0.010 * filters.sample_rate);
}

Fir sum(Fir a, const Fir& b) {
  for (std::size_t n = 0; n < a.size(); ++n) a[n] += b[n];
  return a;
}

/// Power of responses over that of an impulse, for sound with the spectrum of music: pink up to 4 kHz, falling faster
/// above.
class MusicPower {
 public:
  MusicPower(int sample_rate, int frames)
      : fft_(static_cast<int>(std::bit_ceil(static_cast<unsigned>(frames)))),
        time_(static_cast<std::size_t>(fft_.frames())),
        bins_(static_cast<std::size_t>(fft_.frames() / 2 + 1)) {
    for (std::size_t k = 0; k < bins_.size(); ++k) {
      const double hz = static_cast<double>(k) * sample_rate / fft_.frames();
      weights_.push_back(hz < 40.0 ? 0.0 : 1.0 / (hz * (1.0 + (hz / 4000.0) * (hz / 4000.0))));
    }
  }
  double of_one() const { return std::accumulate(weights_.begin(), weights_.end(), 0.0); }
  double operator()(const Fir& response) {
    std::ranges::fill(time_, 0.0f);
    std::ranges::copy(response, time_.begin());
    fft_.forward(time_.data(), bins_.data());
    double power = 0.0;
    for (std::size_t k = 0; k < bins_.size(); ++k) power += weights_[k] * std::norm(bins_[k]);
    return power;
  }

 private:
  RealFft fft_;
  AlignedVector<float> time_;
  AlignedVector<std::complex<float>> bins_;
  std::vector<double> weights_;
};

/// All feeds, for an impulse on: plain left, plain right, left, right, centre.
struct Responses {
  std::vector<Fir> plain_left, plain_right, left, right, center;
};

Responses responses_of(const Preset& preset, const FilterSet& filters) {
  const int frames = response_frames(filters);
  Responses r{plain_response(preset, 0, frames), plain_response(preset, 1, frames),
              side_response(preset, filters, 0, frames), side_response(preset, filters, 1, frames),
              center_response(preset, filters, frames)};
  for (auto* feeds : {&r.plain_left, &r.plain_right, &r.left, &r.right, &r.center}) equalise(*feeds, filters, frames);
  return r;
}

Peaks peaks_of(const Responses& r) {
  double plain = 0.0;
  double designed = 0.0;
  for (std::size_t d = 0; d < r.center.size(); ++d) {
    const double sides_only = l1_norm(r.left[d]) + l1_norm(r.right[d]);
    const double center_is_left = l1_norm(r.center[d], &r.right[d]) + l1_norm(r.right[d]);
    const double center_is_right = l1_norm(r.center[d], &r.left[d]) + l1_norm(r.left[d]);
    plain = std::max(plain, l1_norm(r.plain_left[d]) + l1_norm(r.plain_right[d]));
    designed = std::max({designed, sides_only, center_is_left, center_is_right});
  }
  return {static_cast<float>(plain), static_cast<float>(designed)};
}

float expected_headroom_db(const Responses& r, const Preset& preset, const FilterSet& filters) {
  const auto matched = from_db(preset.loudness.processed_db);
  MusicPower power(filters.sample_rate, response_frames(filters));
  double most = power.of_one();
  for (std::size_t d = 0; d < r.center.size(); ++d) {
    const double sides = power(r.left[d]) + power(r.right[d]);
    most = std::max({most, power(sum(r.plain_left[d], r.plain_right[d])), matched * matched * sides,
                     matched * matched * power(r.center[d])});
  }
  const double gain_db = 10.0 * std::log10(most / power.of_one());
  return -std::min(most_programme_headroom_db, static_cast<float>(gain_db) + dispersed_peaks_db);
}

}  // namespace

Levels find_levels(const Preset& preset, const FilterSet& filters) {
  const Responses r = responses_of(preset, filters);
  const auto& stated_db = preset.loudness.headroom_db;
  if (!stated_db) return {peaks_of(r), expected_headroom_db(r, preset, filters)};
  const auto& in_room_db = preset.room ? preset.room->loudness.headroom_db : std::nullopt;
  return {peaks_of(r), std::min(*stated_db, in_room_db.value_or(0.0f))};
}

StaticGains static_gains(const ParamStore& store, const Levels& own, const Levels& common) noexcept {
  const bool is_matched = store.is_on(Param::level_match);
  switch (store.choice<SafeHeadroom>(Param::safe_headroom)) {
    case SafeHeadroom::off:
      return {};
    case SafeHeadroom::programme: {
      const float gain = from_db(is_matched ? common.headroom_db : own.headroom_db);
      return {gain, gain};
    }
    case SafeHeadroom::strict:
      break;
  }
  // A mix of plain and designed feeds peaks at (1 - amount) plain + amount designed at most.
  const float designed = std::max(1.0f, is_matched ? common.peaks.designed : own.peaks.designed);
  const float amount = store.fraction(Param::amount);
  return {1.0f / ((1.0f - amount) * std::max(1.0f, own.peaks.plain) + amount * designed), 1.0f};
}

float bypass_gain(const ParamStore& store, const Levels& common) noexcept {
  const bool is_programme = store.choice<SafeHeadroom>(Param::safe_headroom) == SafeHeadroom::programme;
  return is_programme && store.is_on(Param::level_match) ? from_db(common.headroom_db) : 1.0f;
}

}  // namespace forestage
