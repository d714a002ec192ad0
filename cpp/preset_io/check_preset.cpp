#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <stdexcept>
#include <vector>

#include "preset_fields.hpp"
#include "read_preset.hpp"

namespace forestage::preset_detail {

namespace {

void check_rows(std::size_t rows, std::size_t drivers, const Path& path) {
  if (rows != drivers) {
    fail(path, "has " + std::to_string(rows) + " rows; must have one for each of the " + std::to_string(drivers) +
                   " drivers");
  }
}

/// A filter that ends before its own delay carries no sound. Empty ones are silence on purpose.
void check_delay(std::span<const Fir> firs, int delay_frames, const Path& path) {
  for (std::size_t i = 0; i < firs.size(); ++i) {
    if (!firs[i].empty() && firs[i].size() <= static_cast<std::size_t>(delay_frames)) {
      fail(Path(path, i), "has " + std::to_string(firs[i].size()) + " taps; must have more than its delay_frames of " +
                              std::to_string(delay_frames));
    }
  }
}

void check_delays(const std::vector<Fir>& firs, int delay_frames, const Path& path) {
  check_delay(firs, delay_frames, path);
}

void check_delays(const std::vector<std::array<Fir, 2>>& rows, int delay_frames, const Path& path) {
  for (std::size_t i = 0; i < rows.size(); ++i) check_delay(rows[i], delay_frames, Path(path, i));
}

void check_delays(const std::vector<std::vector<Fir>>& rows, int delay_frames, const Path& path) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    check_rows(rows[i].size(), rows.size(), Path(path, i));
    check_delay(rows[i], delay_frames, Path(path, i));
  }
}

void check_duration(std::span<const Fir> firs, int sample_rate, const Path& path) {
  for (std::size_t i = 0; i < firs.size(); ++i) {
    const auto most = static_cast<std::size_t>(longest_ears_s * sample_rate);
    if (firs[i].size() > most) {
      fail(Path(path, i), "has " + std::to_string(firs[i].size()) + " taps; at most " + std::to_string(longest_ears_s) +
                              " seconds, " + std::to_string(most) + ", would be right");
    }
  }
}

void check_filter_set(const FilterSet& set, std::size_t drivers, const Path& path) {
  const int late =
      set.crosstalk_delay_frames + set.delay_frames + std::max(set.cancel_align_frames, set.beam_align_frames);
  if (late > set.sample_rate / 4) {
    fail(path, "delays add up to " + std::to_string(late) + " frames; at most a quarter of a second, " +
                   std::to_string(set.sample_rate / 4) + ", would be right");
  }
  each_field<FilterSet>([&](const auto& row) {
    if constexpr (is_filters<decltype(row)>) {
      const auto& filters = set.*row.member;
      const Path place(path, row.key);
      if (row.is_per_driver && (row.need == Need::required || !filters.empty())) {
        check_rows(filters.size(), drivers, place);
      }
      check_delays(filters, set.*row.delay, place);
    }
  });
  if (!set.bass.empty() && set.driver_eq.empty()) {
    fail(Path(path, "bass"), "is there without driver_eq; drivers that leave their bass to others need high-passes");
  }
  const Path crosstalk(path, "crosstalk");
  if (!set.crosstalk.empty() && set.crosstalk.size() != 2) {
    fail(crosstalk,
         "has " + std::to_string(set.crosstalk.size()) + " filters; must have 2 (from left, from right) or none");
  }
  if (std::ranges::all_of(set.crosstalk, &Fir::empty) && set.crosstalk_delay_frames != 0) {
    fail(Path(path, "crosstalk_delay_frames"),
         "is " + std::to_string(set.crosstalk_delay_frames) + " without crosstalk filters; must be 0");
  }
}

void check_filters(const Preset& preset, const Path& path) {
  std::set<int> rates;
  for (std::size_t i = 0; i < preset.filters.size(); ++i) {
    const FilterSet& set = preset.filters[i];
    const Path item(path, i);
    if (!rates.insert(set.sample_rate).second) {
      fail(Path(item, "sample_rate"),
           "is " + std::to_string(set.sample_rate) + ", which an earlier set has; one set per rate");
    }
    check_filter_set(set, preset.drivers.size(), item);
  }
  for (const int rate : required_sample_rates) {
    if (!rates.contains(rate)) {
      fail(path, "no filters for " + std::to_string(rate) + " Hz; all of " + required_rates_text() + " are required");
    }
  }
}

void check_ears(const Ears& ears, std::size_t drivers, const Path& path) {
  if (ears.delay_frames > ears.sample_rate / 8) {
    fail(Path(path, "delay_frames"), "is " + std::to_string(ears.delay_frames) + "; at most an eighth of a second, " +
                                         std::to_string(ears.sample_rate / 8) + ", would be right");
  }
  const Path device(path, "device");
  const Path reference(path, "reference");
  for (std::size_t ear = 0; ear < 2; ++ear) {
    check_rows(ears.device[ear].size(), drivers, Path(device, ear));
    check_delay(ears.device[ear], ears.delay_frames, Path(device, ear));
    check_delay(ears.reference[ear], ears.delay_frames, Path(reference, ear));
    check_duration(ears.device[ear], ears.sample_rate, Path(device, ear));
    check_duration(ears.reference[ear], ears.sample_rate, Path(reference, ear));
  }
}

