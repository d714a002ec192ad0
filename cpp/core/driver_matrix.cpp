#include "driver_matrix.hpp"

#include <algorithm>

namespace forestage {
namespace {

constexpr int sides = 2;

/// 1 - share.
RampBlock rest_of(RampBlock share, float* to, int frames) noexcept {
  for (int n = 0; n < frames; ++n) to[n] = 1.0f - share[n];
  return {to, share.is_steady};
}

RampBlock product(RampBlock a, RampBlock b, float* to, int frames) noexcept {
  for (int n = 0; n < frames; ++n) to[n] = a[n] * b[n];
  return {to, a.is_steady && b.is_steady};
}

/// The share of a lane: itself, silence, or made in `to`.
const float* part_of(const float* lane, RampBlock share, const float* silence, float* to, int frames) noexcept {
  if (share.is(1.0f)) return lane;
  if (share.is(0.0f)) return silence;
  for (int n = 0; n < frames; ++n) to[n] = share[n] * lane[n];
  return to;
}

std::vector<std::vector<float>> of_both(const std::vector<std::vector<float>>& side_gains) {
  std::vector<std::vector<float>> result;
  for (const auto& row : side_gains) result.push_back({row[0] + row[1]});
  return result;
}

}  // namespace

void route(ConstAudioBlock in, const std::vector<std::vector<float>>& gains, AudioBlock out) noexcept {
  for (int o = 0; o < out.channels; ++o) {
    for (int i = 0; i < in.channels; ++i) {
      const float gain = gains[static_cast<std::size_t>(o)][static_cast<std::size_t>(i)];
      if (gain == 0.0f) continue;
      for (int n = 0; n < in.frames; ++n) out[o][n] += gain * in[i][n];
    }
  }
}

DriverMatrix::DriverMatrix(const DriverMatrixSpec& spec, int max_block_frames)
    : side_gains_(spec.plain_gains),
      center_gains_(of_both(spec.plain_gains)),
      side_align_(sides, spec.side_align_frames, max_block_frames),
      center_align_(1, spec.center_align_frames, max_block_frames),
      plain_sides_(sides, spec.side_delay_frames, max_block_frames),
      plain_center_(1, spec.center_delay_frames, max_block_frames),
      filter_in_(driver_inputs, max_block_frames),
      plain_in_(sides, max_block_frames),
      weights_(2, max_block_frames),
      silence_(static_cast<std::size_t>(max_block_frames)),
      filters_(driver_inputs, spec.drivers, spec.paths) {
  for (const FirPath& path : spec.paths) has_[static_cast<std::size_t>(path.input)] = true;
}

/// What of the center goes through filters.
RampBlock DriverMatrix::center_share(const DriverShares& shares, int frames) noexcept {
  if (has(DriverInput::flat)) return shares.focus;
  if (!has(DriverInput::phantom)) return {silence_.data(), true};
  return product(shares.focus, rest_of(shares.presence, weights_[0], frames), weights_[0], frames);
}

void DriverMatrix::process(AudioBlock paths, const DriverShares& shares, AudioBlock feeds) noexcept {
  const int frames = feeds.frames;
  const AudioBlock stereo{paths.lanes, sides, frames};
  const AudioBlock center{paths.lanes + sides, 1, frames};
  side_align_.process(stereo, stereo);
  center_align_.process(center, center);
  const auto part = [&](const float* lane, RampBlock share, int input) {
    return part_of(lane, share, silence_.data(), filter_in_[input], frames);
  };
  const RampBlock center_designed = center_share(shares, frames);
  const float* beamed = part(center[0], center_designed, 2);
  std::array<const float*, driver_inputs> in{part(paths[0], shares.cancellation, 0),
                                             part(paths[1], shares.cancellation, 1), beamed, silence_.data()};
  if (has(DriverInput::flat)) {
    const RampBlock flat = shares.presence;
    in[3] = has(DriverInput::phantom) ? part(beamed, flat, 3) : beamed;
    in[2] = has(DriverInput::phantom) ? part(beamed, rest_of(flat, weights_[1], frames), 2) : silence_.data();
  }
  filters_.process(ConstAudioBlock(in.data(), driver_inputs, frames), feeds);
  add_plain(plain_sides_, side_gains_, stereo, shares.cancellation, feeds);
  add_plain(plain_center_, center_gains_, center, center_designed, feeds);
}

void DriverMatrix::add_plain(Plain& plain, const std::vector<std::vector<float>>& gains, ConstAudioBlock in,
                             RampBlock designed, AudioBlock feeds) noexcept {
  const int frames = in.frames;
  if (!designed.is(1.0f)) {
    plain.sounds_frames = plain.delay.latency_frames();
  } else if (plain.sounds_frames <= 0) {
    return;
  } else {
    plain.sounds_frames -= frames;
  }
  const AudioBlock lanes = plain_in_.block(0, in.channels, frames);
  for (int c = 0; c < in.channels; ++c) {
    for (int n = 0; n < frames; ++n) lanes[c][n] = (1.0f - designed[n]) * in[c][n];
  }
  plain.delay.process(lanes, lanes);
  route(lanes, gains, feeds);
}

void DriverMatrix::reset() noexcept {
  side_align_.reset();
  center_align_.reset();
  for (Plain* plain : {&plain_sides_, &plain_center_}) {
    plain->delay.reset();
    plain->sounds_frames = 0;
  }
  filters_.reset();
}

int DriverMatrix::tail_frames() const noexcept {
  const int align = std::max(side_align_.latency_frames(), center_align_.latency_frames());
  const int plain = std::max(plain_sides_.delay.latency_frames(), plain_center_.delay.latency_frames());
  return align + std::max(plain, filters_.tail_frames());
}

}  // namespace forestage
