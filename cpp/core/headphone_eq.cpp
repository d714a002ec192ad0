#include "headphone_eq.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>
#include <stdexcept>

#include "fft.hpp"

namespace forestage {
namespace {

using Spectrum = AlignedVector<std::complex<float>>;

constexpr double forgotten_energy = 1e-12;  // of what is cut from the end: -120 dB

/// Without what nobody misses at the end.
Fir cut(const std::vector<double>& response) {
  const double total = std::inner_product(response.begin(), response.end(), response.begin(), 0.0);
  std::size_t frames = response.size();
  double rest = 0.0;
  while (frames > 1) {
    rest += response[frames - 1] * response[frames - 1];
    if (rest > forgotten_energy * total) break;
    --frames;
  }
  return {response.begin(), response.begin() + static_cast<std::ptrdiff_t>(frames)};
}

std::size_t longest_frames(int sample_rate) { return static_cast<std::size_t>(longest_eq_s * sample_rate); }

// -- bands ------------------------------------------------------------------------------------------------------------

struct Biquad {
  double b0 = 1.0, b1 = 0.0, b2 = 0.0, a1 = 0.0, a2 = 0.0;

  void filter(std::vector<double>& signal) const {
    double s1 = 0.0;
    double s2 = 0.0;
    for (double& x : signal) {
      const double y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      x = y;
    }
  }
};

/// What remains of a band whose frequency is above all that is heard.
double gain_below(const EqBand& band) {
  if (band.shape == EqShape::low_shelf) return std::pow(10.0, band.gain_db / 20.0);
  return band.shape == EqShape::high_pass || band.shape == EqShape::band_pass ? 0.0 : 1.0;
}

double half_width(const EqBand& band, double w) {
  if (!band.bandwidth_octaves) return std::sin(w) / (2.0 * band.q);
  constexpr double most = 10.0;  // 28 octaves; near half the sample rate there is no end to it
  const double octaves = *band.bandwidth_octaves * w / std::sin(w);
  return std::sin(w) * std::sinh(std::min(0.5 * std::numbers::ln2 * octaves, most));
}

/// With the cookbook's names.
Biquad biquad(const EqBand& band, int sample_rate) {
  const double w = 2.0 * std::numbers::pi * band.frequency_hz / sample_rate;
  if (w >= std::numbers::pi) return {.b0 = gain_below(band)};
  const double a = std::pow(10.0, band.gain_db / 40.0);
  const double c = std::cos(w);
  const double alpha = half_width(band, w);
  const auto normalised = [](double a0, double a1, double a2, double b0, double b1, double b2) {
    return Biquad{b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
  };
  const auto with_poles = [&](double b0, double b1, double b2) {
    return normalised(1.0 + alpha, -2.0 * c, 1.0 - alpha, b0, b1, b2);
  };
  // A high shelf is a low shelf mirrored at a quarter of the sample rate: the sign of c and of the odd coefficients.
  const auto shelf = [&](double sign) {
    const double d = sign * c;
    const double slope = 2.0 * std::sqrt(a) * alpha;
    return normalised((a + 1.0) + (a - 1.0) * d + slope, sign * -2.0 * ((a - 1.0) + (a + 1.0) * d),
                      (a + 1.0) + (a - 1.0) * d - slope, a * ((a + 1.0) - (a - 1.0) * d + slope),
                      sign * 2.0 * a * ((a - 1.0) - (a + 1.0) * d), a * ((a + 1.0) - (a - 1.0) * d - slope));
  };
  switch (band.shape) {
    case EqShape::low_shelf:
      return shelf(1.0);
    case EqShape::high_shelf:
      return shelf(-1.0);
    case EqShape::low_pass:
      return with_poles(0.5 * (1.0 - c), 1.0 - c, 0.5 * (1.0 - c));
    case EqShape::high_pass:
      return with_poles(0.5 * (1.0 + c), -1.0 - c, 0.5 * (1.0 + c));
    case EqShape::band_pass:
      return with_poles(alpha, 0.0, -alpha);
    case EqShape::notch:
      return with_poles(1.0, -2.0 * c, 1.0);
    case EqShape::all_pass:
      return with_poles(1.0 - alpha, -2.0 * c, 1.0 + alpha);
    case EqShape::peaking:
      break;
  }
  return normalised(1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a, 1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a);
}

// -- impulse responses ------------------------------------------------------------------------------------------------

constexpr int grid_per_hz = 2;        // both rates have the same grid of frequencies, so nothing is interpolated
constexpr double heard_ratio = 0.9;   // of half the file's rate; files end in a notch there, or with their converter
constexpr float least_ratio = 1e-5f;  // a notch is no deeper than -100 dB

/// ln |H| on the grid, up to half of `to_rate`; beyond what is heard of the file its last value goes on.
std::vector<float> log_magnitudes(const Fir& fir, int from_rate, int to_rate) {
  const RealFft fft(grid_per_hz * from_rate);
  AlignedVector<float> time(static_cast<std::size_t>(fft.frames()));
  std::ranges::copy(fir, time.begin());
  Spectrum bins(time.size() / 2 + 1);
  fft.forward(time.data(), bins.data());
  const auto last = static_cast<std::size_t>(heard_ratio * static_cast<double>(time.size() / 2));
  float largest = 0.0f;
  for (std::size_t k = 0; k <= last; ++k) largest = std::max(largest, std::abs(bins[k]));
  std::vector<float> logs(static_cast<std::size_t>(grid_per_hz * to_rate / 2 + 1));
  for (std::size_t k = 0; k < logs.size(); ++k) {
    logs[k] = std::log(std::max(std::abs(bins[std::min(k, last)]), least_ratio * largest));
  }
  return logs;
}

/// By the folded cepstrum: A. Oppenheim, R. Schafer, "Discrete-Time Signal Processing", ch. 13.
Fir minimum_phase(const std::vector<float>& logs, int sample_rate) {
  const RealFft fft(grid_per_hz * sample_rate);
  const auto frames = static_cast<std::size_t>(fft.frames());
  const float scale = 1.0f / static_cast<float>(frames);
  Spectrum bins(logs.begin(), logs.end());
  AlignedVector<float> time(frames);
  fft.backward(bins.data(), time.data());
  for (std::size_t n = 0; n < frames; ++n) {
    const float weight = n == 0 || n == frames / 2 ? 1.0f : n < frames / 2 ? 2.0f : 0.0f;
    time[n] *= weight * scale;
  }
  fft.forward(time.data(), bins.data());
  for (auto& bin : bins) bin = std::exp(bin) * scale;
  fft.backward(bins.data(), time.data());
  return cut({time.begin(), time.begin() + static_cast<std::ptrdiff_t>(longest_frames(sample_rate))});
}

/// ln |H| of a curve on the grid, up to half of the rate.
std::vector<float> log_magnitudes(const EqCurve& curve, int sample_rate) {
  std::vector<float> logs(static_cast<std::size_t>(grid_per_hz * sample_rate / 2 + 1));
  const auto& points = curve.frequency_hz;
  std::size_t above = 0;  // the first point that is not below
  for (std::size_t k = 0; k < logs.size(); ++k) {
    const double frequency_hz = static_cast<double>(k) / grid_per_hz;
    while (above < points.size() && points[above] < frequency_hz) ++above;
    double gain_db = curve.gain_db[std::min(above, points.size() - 1)];
    if (above > 0 && above < points.size()) {
      const double part = std::log(frequency_hz / points[above - 1]) / std::log(points[above] / points[above - 1]);
      gain_db = std::lerp(static_cast<double>(curve.gain_db[above - 1]), gain_db, part);
    }
    logs[k] = static_cast<float>(gain_db * std::numbers::ln10 / 20.0);
  }
  return logs;
}

// -- equalisers -------------------------------------------------------------------------------------------------------

Fir make_fir(const ParametricEq& eq, int sample_rate) {
  const Fir start = eq.curve ? minimum_phase(log_magnitudes(*eq.curve, sample_rate), sample_rate) : Fir{1.0f};
  std::vector<double> response(start.begin(), start.end());
  response.resize(longest_frames(sample_rate));
  for (double& tap : response) tap *= std::pow(10.0, eq.preamp_db / 20.0);
  for (const EqBand& band : eq.bands) biquad(band, sample_rate).filter(response);
  return cut(response);
}

EarFirs make_firs(const ParametricEq& eq, int sample_rate) {
  const Fir fir = make_fir(eq, sample_rate);
  return {fir, fir};
}

EarFirs make_firs(const EarEqs& eqs, int sample_rate) {
  return {make_fir(eqs[0], sample_rate), make_fir(eqs[1], sample_rate)};
}

EarFirs make_firs(const FirEq& eq, int sample_rate) {
  check(eq);
  const auto at_rate = [&](const Fir& fir) {
    return minimum_phase(log_magnitudes(fir, eq.sample_rate, sample_rate), sample_rate);
  };
  return {at_rate(eq.firs[0]), at_rate(eq.firs[1])};
}

// -- ears -------------------------------------------------------------------------------------------------------------

/// Convolves any filter of up to `longest` taps with one and the same.
class Convolver {
 public:
  Convolver(const Fir& fir, std::size_t longest)
      : taps_(fir.size()),
        fft_(static_cast<int>(std::bit_ceil(fir.size() + longest))),
        time_(static_cast<std::size_t>(fft_.frames())),
        spectrum_(time_.size() / 2 + 1),
        bins_(spectrum_.size()) {
    transform(fir, spectrum_);
  }

  void convolve(Fir& fir) {
    if (fir.empty()) return;  // silence stays silence
    transform(fir, bins_);
    const float scale = 1.0f / static_cast<float>(time_.size());
    for (std::size_t k = 0; k < bins_.size(); ++k) bins_[k] *= scale * spectrum_[k];
    fft_.backward(bins_.data(), time_.data());
    fir.assign(time_.begin(), time_.begin() + static_cast<std::ptrdiff_t>(fir.size() + taps_ - 1));
  }

 private:
  void transform(const Fir& fir, Spectrum& bins) {
    std::ranges::fill(time_, 0.0f);
    std::ranges::copy(fir, time_.begin());
    fft_.forward(time_.data(), bins.data());
  }

  std::size_t taps_;
  RealFft fft_;
  AlignedVector<float> time_;
  Spectrum spectrum_;
  Spectrum bins_;
};

void equalise(Ears& ears, const EarFirs& eq) {
  for (std::size_t ear = 0; ear < eq.size(); ++ear) {
    if (eq[ear].empty()) continue;
    std::size_t longest = 0;
    for (const Fir& fir : ears.device[ear]) longest = std::max(longest, fir.size());
    for (const Fir& fir : ears.reference[ear]) longest = std::max(longest, fir.size());
    Convolver convolver(eq[ear], longest);
    for (Fir& fir : ears.device[ear]) convolver.convolve(fir);
    for (Fir& fir : ears.reference[ear]) convolver.convolve(fir);
  }
}

}  // namespace

void check_eq_rate(std::int64_t sample_rate) {
  if (sample_rate < eq_sample_rates[0] || sample_rate > eq_sample_rates[1]) {
    throw std::invalid_argument("its sample rate is " + std::to_string(sample_rate) + " Hz; " +
                                std::to_string(eq_sample_rates[0]) + " to " + std::to_string(eq_sample_rates[1]) +
                                " Hz would be right");
  }
}

void check_eq_frames(std::size_t frames, int sample_rate) {
  const std::size_t most = std::min(longest_frames(sample_rate), max_eq_frames);
  if (frames > most) {
    throw std::invalid_argument("it has " + std::to_string(frames) + " frames at " + std::to_string(sample_rate) +
                                " Hz; at most " + std::to_string(most) +
                                " would be right: the impulse response of an equaliser, up to half a second");
  }
}

void check(const FirEq& eq) {
  check_eq_rate(eq.sample_rate);
  for (const Fir& fir : eq.firs) {
    check_eq_frames(fir.size(), eq.sample_rate);
    if (!std::ranges::all_of(fir, [](float tap) { return std::isfinite(tap); })) {
      throw std::invalid_argument("it holds samples that are NaN or infinite");
    }
    if (std::ranges::any_of(fir, [](float tap) { return std::abs(tap) > max_tap; })) {
      throw std::invalid_argument("it holds samples beyond +-" + std::to_string(static_cast<int>(max_tap)) +
                                  "; an impulse response of about 1 would be right, not integers written as floats");
    }
    if (std::ranges::all_of(fir, [](float tap) { return tap == 0.0f; })) {
      throw std::invalid_argument("a channel is silent; an impulse response in each would be right");
    }
  }
}

EarFirs headphone_firs(const HeadphoneEq& eq, int sample_rate) {
  return std::visit([&](const auto& filter) { return make_firs(filter, sample_rate); }, eq.filter);
}

Preset equalised(Preset preset, const EarFirs& eq) {
  equalise(preset.ears, eq);
  if (preset.room) equalise(preset.room->ears, eq);
  return preset;
}

}  // namespace forestage
