#include "response.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>

#include "controls.hpp"
#include "lanes.hpp"
#include "path_specs.hpp"
#include "simd.hpp"
#include "virtual_stereo.hpp"

namespace forestage {
namespace {

constexpr std::size_t block_taps = 64;  // share their exponentials, which take longer than the sums
constexpr std::size_t tile = 16;        // frequencies whose sums are kept in registers
constexpr double far_ear_s = 0.043;     // by then its shelf has faded by -1000 dB

/// exp(-i phase) of each tap of a block, at the frequencies of a tile.
struct Exponentials {
  std::array<std::array<double, tile>, block_taps> real;
  std::array<std::array<double, tile>, block_taps> imag;
};

struct Sums {
  std::array<double, tile> real{};
  std::array<double, tile> imag{};
};

// Vectors of doubles, as simd.hpp has them of floats.
#if defined(__GNUC__) || defined(__clang__)
typedef double Vector2 __attribute__((vector_size(16)));
typedef double Vector4 __attribute__((vector_size(32)));
#else
using Vector2 = double;
using Vector4 = double;
#endif

template <class V>
FORESTAGE_INLINE void add_scaled(V& sum, double tap, const double* from) {
  V value;
  std::memcpy(&value, from, sizeof(V));
  sum += tap * value;
}

template <class V>
FORESTAGE_INLINE void sum_body(const double* taps, std::size_t count, const Exponentials& at, Sums& sums) {
  constexpr std::size_t width = sizeof(V) / sizeof(double);
  for (std::size_t f = 0; f < tile; f += 4 * width) {
    V real[4] = {}, imag[4] = {};
    for (std::size_t k = 0; k < count; ++k) {
      const double* cosines = at.real[k].data() + f;
      const double* sines = at.imag[k].data() + f;
      add_scaled(real[0], taps[k], cosines);
      add_scaled(real[1], taps[k], cosines + width);
      add_scaled(real[2], taps[k], cosines + 2 * width);
      add_scaled(real[3], taps[k], cosines + 3 * width);
      add_scaled(imag[0], taps[k], sines);
      add_scaled(imag[1], taps[k], sines + width);
      add_scaled(imag[2], taps[k], sines + 2 * width);
      add_scaled(imag[3], taps[k], sines + 3 * width);
    }
    std::memcpy(sums.real.data() + f, real, sizeof(real));
    std::memcpy(sums.imag.data() + f, imag, sizeof(imag));
  }
}

using Sum = void (*)(const double* taps, std::size_t count, const Exponentials& at, Sums& sums);
void sum_baseline(const double* taps, std::size_t count, const Exponentials& at, Sums& sums) {
  sum_body<Vector2>(taps, count, at, sums);
}
FORESTAGE_AVX2 void sum_avx2(const double* taps, std::size_t count, const Exponentials& at, Sums& sums) {
  sum_body<Vector4>(taps, count, at, sums);
}
constexpr Sum baseline = sum_baseline;
constexpr Sum avx2 = sum_avx2;

/// Without the detours that the language takes for infinities.
std::complex<double> product(std::complex<double> a, std::complex<double> b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// sum += a b; nothing where b is silence.
void add_product(const Response& a, const Response& b, Response& sum) {
  for (std::size_t f = 0; f < b.size(); ++f) sum[f] += product(a[f], b[f]);
}

/// From left, right and center to one driver.
template <class Feeds>
auto responses_of(Feeds& feeds, std::size_t driver) {
  return std::array{&feeds.sides[driver][0], &feeds.sides[driver][1], &feeds.center[driver]};
}

}  // namespace

FrequencyGrid::FrequencyGrid(std::span<const double> frequency_hz, double sample_rate) {
  for (const double hz : frequency_hz) turns_.push_back(2.0 * std::numbers::pi * hz / sample_rate);
}

void FrequencyGrid::evaluate(std::span<const double> firs, std::size_t taps,
                             std::span<std::complex<double>> out) const {
  std::ranges::fill(out, std::complex<double>{});
  if (taps == 0) return;
  const Sum sum = simd::best(baseline, avx2);
  const std::size_t blocks = (taps + block_taps - 1) / block_taps;
  std::vector<std::array<std::complex<double>, tile>> starts(blocks);
  Exponentials within{};
  for (std::size_t first = 0; first < size(); first += tile) {
    const std::size_t used = std::min(tile, size() - first);
    for (std::size_t f = 0; f < used; ++f) {
      const double turn = turns_[first + f];
      const auto step = std::polar(1.0, -turn);
      std::complex<double> value = 1.0;
      for (std::size_t k = 0; k < block_taps; ++k) {
        within.real[k][f] = value.real();
        within.imag[k][f] = value.imag();
        value = product(value, step);
      }
      for (std::size_t b = 0; b < blocks; ++b) {
        starts[b][f] = std::polar(1.0, -turn * static_cast<double>(b * block_taps));
      }
    }
    for (std::size_t fir = 0; fir < firs.size() / taps; ++fir) {
      for (std::size_t b = 0; b < blocks; ++b) {
        Sums sums;
        const std::size_t count = std::min(block_taps, taps - b * block_taps);
        sum(firs.data() + fir * taps + b * block_taps, count, within, sums);
        for (std::size_t f = 0; f < used; ++f) {
          out[fir * size() + first + f] += product(starts[b][f], {sums.real[f], sums.imag[f]});
        }
      }
    }
  }
}

Response FrequencyGrid::of(std::span<const float> fir, double advance_frames) const {
  Response response(size());
  evaluate(std::vector<double>(fir.begin(), fir.end()), fir.size(), response);
  for (std::size_t f = 0; f < size(); ++f) {
    response[f] = product(response[f], std::polar(1.0, turns_[f] * advance_frames));
  }
  return response;
}

/// The parameters as the graph reads them.
struct ChainResponse::Knobs {
  Knobs(const ParamStore& store, double sample_rate, float processed_db) : controls(sample_rate, 1) {
    const float processed_gain = from_db(processed_db);
    controls.snap({store, store.is_on(Param::bypass), processed_gain, processed_gain, {}});
  }
  Controls controls;
};

ChainResponse::ChainResponse(std::vector<std::vector<float>> plain_gains, const FilterSet& filters,
                             std::span<const double> frequency_hz)
    : plain_gains_(std::move(plain_gains)),
      sample_rate_(filters.sample_rate),
      grid_(frequency_hz, filters.sample_rate) {
  for (std::size_t c = 0; c < 2; ++c) {
    crosstalk_[c] = filters.crosstalk.empty() ? Response(grid_.size(), 1.0)
                                              : grid_.of(filters.crosstalk[c], filters.crosstalk_delay_frames);
  }
  const double center_frames = filters.delay_frames + filters.cancel_align_frames - filters.beam_align_frames;
  for (const auto& row : filters.cancel) {
    cancel_.push_back({grid_.of(row[0], filters.delay_frames), grid_.of(row[1], filters.delay_frames)});
  }
  for (const Fir& fir : filters.beam) beam_.push_back(grid_.of(fir, center_frames));
  for (const Fir& fir : filters.phantom) phantom_.push_back(grid_.of(fir, center_frames));
  for (const Fir& fir : filters.driver_eq) driver_eq_.push_back(grid_.of(fir, filters.driver_eq_delay_frames));
  for (const auto& row : filters.bass) {
    auto& responses = bass_.emplace_back();
    for (const Fir& fir : row) {
      responses.push_back(fir.empty() ? Response{} : grid_.of(fir, filters.driver_eq_delay_frames));
    }
  }
}

std::array<Response, 2> ChainResponse::far_ears(const Knobs& knobs) const {
  if (knobs.controls.stage_crosstalk.value() == 0.0f || knobs.controls.amount.value() == 0.0f)
    return {Response(grid_.size()), Response(grid_.size())};
  const int frames = static_cast<int>(std::ceil(far_ear_s * sample_rate_));
  VirtualStereo pair(sample_rate_, frames);
  Ramp width(sample_rate_, frames);
  Ramp crosstalk(sample_rate_, frames);
  width.snap(knobs.controls.stage_width_deg.value());
  crosstalk.snap(knobs.controls.stage_crosstalk.value());
  Lanes ears(2, frames);
  ears[0][0] = 1.0f;
  pair.process(ears.block(frames), width, crosstalk, ears.block(frames));
  const Response far = grid_.of({ears[1], static_cast<std::size_t>(frames)}, pair.latency_frames());
  std::array<Response, 2> result = crosstalk_;
  for (Response& weight : result) {
    for (std::size_t f = 0; f < grid_.size(); ++f) weight[f] *= far[f];
  }
  return result;
}

/// Through the virtual pair and the cancellation.
std::array<Response, 2> ChainResponse::designed_sides(std::size_t driver, const Knobs& knobs,
                                                      const std::array<Response, 2>& far) const {
  const double cancellation = knobs.controls.cancellation.value();
  std::array<Response, 2> cancelled;
  for (std::size_t c = 0; c < 2; ++c) {
    const double plain = (1.0 - cancellation) * static_cast<double>(plain_gains_[driver][c]);
    for (const auto& designed : cancel_[driver][c]) cancelled[c].push_back(plain + cancellation * designed);
  }
  std::array<Response, 2> sides = cancelled;
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t f = 0; f < grid_.size(); ++f) sides[c][f] += far[c][f] * cancelled[1 - c][f];
  }
  return sides;
}

