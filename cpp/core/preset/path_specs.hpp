// From a preset to the filter stages of the graph; the graph and its headroom bound build them alike.
#pragma once

#include <memory>
#include <vector>

#include "driver_matrix.hpp"
#include "preset.hpp"
#include "virtual_stereo.hpp"

namespace forestage {

/// Gains [driver][left, right] of plain stereo.
inline std::vector<std::vector<float>> stereo_gains(const Preset& preset) {
  std::vector<std::vector<float>> gains;
  for (const DriverRoute& driver : preset.drivers) gains.push_back({driver.plain_left_gain, driver.plain_right_gain});
  return gains;
}

/// Drivers that plain stereo plays: those that have a gain, and those that play bass of theirs.
inline std::vector<bool> plays_plain(const Preset& preset, const FilterSet& filters) {
  std::vector<bool> plays;
  for (const auto& gains : stereo_gains(preset)) plays.push_back(gains[0] != 0.0f || gains[1] != 0.0f);
  std::vector<bool> all = plays;
  for (std::size_t d = 0; d < filters.bass.size(); ++d) {
    for (std::size_t from = 0; from < filters.bass[d].size(); ++from) {
      if (plays[from] && !filters.bass[d][from].empty()) all[d] = true;
    }
  }
  return all;
}

/// What comes before the driver matrix takes this long on the sides; the center waits for it there.
inline int stage_latency_frames(const FilterSet& filters) {
  return FractionalDelay::latency + filters.crosstalk_delay_frames;
}

inline VirtualStereo make_virtual_stereo(const FilterSet& filters, int max_block_frames) {
  return VirtualStereo(filters.sample_rate, max_block_frames, filters.crosstalk, filters.crosstalk_delay_frames);
}

inline DriverMatrixSpec driver_matrix_spec(const Preset& preset, const FilterSet& filters) {
  DriverMatrixSpec spec{
      .drivers = static_cast<int>(preset.drivers.size()),
      .paths = {},
      .plain_gains = stereo_gains(preset),
      .side_align_frames = filters.cancel_align_frames,
      .center_align_frames = stage_latency_frames(filters) + filters.beam_align_frames,
      .side_delay_frames = filters.delay_frames,
      .center_delay_frames = filters.delay_frames + filters.cancel_align_frames - filters.beam_align_frames,
  };
  const auto add = [&](DriverInput input, std::size_t driver, const Fir& fir) {
    spec.paths.push_back({static_cast<int>(input), static_cast<int>(driver), fir});
  };
  for (std::size_t d = 0; d < preset.drivers.size(); ++d) {
    add(DriverInput::left, d, filters.cancel[d][0]);
    add(DriverInput::right, d, filters.cancel[d][1]);
    if (!filters.phantom.empty()) add(DriverInput::phantom, d, filters.phantom[d]);
    if (!filters.beam.empty()) add(DriverInput::flat, d, filters.beam[d]);
  }
  return spec;
}

/// One filter per driver and those that bring it the bass of others, or nothing when the drivers are flat.
inline std::unique_ptr<FirMatrix> make_driver_eq(const FilterSet& filters) {
  if (filters.driver_eq.empty()) return nullptr;
  const int drivers = static_cast<int>(filters.driver_eq.size());
  std::vector<FirPath> paths;
  for (int d = 0; d < drivers; ++d) paths.push_back({d, d, filters.driver_eq[static_cast<std::size_t>(d)]});
  for (std::size_t d = 0; d < filters.bass.size(); ++d) {
    for (std::size_t from = 0; from < filters.bass[d].size(); ++from) {
      const Fir& fir = filters.bass[d][from];
      if (!fir.empty()) paths.push_back({static_cast<int>(from), static_cast<int>(d), fir});
    }
  }
  return std::make_unique<FirMatrix>(drivers, drivers, paths);
}

}  // namespace forestage
