// What the graph does to sound, over frequency: from its paths to the feeds of the drivers, and on to the ears.
// Figures, reports and pictures ask here, so that none of them can disagree with what plays.
//
//     L', R', C ── virtual pair, cancellation, beam ─┐
//     L'+C, R'+C ── plain routing ───────────────────┴─ amount ── feeds ── driver EQ ── ears
//
// The upmix, the limiter and the static gain for headroom are left out: they depend on the programme.  [any thread]
#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <span>
#include <vector>

#include "param_store.hpp"
#include "preset.hpp"

namespace forestage {

using Response = std::vector<std::complex<double>>;  // one value per frequency

/// Frequencies at which filters of one sample rate are evaluated.
class FrequencyGrid {
 public:
  /// `frequency_hz`: any, in any order.
  FrequencyGrid(std::span<const double> frequency_hz, double sample_rate);

  std::size_t size() const noexcept { return turns_.size(); }

  /// Responses of filters of `taps` each, which lie one behind the other, into size() values for each.
  void evaluate(std::span<const double> firs, std::size_t taps, std::span<std::complex<double>> out) const;
  /// Response of one filter, `advance_frames` of its delay taken out.
  Response of(std::span<const float> fir, double advance_frames = 0.0) const;

 private:
  std::vector<double> turns_;  // radians that a frame is
};

/// Responses of the feeds in front of their equalisers, without the delay that all of them have.
struct FeedResponses {
  std::vector<std::array<Response, 2>> sides;  // [driver][left, right]: of L' and R'
  std::vector<Response> center;                // [driver]: of C
};

class ChainResponse {
 public:
  /// Evaluates each filter once, so that feeds() costs next to nothing. `plain_gains`: [driver][left, right].
  ChainResponse(std::vector<std::vector<float>> plain_gains, const FilterSet& filters,
                std::span<const double> frequency_hz);

  /// What the parameters make of them; `processed_db`: of the preset's loudness, for `level_match`.
  FeedResponses feeds(const ParamStore& store, float processed_db = 0.0f) const;
  /// The same behind the equalisers of the drivers: what leaves the plugin.
  FeedResponses equalised(FeedResponses feeds) const;

 private:
  struct Knobs;

  /// Far over near ear of the virtual pair, for a sound in (left, right).
  std::array<Response, 2> far_ears(const Knobs& knobs) const;
  std::array<Response, 2> designed_sides(std::size_t driver, const Knobs& knobs,
                                         const std::array<Response, 2>& far) const;
  Response designed_center(std::size_t driver, const Knobs& knobs) const;

  std::vector<std::vector<float>> plain_gains_;
  double sample_rate_;
  FrequencyGrid grid_;
  std::array<Response, 2> crosstalk_;            // weight of the virtual crosstalk from (left, right)
  std::vector<std::array<Response, 2>> cancel_;  // [driver][left, right]
  std::vector<Response> beam_;                   // [driver], or none
  std::vector<Response> phantom_;                // [driver], or none
  std::vector<Response> driver_eq_;              // [driver], or none
  std::vector<std::vector<Response>> bass_;      // [driver][from driver], or none; an empty one is silence
};

/// What ears hear of the equalised feeds, without the delay that all of it has.
class EarsResponse {
 public:
  EarsResponse(const Ears& ears, std::span<const double> frequency_hz);

  /// At the (left, right) ear; `feeds`: one response per driver.
  std::array<Response, 2> heard(std::span<const Response> feeds) const;
  /// The ideal pair: at the (left, right) ear, from the (left, right) channel.
  const std::array<std::array<Response, 2>, 2>& reference() const noexcept { return reference_; }

 private:
  std::array<std::vector<Response>, 2> device_;  // [ear][driver]
  std::array<std::array<Response, 2>, 2> reference_;
};

/// What a device sends all around itself, at the frequencies of its directions.
class RadiatedResponse {
 public:
  explicit RadiatedResponse(const Directions& directions);

  /// [azimuth][frequency]; `feeds`: one response per driver at these frequencies, in front of its equaliser.
  std::vector<Response> radiated(std::span<const Response> feeds) const;

 private:
  std::vector<std::vector<Response>> drivers_;  // [driver][azimuth]
};

}  // namespace forestage