Response ChainResponse::designed_center(std::size_t driver, const Knobs& knobs) const {
  const double plain = static_cast<double>(plain_gains_[driver][0]) + static_cast<double>(plain_gains_[driver][1]);
  const Response flat = beam_.empty() ? Response(grid_.size(), plain) : beam_[driver];
  const Response& phantom = phantom_.empty() ? flat : phantom_[driver];
  const double focus = knobs.controls.center_focus.value();
  const double presence = knobs.controls.center_presence.value();
  Response center;
  for (std::size_t f = 0; f < grid_.size(); ++f) {
    center.push_back((1.0 - focus) * plain + focus * ((1.0 - presence) * phantom[f] + presence * flat[f]));
  }
  return center;
}

FeedResponses ChainResponse::feeds(const ParamStore& store, float processed_db) const {
  const Knobs knobs(store, sample_rate_, processed_db);
  const Controls& controls = knobs.controls;
  const double trim = static_cast<double>(controls.input_gain.value()) * controls.output_gain.value();
  const double amount = controls.amount.value();
  const double designed_gain = amount * controls.processed_gain.value();
  const auto far = far_ears(knobs);
  const auto mixed = [&](Response designed, double solo, double gain, double plain) {
    for (auto& value : designed) value = solo * trim * ((1.0 - amount) * plain + designed_gain * gain * value);
    return designed;
  };
  FeedResponses result;
  for (std::size_t d = 0; d < cancel_.size(); ++d) {
    const double plain_left = plain_gains_[d][0];
    const double plain_right = plain_gains_[d][1];
    auto [left, right] = designed_sides(d, knobs, far);
    result.sides.push_back({mixed(std::move(left), controls.solo_left.value(), 1.0, plain_left),
                            mixed(std::move(right), controls.solo_right.value(), 1.0, plain_right)});
    result.center.push_back(mixed(designed_center(d, knobs), controls.solo_center.value(), controls.center_gain.value(),
                                  plain_left + plain_right));
  }
  return result;
}

