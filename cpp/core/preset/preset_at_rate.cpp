#include "preset_at_rate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "preset_fields.hpp"
#include "resample_fir.hpp"

namespace forestage {
namespace {

using preset_detail::each_field;
using preset_detail::is_filters;

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

Fir converted(FirResampler& convert, const Fir& fir) { return convert(fir); }

// Lists nest in any order, so the one below must be known to the one above.
template <class Item, std::size_t count>
std::array<Item, count> converted(FirResampler& convert, const std::array<Item, count>& items);

template <class Item>
std::vector<Item> converted(FirResampler& convert, const std::vector<Item>& items) {
  std::vector<Item> result;
  for (const Item& item : items) result.push_back(converted(convert, item));
  return result;
}

template <class Item, std::size_t count>
std::array<Item, count> converted(FirResampler& convert, const std::array<Item, count>& items) {
  std::array<Item, count> result;
  for (std::size_t i = 0; i < count; ++i) result[i] = converted(convert, items[i]);
  return result;
}

/// All filters of a struct, brought to the rate and the delays that `to` has.
template <class Struct>
void convert_filters(const Struct& from, Struct& to) {
  const double ratio = static_cast<double>(to.sample_rate) / from.sample_rate;
  each_field<Struct>([&](const auto& row) {
    if constexpr (is_filters<decltype(row)>) {
      // Alignment stays whole frames; what rounding takes away goes into the filters.
      const double rounded_away = row.align != nullptr ? from.*row.align * ratio - to.*row.align : 0.0;
      FirResampler convert(from.sample_rate, from.*row.delay, to.sample_rate, to.*row.delay + rounded_away);
      to.*row.member = converted(convert, from.*row.member);
    }
  });
}

/// The rate itself and all that is counted in frames, at another rate.
template <class Struct>
Struct scaled(const Struct& from, int to_rate) {
  Struct to;
  each_field<Struct>([&](const auto& row) {
    if constexpr (!is_filters<decltype(row)>)
      to.*row.member = scaled_frames(from.*row.member, from.sample_rate, to_rate);
  });
  return to;
}

FilterSet filters_at(const FilterSet& set, int to_rate) {
  if (set.sample_rate == to_rate) return set;
  FilterSet result = scaled(set, to_rate);
  // Driver equalisers have no delay of their own to ring in before their main tap.
  result.driver_eq_delay_frames = set.driver_eq.empty() ? 0 : FirResampler::pre_ringing_frames;
  convert_filters(set, result);
  return result;
}

/// Without their responses.
Ears ear_delays_at(const Ears& ears, int to_rate) {
  Ears result = scaled(ears, to_rate);
  const int least_frames = ears.sample_rate == to_rate ? 0 : FirResampler::pre_ringing_frames;
  result.delay_frames = std::max(least_frames, result.delay_frames);
  return result;
}

Ears ears_at(const Ears& ears, int to_rate) {
  if (ears.sample_rate == to_rate) return ears;
  Ears result = ear_delays_at(ears, to_rate);
  convert_filters(ears, result);
  return result;
}

}  // namespace

Preset delays_at_rate(const Preset& preset, int sample_rate) {
  Preset result;
  result.filters = {filters_at(nearest_filters(preset, sample_rate), sample_rate)};
  result.ears = ear_delays_at(preset.ears, sample_rate);
  return result;
}

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

std::shared_ptr<const Preset> shared_at_rate(const std::shared_ptr<const Preset>& preset, int sample_rate) {
  struct Entry {
    std::weak_ptr<const Preset> source;
    int sample_rate;
    std::weak_ptr<const Preset> converted;
  };
  static std::mutex mutex;
  static std::vector<Entry> entries;
  const std::lock_guard guard(mutex);  // held while it converts: who comes second would only do the same again
  std::erase_if(entries, [](const Entry& entry) { return entry.converted.expired(); });
  for (const Entry& entry : entries) {
    if (entry.sample_rate != sample_rate || entry.source.lock() != preset) continue;
    if (auto found = entry.converted.lock()) return found;
  }
  auto converted = std::make_shared<const Preset>(at_rate(*preset, sample_rate));
  entries.push_back({preset, sample_rate, converted});
  return converted;
}

bool has_rate(const Preset& preset, int sample_rate) {
  return std::ranges::any_of(preset.filters, [&](const FilterSet& set) { return set.sample_rate == sample_rate; });
}

}  // namespace forestage