/// Both places must reach the ears at the same time, at every rate, as the latency is common to all monitors.
void check_room(const Room& room, const Preset& preset, const Path& path) {
  const Path ears(path, "ears");
  check_ears(room.ears, preset.drivers.size(), ears);
  const auto same = [&](std::string_view key, int value, int free_field) {
    if (value != free_field) {
      fail(Path(ears, key),
           "is " + std::to_string(value) + "; must be as in the ears of the free field, " + std::to_string(free_field));
    }
  };
  same("sample_rate", room.ears.sample_rate, preset.ears.sample_rate);
  same("delay_frames", room.ears.delay_frames, preset.ears.delay_frames);
}

void check_rising(std::span<const float> values, const Path& path, const std::string& what) {
  const auto turn = std::ranges::adjacent_find(values, std::ranges::greater_equal{});
  if (turn != values.end()) {
    const auto index = static_cast<std::size_t>(turn - values.begin()) + 1;
    fail(Path(path, index), "is " + number_text(values[index]) + " after " + number_text(*turn) + "; " + what);
  }
}

void check_over_frequency(std::span<const float> frequency_hz, std::size_t values, std::string_view key,
                          const Path& path) {
  if (values != frequency_hz.size()) {
    fail(Path(path, key), "has " + std::to_string(values) + " items; must have one for each of the " +
                              std::to_string(frequency_hz.size()) + " frequencies");
  }
  check_rising(frequency_hz, Path(path, "frequency_hz"), "frequencies must rise");
}

void check_curve(const Curve& curve, const Path& path) {
  check_over_frequency(curve.frequency_hz, curve.values.size(), "values", path);
}

void check_map(const Map& map, const Path& path) {
  const std::size_t seats = map.lateral_m.size() * map.distance_m.size();
  if (map.values.size() != seats) {
    fail(Path(path, "values"), "has " + std::to_string(map.values.size()) + " items; must have one for each of the " +
                                   std::to_string(seats) + " seats (" + std::to_string(map.distance_m.size()) +
                                   " distances times " + std::to_string(map.lateral_m.size()) + " lateral places)");
  }
  check_rising(map.lateral_m, Path(path, "lateral_m"), "places must rise");
  check_rising(map.distance_m, Path(path, "distance_m"), "places must rise");
}

void check_directions(const Directions& directions, std::size_t drivers, const Path& path) {
  const Path rows(path, "drivers");
  if (directions.drivers.size() != drivers) {
    fail(rows, "has " + std::to_string(directions.drivers.size()) + " items; must have one for each of the " +
                   std::to_string(drivers) + " drivers");
  }
  const std::size_t values = 2 * directions.azimuth_deg.size() * directions.frequency_hz.size();
  for (std::size_t d = 0; d < drivers; ++d) {
    if (directions.drivers[d].size() != values) {
      fail(Path(rows, d), "has " + std::to_string(directions.drivers[d].size()) + " values; must have " +
                              std::to_string(values) + ", two for each direction and frequency");
    }
  }
  check_rising(directions.azimuth_deg, Path(path, "azimuth_deg"), "directions must rise");
  check_rising(directions.frequency_hz, Path(path, "frequency_hz"), "frequencies must rise");
}

template <class Named>
void check_names(const std::vector<Named>& items, const Path& path) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!names.insert(items[i].name).second) {
      const Path item(path, i);
      fail(Path(item, "name"), "is \"" + items[i].name + "\", which an earlier one has; names must differ");
    }
  }
}

}  // namespace

std::string required_rates_text() {
  std::string text;
  for (const int rate : required_sample_rates) text += (text.empty() ? "" : ", ") + std::to_string(rate);
  return text + " Hz";
}

void check_preset(const Preset& preset, const Path& path) {
  check_names(preset.drivers, Path(path, "drivers"));
  check_filters(preset, Path(path, "filters"));
  check_ears(preset.ears, preset.drivers.size(), Path(path, "ears"));
  if (preset.room) check_room(*preset.room, preset, Path(path, "room"));
  if (preset.directions) check_directions(*preset.directions, preset.drivers.size(), Path(path, "directions"));
  const Path analysis(path, "analysis");
  check_names(preset.analysis, analysis);
  for (std::size_t i = 0; i < preset.analysis.size(); ++i) check_curve(preset.analysis[i], Path(analysis, i));
  const Path maps(path, "maps");
  check_names(preset.maps, maps);
  for (std::size_t i = 0; i < preset.maps.size(); ++i) check_map(preset.maps[i], Path(maps, i));
}

void check_eq(const ParametricEq& eq, const Path& path) {
  if (!eq.curve) return;
  check_over_frequency(eq.curve->frequency_hz, eq.curve->gain_db.size(), "gain_db", Path(path, "curve"));
}

void check_eq(const EarEqs& eqs, const Path& path) {
  for (std::size_t ear = 0; ear < eqs.size(); ++ear) check_eq(eqs[ear], Path(path, ear));
}

void check_eq(const FirEq& eq, const Path& path) {
  try {
    check(eq);
  } catch (const std::invalid_argument& error) {
    fail(path, error.what());
  }
}

}  // namespace forestage::preset_detail