FeedResponses ChainResponse::equalised(FeedResponses feeds) const {
  const FeedResponses heard = feeds;
  for (std::size_t d = 0; d < driver_eq_.size(); ++d) {
    for (Response* feed : responses_of(feeds, d)) {
      for (std::size_t f = 0; f < feed->size(); ++f) (*feed)[f] = product((*feed)[f], driver_eq_[d][f]);
    }
  }
  for (std::size_t d = 0; d < bass_.size(); ++d) {
    for (std::size_t from = 0; from < bass_[d].size(); ++from) {
      const auto to = responses_of(feeds, d);
      const auto source = responses_of(heard, from);
      for (std::size_t path = 0; path < to.size(); ++path) add_product(*source[path], bass_[d][from], *to[path]);
    }
  }
  return feeds;
}

EarsResponse::EarsResponse(const Ears& ears, std::span<const double> frequency_hz) {
  const FrequencyGrid grid(frequency_hz, ears.sample_rate);
  for (std::size_t ear = 0; ear < 2; ++ear) {
    for (const Fir& fir : ears.device[ear]) device_[ear].push_back(grid.of(fir, ears.delay_frames));
    for (std::size_t c = 0; c < 2; ++c) reference_[ear][c] = grid.of(ears.reference[ear][c], ears.delay_frames);
  }
}

std::array<Response, 2> EarsResponse::heard(std::span<const Response> feeds) const {
  std::array<Response, 2> sums;
  for (std::size_t ear = 0; ear < 2; ++ear) {
    sums[ear].resize(reference_[ear][0].size());
    for (std::size_t d = 0; d < feeds.size(); ++d) {
      for (std::size_t f = 0; f < sums[ear].size(); ++f) sums[ear][f] += product(device_[ear][d][f], feeds[d][f]);
    }
  }
  return sums;
}

RadiatedResponse::RadiatedResponse(const Directions& directions) {
  const std::size_t frequencies = directions.frequency_hz.size();
  for (const Fir& parts : directions.drivers) {
    auto& driver = drivers_.emplace_back();
    for (std::size_t at = 0; at + 2 * frequencies <= parts.size(); at += 2 * frequencies) {
      Response& response = driver.emplace_back();
      for (std::size_t f = 0; f < frequencies; ++f) response.emplace_back(parts[at + 2 * f], parts[at + 2 * f + 1]);
    }
  }
}

std::vector<Response> RadiatedResponse::radiated(std::span<const Response> feeds) const {
  std::vector<Response> sums(drivers_[0].size(), Response(feeds[0].size()));
  for (std::size_t d = 0; d < feeds.size(); ++d) {
    for (std::size_t a = 0; a < sums.size(); ++a) {
      for (std::size_t f = 0; f < feeds[d].size(); ++f) sums[a][f] += product(drivers_[d][a][f], feeds[d][f]);
    }
  }
  return sums;
}

}  // namespace forestage
