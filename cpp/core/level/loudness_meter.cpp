#include "loudness_meter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace forestage {
namespace {

/// Of a mean power; a sine of full scale at 997 Hz in one channel has -3.01 LUFS.
double lufs(double power) noexcept { return -0.691 + 10.0 * std::log10(power); }
double power_of(double lufs) noexcept { return std::pow(10.0, (lufs + 0.691) / 10.0); }

}  // namespace

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
    : sample_rate_(sample_rate), filters_(k_weighting(sample_rate)), histogram_(steps) {
  for (const double weight : channel_weights) channels_.push_back({weight, {}});
  reset();
}

void LoudnessMeter::reset() noexcept {
  for (Channel& channel : channels_) channel.state = {};
  hop_power_ = 0.0;
  frame_ = hop_begin_ = hops_ = 0;
  hop_end_ = std::llround(hop_s * sample_rate_);
  powers_ = {};
  std::ranges::fill(histogram_, Step{});
  loud_blocks_ = 0;
  loud_power_ = 0.0;
  for (auto* reading : {&momentary_, &short_term_, &integrated_})
    reading->store(no_loudness, std::memory_order_relaxed);
}

bool LoudnessMeter::push(ConstAudioBlock block, double gain) noexcept {
  bool is_new = false;
  for (int done = 0; done < block.frames;) {
    const int frames = static_cast<int>(std::min<std::int64_t>(block.frames - done, hop_end_ - frame_));
    for (std::size_t c = 0; c < channels_.size(); ++c) {
      weigh(channels_[c], block[static_cast<int>(c)] + done, frames, gain);
    }
    done += frames;
    frame_ += frames;
    if (frame_ < hop_end_) continue;
    end_hop();
    is_new = true;
  }
  return is_new;
}

void LoudnessMeter::weigh(Channel& channel, const float* x, int frames, double gain) noexcept {
  const auto [shelf, pass] = filters_;
  auto [s, p] = channel.state;
  double sum = 0.0;
  for (int n = 0; n < frames; ++n) {
    const double in = gain * static_cast<double>(x[n]);
    const double bright = shelf.b0 * in + s[0];
    s = {shelf.b1 * in - shelf.a1 * bright + s[1], shelf.b2 * in - shelf.a2 * bright};
    const double out = pass.b0 * bright + p[0];
    p = {pass.b1 * bright - pass.a1 * out + p[1], pass.b2 * bright - pass.a2 * out};
    sum += out * out;
  }
  channel.state = {s, p};
  hop_power_ += channel.weight * sum;
}

void LoudnessMeter::end_hop() noexcept {
  if (!std::isfinite(hop_power_)) {  // NaN or Inf came in: it is silence, and what it has left in the filters goes
    hop_power_ = 0.0;
    for (Channel& channel : channels_) channel.state = {};
  }
  powers_[static_cast<std::size_t>(hops_ % short_term_hops)] = hop_power_ / static_cast<double>(frame_ - hop_begin_);
  ++hops_;
  hop_power_ = 0.0;
  hop_begin_ = frame_;
  hop_end_ = std::llround(hop_s * sample_rate_ * static_cast<double>(hops_ + 1));
  if (hops_ < momentary_hops) return;
  const auto show = [](std::atomic<float>& reading, double power) {
    reading.store(power > 0.0 ? static_cast<float>(lufs(power)) : no_loudness, std::memory_order_relaxed);
  };
  const double block_power = mean_power(momentary_hops);
  note_block(block_power);
  show(momentary_, block_power);
  if (hops_ >= short_term_hops) show(short_term_, mean_power(short_term_hops));
  show(integrated_, gated_power());
}

double LoudnessMeter::mean_power(int hops) const noexcept {
  double sum = 0.0;
  for (std::int64_t hop = hops_ - hops; hop < hops_; ++hop) {
    sum += powers_[static_cast<std::size_t>(hop % short_term_hops)];
  }
  return sum / hops;
}

void LoudnessMeter::note_block(double power) noexcept {
  if (!(power > power_of(least_lufs))) return;
  const double step = (lufs(power) - least_lufs) / step_lu;
  Step& place = histogram_[std::min(static_cast<std::size_t>(step), steps - 1)];
  ++place.blocks;
  place.power += power;
  ++loud_blocks_;
  loud_power_ += power;
}

double LoudnessMeter::gated_power() const noexcept {
  if (loud_blocks_ == 0) return 0.0;
  const double gate = loud_power_ / static_cast<double>(loud_blocks_) / 10.0;  // 10 LU below
  const double step = std::max(0.0, (lufs(gate) - least_lufs) / step_lu);
  const auto first = std::min(static_cast<std::size_t>(step), steps - 1);
  double power = 0.0;
  std::uint64_t blocks = 0;
  for (std::size_t i = first; i < steps; ++i) {
    const Step& each = histogram_[i];
    if (each.blocks == 0 || (i == first && each.power <= gate * static_cast<double>(each.blocks))) continue;
    power += each.power;
    blocks += each.blocks;
  }
  return blocks > 0 ? power / static_cast<double>(blocks) : 0.0;
}

}  // namespace forestage
