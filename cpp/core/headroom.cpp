#include "headroom.hpp"

#include <algorithm>
#include <cmath>

#include "decibels.hpp"
#include "params.hpp"
#include "path_specs.hpp"
#include "virtual_stereo.hpp"

namespace forestage {
namespace {

float setting(const Preset& preset, Param id) {
  const auto found = preset.parameters.find(param_id(spec(id)));
  return found == preset.parameters.end() ? spec(id).default_value : found->second;
}

Ramp steady(float value, const FilterSet& filters, int frames) {
  Ramp ramp(filters.sample_rate, frames);
  ramp.snap(value);
  return ramp;
}

/// Responses [driver][frame] of the feeds to an impulse on the left or right path.
std::vector<Fir> side_response(const Preset& preset, const FilterSet& filters, int input, int frames) {
  VirtualStereo virtual_stereo = make_virtual_stereo(filters, frames);
  DriverMatrix matrix(cancel_matrix_spec(preset, filters), frames);
  Ramp width = steady(setting(preset, Param::stage_width_deg), filters, frames);
  Ramp crosstalk = steady(0.01f * setting(preset, Param::stage_crosstalk), filters, frames);
  Ramp cancellation = steady(0.01f * setting(preset, Param::cancellation), filters, frames);
  const int drivers = static_cast<int>(preset.drivers.size());
  Lanes sides(2, frames);
  Lanes feeds(drivers, frames);
  sides[input][0] = 1.0f;
  virtual_stereo.process(sides.block(frames), width, crosstalk, sides.block(frames));
  matrix.process(sides.block(frames), cancellation.advance(frames), feeds.block(frames));
  std::vector<Fir> result;
  for (int d = 0; d < drivers; ++d) result.emplace_back(feeds[d], feeds[d] + frames);
  return result;
}

std::vector<Fir> center_response(const Preset& preset, const FilterSet& filters, int frames) {
  DriverMatrix matrix(center_beam_spec(preset, filters), frames);
  Ramp focus = steady(0.01f * setting(preset, Param::center_focus), filters, frames);
  const int drivers = static_cast<int>(preset.drivers.size());
  Lanes center(1, frames);
  Lanes feeds(drivers, frames);
  center[0][stage_latency_frames(filters)] = from_db(setting(preset, Param::center_level_db));
  matrix.process(center.block(frames), focus.advance(frames), feeds.block(frames));
  std::vector<Fir> result;
  for (int d = 0; d < drivers; ++d) result.emplace_back(feeds[d], feeds[d] + frames);
  return result;
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
  for (const Fir& fir : filters.driver_eq) taps = std::max(taps, fir.size());
  for (const Fir& fir : filters.crosstalk) taps = std::max(taps, fir.size());
  // Far-ear delay, shelf and alignment are a few milliseconds; the shelf has faded by -100 dB in ten.
  const int delays = stage_latency_frames(filters) + filters.delay_frames + filters.cancel_align_frames +
                     filters.beam_align_frames + filters.driver_eq_delay_frames;
  return static_cast<int>(3 * taps) + delays + static_cast<int>(0.010 * filters.sample_rate);
}

}  // namespace

Peaks find_peaks(const Preset& preset, const FilterSet& filters) {
  const int frames = response_frames(filters);
  std::vector<Fir> plain_left = plain_response(preset, 0, frames);
  std::vector<Fir> plain_right = plain_response(preset, 1, frames);
  std::vector<Fir> left = side_response(preset, filters, 0, frames);
  std::vector<Fir> right = side_response(preset, filters, 1, frames);
  std::vector<Fir> center = center_response(preset, filters, frames);
  for (auto* feeds : {&plain_left, &plain_right, &left, &right, &center}) equalise(*feeds, filters, frames);
  double plain = 0.0;
  double designed = 0.0;
  for (std::size_t d = 0; d < preset.drivers.size(); ++d) {
    const double sides_only = l1_norm(left[d]) + l1_norm(right[d]);
    const double center_is_left = l1_norm(center[d], &right[d]) + l1_norm(right[d]);
    const double center_is_right = l1_norm(center[d], &left[d]) + l1_norm(left[d]);
    plain = std::max(plain, l1_norm(plain_left[d]) + l1_norm(plain_right[d]));
    designed = std::max({designed, sides_only, center_is_left, center_is_right});
  }
  return {static_cast<float>(plain), static_cast<float>(designed)};
}

}  // namespace forestage
