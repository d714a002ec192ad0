#include "preset_at_rate.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "resample_fir.hpp"

namespace forestage {
namespace {

const FilterSet& nearest_filters(const Preset& preset, int sample_rate) {
  const FilterSet* above = nullptr;
  const FilterSet* highest = nullptr;
  for (const FilterSet& set : preset.filters) {
    if (set.sample_rate >= sample_rate && (above == nullptr || set.sample_rate < above->sample_rate)) above = &set;
    if (highest == nullptr || set.sample_rate > highest->sample_rate) highest = &set;
  }
  if (highest == nullptr) throw std::invalid_argument("preset \"" + preset.name + "\" holds no filters");
  return above != nullptr ? *above : *highest;
}

/// A delay carried to another rate, in whole frames.
int scaled_frames(int frames, int from_rate, int to_rate) {
  return static_cast<int>(std::lround(static_cast<double>(frames) * to_rate / from_rate));
}

FilterSet filters_at(const FilterSet& set, int to_rate) {
  if (set.sample_rate == to_rate) return set;
  const double ratio = static_cast<double>(to_rate) / set.sample_rate;
  FilterSet result;
  result.sample_rate = to_rate;
  result.delay_frames = scaled_frames(set.delay_frames, set.sample_rate, to_rate);
  result.cancel_align_frames = scaled_frames(set.cancel_align_frames, set.sample_rate, to_rate);
  result.beam_align_frames = scaled_frames(set.beam_align_frames, set.sample_rate, to_rate);
  // Alignment stays whole frames; what rounding takes away goes into the filters.
  const auto resampler = [&](int align, int rounded_align) {
    return FirResampler(set.sample_rate, set.delay_frames, to_rate,
                        result.delay_frames + align * ratio - rounded_align);
  };
  FirResampler cancel = resampler(set.cancel_align_frames, result.cancel_align_frames);
  FirResampler beam = resampler(set.beam_align_frames, result.beam_align_frames);
  // Driver equalisers have no delay of their own to ring in before their main tap.
  result.driver_eq_delay_frames = set.driver_eq.empty() ? 0 : FirResampler::pre_ringing_frames;
  FirResampler driver_eq(set.sample_rate, 0.0, to_rate, result.driver_eq_delay_frames);
  result.crosstalk_delay_frames = scaled_frames(set.crosstalk_delay_frames, set.sample_rate, to_rate);
  FirResampler crosstalk(set.sample_rate, set.crosstalk_delay_frames, to_rate, result.crosstalk_delay_frames);
  for (const Fir& fir : set.crosstalk) result.crosstalk.push_back(crosstalk(fir));
  for (const auto& row : set.cancel) result.cancel.push_back({cancel(row[0]), cancel(row[1])});
  for (const Fir& fir : set.beam) result.beam.push_back(beam(fir));
  for (const Fir& fir : set.phantom) result.phantom.push_back(beam(fir));
  for (const Fir& fir : set.driver_eq) result.driver_eq.push_back(driver_eq(fir));
  return result;
}

Ears ears_at(const Ears& ears, int to_rate) {
  if (ears.sample_rate == to_rate) return ears;
  Ears result;
  result.sample_rate = to_rate;
  result.delay_frames = std::max(static_cast<int>(FirResampler::pre_ringing_frames),
                                 scaled_frames(ears.delay_frames, ears.sample_rate, to_rate));
  FirResampler convert(ears.sample_rate, ears.delay_frames, to_rate, result.delay_frames);
  for (std::size_t ear = 0; ear < 2; ++ear) {
    for (const Fir& fir : ears.device[ear]) result.device[ear].push_back(convert(fir));
    for (std::size_t c = 0; c < 2; ++c) result.reference[ear][c] = convert(ears.reference[ear][c]);
  }
  return result;
}

}  // namespace

Preset at_rate(const Preset& preset, int sample_rate) {
  Preset result;
  result.name = preset.name;
  result.device = preset.device;
  result.parameters = preset.parameters;
  result.drivers = preset.drivers;
  result.filters = {filters_at(nearest_filters(preset, sample_rate), sample_rate)};
  result.ears = ears_at(preset.ears, sample_rate);
  result.loudness = preset.loudness;
  if (preset.room) {
    result.room = Room{preset.room->name, ears_at(preset.room->ears, sample_rate), preset.room->loudness};
  }
  return result;
}

bool has_rate(const Preset& preset, int sample_rate) {
  return std::ranges::any_of(preset.filters, [&](const FilterSet& set) { return set.sample_rate == sample_rate; });
}

}  // namespace forestage
