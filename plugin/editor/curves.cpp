#include "curves.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "path_specs.hpp"

namespace forestage::plugin {
namespace {

constexpr double lowest_hz = 50.0;
constexpr double highest_hz = 20000.0;
constexpr int points = 180;
constexpr int usual_rate = 48000;
constexpr double silence = 1e-6;

std::vector<double> frequencies() {
  std::vector<double> hz;
  for (int i = 0; i < points; ++i) hz.push_back(lowest_hz * std::pow(highest_hz / lowest_hz, i / (points - 1.0)));
  return hz;
}

const FilterSet& usual_filters(const Preset& preset) {
  const auto found = std::ranges::find(preset.filters, usual_rate, &FilterSet::sample_rate);
  return found != preset.filters.end() ? *found : preset.filters.front();
}

double level_db(const std::complex<double>& value) { return 20.0 * std::log10(std::max(std::abs(value), silence)); }

std::vector<double> levels_db(const Response& response, double gain_db) {
  std::vector<double> levels;
  for (const auto& value : response) levels.push_back(level_db(value) + gain_db);
  return levels;
}

std::vector<Response> of_channel(const FeedResponses& feeds, std::size_t channel) {
  std::vector<Response> responses;
  for (const auto& driver : feeds.sides) responses.push_back(driver[channel]);
  return responses;
}

void copy_knobs(const ParamStore& from, ParamStore& to) {
  for (std::size_t i = 0; i < param_count; ++i) to.set(static_cast<Param>(i), from.get(static_cast<Param>(i)));
  to.set(Param::solo, 0.0f);
  to.set(Param::bypass, 0.0f);
  to.set(Param::input_trim_db, 0.0f);
  to.set(Param::output_trim_db, 0.0f);
}

}  // namespace

PresetCurves::PresetCurves(std::shared_ptr<const Preset> preset)
    : preset_(std::move(preset)),
      frequency_hz_(frequencies()),
      chain_(stereo_gains(*preset_), usual_filters(*preset_), frequency_hz_),
      ears_(preset_->ears, frequency_hz_) {
  if (!preset_->directions) return;
  const auto& hz = preset_->directions->frequency_hz;
  const std::vector<double> frequency_hz(hz.begin(), hz.end());
  around_.emplace(Around{ChainResponse(stereo_gains(*preset_), usual_filters(*preset_), frequency_hz),
                         RadiatedResponse(*preset_->directions)});
}

FeedResponses PresetCurves::feeds(const ParamStore& knobs, Param changed, float value) const {
  ParamStore store;
  copy_knobs(knobs, store);
  store.set(changed, value);
  return chain_.equalised(chain_.feeds(store, preset_->loudness.processed_db));
}

std::vector<double> PresetCurves::separation_of(const FeedResponses& feeds) const {
  const auto left = ears_.heard(of_channel(feeds, 0));
  const auto right = ears_.heard(of_channel(feeds, 1));
  std::vector<double> separation;
  for (std::size_t f = 0; f < frequency_hz_.size(); ++f) {
    separation.push_back(
        std::min(level_db(left[0][f]) - level_db(left[1][f]), level_db(right[1][f]) - level_db(right[0][f])));
  }
  return separation;
}

Line PresetCurves::line(const char* name, LineKind kind, std::vector<double> values) const {
  return {name, kind, frequency_hz_, std::move(values)};
}

/// Without points when the preset does not have it.
Line PresetCurves::analysis_line(const char* curve, const char* name, LineKind kind) const {
  const auto found = std::ranges::find(preset_->analysis, curve, &Curve::name);
  if (found == preset_->analysis.end()) return {name, kind, {}, {}};
  return {name,
          kind,
          {found->frequency_hz.begin(), found->frequency_hz.end()},
          {found->values.begin(), found->values.end()}};
}

std::vector<Line> PresetCurves::separation(const ParamStore& knobs) const {
  return {line("Plain device", LineKind::plain, separation_of(feeds(knobs, Param::amount, 0.0f))),
          analysis_line("separation_target", "Target", LineKind::target),
          line("Virtual pair", LineKind::heard, separation_of(feeds(knobs, Param::solo, 0.0f))),
          line("Cancellation", LineKind::design, separation_of(feeds(knobs, Param::stage_crosstalk, 0.0f)))};
}

std::vector<Line> PresetCurves::colour(const ParamStore& knobs) const {
  const auto plain = feeds(knobs, Param::amount, 0.0f);
  const auto design = feeds(knobs, Param::solo, 0.0f);
  const double device_db = preset_->loudness.device_ears_db;
  const auto at_left_ear = [&](std::span<const Response> path) { return levels_db(ears_.heard(path)[0], device_db); };
  return {line("Left, plain device", LineKind::plain, at_left_ear(of_channel(plain, 0))),
          line("Left, reference pair", LineKind::reference,
               levels_db(ears_.reference()[0][0], preset_->loudness.reference_ears_db)),
          line("Middle", LineKind::heard, at_left_ear(design.center)),
          line("Left", LineKind::design, at_left_ear(of_channel(design, 0)))};
}

std::vector<Line> PresetCurves::beam() const {
  return {analysis_line("all_drivers_on_off", "All drivers alike", LineKind::target),
          analysis_line("plain_mix_on_off", "Plain mix", LineKind::plain),
          analysis_line("beam_on_off", "Beam", LineKind::design)};
}

BeamPicture PresetCurves::beam_picture(const ParamStore& knobs) const {
  if (!around_) return {};
  const Directions& directions = *preset_->directions;
  ParamStore store;
  copy_knobs(knobs, store);
  store.set(Param::stage_crosstalk, 0.0f);  // which the centre has none of
  const auto radiated = around_->device.radiated(around_->chain.feeds(store).center);
  const auto ahead =
      std::ranges::min_element(directions.azimuth_deg, {}, [](float azimuth) { return std::abs(azimuth); });
  const Response& axis = radiated[static_cast<std::size_t>(ahead - directions.azimuth_deg.begin())];
  BeamPicture picture{directions.azimuth_deg, directions.frequency_hz, {}};
  for (const Response& direction : radiated) {
    auto& levels = picture.level_db.emplace_back();
    for (std::size_t f = 0; f < direction.size(); ++f) levels.push_back(level_db(direction[f]) - level_db(axis[f]));
  }
  return picture;
}

std::vector<Line> PresetCurves::drivers(const ParamStore& knobs) const {
  const auto design = feeds(knobs, Param::solo, 0.0f);
  std::vector<Line> lines;
  for (std::size_t d = 0; d < design.sides.size(); ++d) {
    lines.push_back({preset_->drivers[d].name, LineKind::driver, frequency_hz_, levels_db(design.sides[d][0], 0.0)});
  }
  return lines;
}

}  // namespace forestage::plugin
