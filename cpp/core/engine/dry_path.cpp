#include "dry_path.hpp"

namespace forestage {
namespace {

constexpr double memory_s = 0.5;

LongHistory history_of(double sample_rate, int max_block_frames) {
  return {static_cast<int>(memory_s * sample_rate), max_block_frames};
}

}  // namespace

DryPath::DryPath(double sample_rate, int max_block_frames)
    : bypass_(sample_rate, max_block_frames),
      gain_(sample_rate, max_block_frames),
      dry_(2, max_block_frames),
      next_dry_(2, max_block_frames),
      delay_(sample_rate, max_block_frames),
      history_{history_of(sample_rate, max_block_frames), history_of(sample_rate, max_block_frames)} {}

void DryPath::push(ConstAudioBlock in, int latency_frames) noexcept {
  if (!delay_.is_active() && latency_frames != delay_.current()) delay_.start(latency_frames, 0);
  const bool is_changing = delay_.is_active();
  for (int c = 0; c < 2; ++c) {
    LongHistory& history = history_[static_cast<std::size_t>(c)];
    history.push(in[c], in.frames);
    history.read(delay_.current(), in.frames, dry_[c]);
    if (is_changing) history.read(delay_.next(), in.frames, next_dry_[c]);
  }
  if (is_changing) blend(dry_.block(in.frames), next_dry_.block(in.frames), delay_.advance(in.frames));
}

void DryPath::set_bypass(float share, float gain) noexcept {
  bypass_.glide_to(share);
  gain_.glide_to(gain);
}

void DryPath::snap_bypass(float share, float gain) noexcept {
  bypass_.snap(share);
  gain_.snap(gain);
}

void DryPath::apply_bypass(AudioBlock io) noexcept {
  const RampBlock gain = gain_.advance(io.frames);
  if (bypass_.is_steady() && bypass_.value() == 0.0f) return;
  scale(dry_.block(io.frames), gain);
  const RampBlock share = bypass_.advance(io.frames);
  blend({io.lanes, 2, io.frames}, dry_.block(io.frames), share);
  for (int c = 2; c < io.channels; ++c) {
    for (int n = 0; n < io.frames; ++n) io[c][n] *= 1.0f - share[n];
  }
}

void DryPath::reset() noexcept {
  for (LongHistory& history : history_) history.reset();
}

}  // namespace forestage
