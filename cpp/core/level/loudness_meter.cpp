#include "loudness_meter.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>
#include <utility>

namespace forestage {
namespace {

constexpr double least_lufs = -70.0;

#if defined(__GNUC__) || defined(__clang__)
typedef double Pair __attribute__((vector_size(16)));
#else
using Pair = double;
#endif
template <class V>
constexpr int width = static_cast<int>(sizeof(V) / sizeof(double));

double power_of(double lufs) noexcept { return std::pow(10.0, (lufs + 0.691) / 10.0); }

}  // namespace

double lufs(double power) noexcept { return -0.691 + 10.0 * std::log10(power); }

void LoudnessGate::reset() noexcept {
  hops_ = 0;
  powers_ = {};
  std::fill_n(histogram_.begin(), used_steps_, Step{});
  used_steps_ = 0;
  loud_blocks_ = 0;
  loud_power_ = 0.0;
}

void LoudnessGate::push(double hop_power) noexcept {
  powers_[static_cast<std::size_t>(hops_ % most_hops)] = hop_power;
  if (++hops_ >= block_hops) note_block(mean_power(block_hops));
}

double LoudnessGate::mean_power(int newest_hops) const noexcept {
  double sum = 0.0;
  for (std::int64_t hop = hops_ - newest_hops; hop < hops_; ++hop) {
    sum += powers_[static_cast<std::size_t>(hop % most_hops)];
  }
  return sum / newest_hops;
}

void LoudnessGate::note_block(double power) noexcept {
  if (!(power > power_of(least_lufs))) return;
  const auto step = std::min(static_cast<std::size_t>((lufs(power) - least_lufs) / step_lu), steps - 1);
  Step& into = histogram_[step];
  ++into.blocks;
  into.power += (static_cast<float>(power) - into.power) / static_cast<float>(into.blocks);
  used_steps_ = std::max(used_steps_, step + 1);
  ++loud_blocks_;
  loud_power_ += power;
}

LoudnessGate::Counted LoudnessGate::counted() const noexcept {
  if (hops_ > 0 && hops_ < block_hops) return {0, mean_power(static_cast<int>(hops_))};
  if (loud_blocks_ == 0) return {};
  const double gate = loud_power_ / static_cast<double>(loud_blocks_) / 10.0;  // 10 LU below
  const double step = std::max(0.0, (lufs(gate) - least_lufs) / step_lu);
  const auto first = std::min(static_cast<std::size_t>(step), steps - 1);
  Counted counted;
  for (std::size_t i = first; i < used_steps_; ++i) {
    const Step& each = histogram_[i];
    const auto mean = static_cast<double>(each.power);
    if (each.blocks == 0 || (i == first && mean <= gate)) continue;
    counted.power += mean * static_cast<double>(each.blocks);
    counted.blocks += each.blocks;
  }
  if (counted.blocks > 0) counted.power /= static_cast<double>(counted.blocks);
  return counted;
}

// The prototypes that the coefficients of the standard come from: De Man, Evaluation of implementations of the EBU R128
// loudness measurement, AES convention e-brief 466 (2018).
std::array<LoudnessFilter, 2> k_weighting(double sample_rate) {
  const auto warped = [&](double frequency_hz) { return std::tan(std::numbers::pi * frequency_hz / sample_rate); };

  const double shelf_q = 0.7071752369554196;
  const double k = warped(1681.974450955533);
  const double high = std::pow(10.0, 3.999843853973347 / 20.0);
  const double band = std::pow(high, 0.4996667741545416);
  const double a0 = 1.0 + k / shelf_q + k * k;
  const LoudnessFilter shelf{(high + band * k / shelf_q + k * k) / a0, 2.0 * (k * k - high) / a0,
                             (high - band * k / shelf_q + k * k) / a0, 2.0 * (k * k - 1.0) / a0,
                             (1.0 - k / shelf_q + k * k) / a0};

  const double pass_q = 0.5003270373238773;
  const double p = warped(38.13547087602444);
  const double c0 = 1.0 + p / pass_q + p * p;
  return {shelf, {1.0, -2.0, 1.0, 2.0 * (p * p - 1.0) / c0, (1.0 - p / pass_q + p * p) / c0}};
}

LoudnessMeter::LoudnessMeter(int channels, double sample_rate)
    : LoudnessMeter(std::vector<double>(static_cast<std::size_t>(channels), 1.0), sample_rate) {}

LoudnessMeter::LoudnessMeter(std::vector<double> channel_weights, double sample_rate)
    : sample_rate_(sample_rate),
      filters_(k_weighting(sample_rate)),
      weights_(std::move(channel_weights)),
      powers_(weights_.size()) {
  states_.fill(powers_);
  reset();
}

void LoudnessMeter::reset() noexcept {
  for (auto& state : states_) std::ranges::fill(state, 0.0);
  std::ranges::fill(powers_, 0.0);
  frame_ = hop_begin_ = 0;
  hop_end_ = std::llround(hop_s * sample_rate_);
  gate_.reset();
  for (auto* reading : {&momentary_, &short_term_, &integrated_})
    reading->store(no_loudness, std::memory_order_relaxed);
}

bool LoudnessMeter::push(ConstAudioBlock block, double gain) noexcept {
  bool is_new = false;
  for (int done = 0; done < block.frames;) {
    const int frames = static_cast<int>(std::min<std::int64_t>(block.frames - done, hop_end_ - frame_));
    const int channels = static_cast<int>(weights_.size());
    int channel = 0;
    for (; channel + width<Pair> <= channels; channel += width<Pair>) weigh<Pair>(block, channel, done, frames, gain);
    for (; channel < channels; ++channel) weigh<double>(block, channel, done, frames, gain);
    done += frames;
    frame_ += frames;
    if (frame_ < hop_end_) continue;
    end_hop();
    is_new = true;
  }
  return is_new;
}

/// Channels side by side, and states from states alone, as each frame waits for the one before it.
template <class V>
void LoudnessMeter::weigh(ConstAudioBlock block, int channel, int begin, int frames, double gain) noexcept {
  const auto [shelf, pass] = filters_;
  const double shelf_1 = shelf.b1 - shelf.a1 * shelf.b0, shelf_2 = shelf.b2 - shelf.a2 * shelf.b0;
  const double pass_1 = pass.b1 - pass.a1 * pass.b0, pass_2 = pass.b2 - pass.a2 * pass.b0;
  V shelf_states[2], pass_states[2], power;
  const auto each = [&](auto&& act) {
    act(shelf_states[0], states_[0]);
    act(shelf_states[1], states_[1]);
    act(pass_states[0], states_[2]);
    act(pass_states[1], states_[3]);
    act(power, powers_);
  };
  each([&](V& lanes, const std::vector<double>& from) { std::memcpy(&lanes, from.data() + channel, sizeof(V)); });
  for (int n = begin; n < begin + frames; ++n) {
    double frame[width<V>];
    for (int c = 0; c < width<V>; ++c) frame[c] = block[channel + c][n];
    V in;
    std::memcpy(&in, frame, sizeof(V));
    in *= gain;
    const V s = shelf_states[0], p = pass_states[0];
    const V bright = shelf.b0 * in + s;
    const V out = pass.b0 * bright + p;
    shelf_states[0] = (shelf_1 * in + shelf_states[1]) - shelf.a1 * s;
    shelf_states[1] = shelf_2 * in - shelf.a2 * s;
    pass_states[0] = (pass_1 * bright + pass_states[1]) - pass.a1 * p;
    pass_states[1] = pass_2 * bright - pass.a2 * p;
    power += out * out;
  }
  each([&](const V& lanes, std::vector<double>& to) { std::memcpy(to.data() + channel, &lanes, sizeof(V)); });
}

void LoudnessMeter::end_hop() noexcept {
  double power = std::inner_product(weights_.begin(), weights_.end(), powers_.begin(), 0.0);
  if (!std::isfinite(power)) {  // NaN or Inf came in: it is silence, and what it has left in the filters goes
    power = 0.0;
    for (auto& state : states_) std::ranges::fill(state, 0.0);
  }
  gate_.push(power / static_cast<double>(frame_ - hop_begin_));
  std::ranges::fill(powers_, 0.0);
  hop_begin_ = frame_;
  hop_end_ = std::llround(hop_s * sample_rate_ * static_cast<double>(gate_.hops() + 1));
  if (gate_.hops() < LoudnessGate::block_hops) return;
  const auto show = [](std::atomic<float>& reading, double power) {
    reading.store(power > 0.0 ? static_cast<float>(lufs(power)) : no_loudness, std::memory_order_relaxed);
  };
  show(momentary_, gate_.mean_power(LoudnessGate::block_hops));
  if (gate_.hops() >= LoudnessGate::most_hops) show(short_term_, gate_.mean_power(LoudnessGate::most_hops));
  show(integrated_, gate_.counted().power);
}

}  // namespace forestage
