#include "center_beam.hpp"

#include <algorithm>

#include "path_specs.hpp"

namespace forestage {

CenterBeam::CenterBeam(const Preset& preset, const FilterSet& filters, int max_block_frames)
    : flat_(center_beam_spec(preset, filters, filters.beam), max_block_frames),
      input_(1, max_block_frames),
      phantom_feeds_(static_cast<int>(preset.drivers.size()), max_block_frames) {
  if (filters.phantom.empty()) return;
  phantom_.emplace(center_beam_spec(preset, filters, filters.phantom), max_block_frames);
}

bool CenterBeam::must_play(Beam& beam, bool has_input, int frames) noexcept {
  if (has_input) {
    beam.sounds_frames = beam.matrix.tail_frames();
    return true;
  }
  if (beam.sounds_frames <= 0) return false;
  beam.sounds_frames -= frames;
  return true;
}

void CenterBeam::process(ConstAudioBlock center, Ramp& presence, RampBlock focus, AudioBlock feeds) noexcept {
  const int frames = center.frames;
  const bool moves = !presence.is_steady();
  const RampBlock share = presence.advance(frames);
  if (!phantom_) return flat_.matrix.process(center, focus, feeds);
  const bool plays_flat = must_play(flat_, moves || presence.value() > 0.0f, frames);
  const bool plays_phantom = must_play(*phantom_, moves || presence.value() < 1.0f, frames);
  const AudioBlock input = input_.block(frames);
  if (plays_flat) {
    for (int n = 0; n < frames; ++n) input[0][n] = share[n] * center[0][n];
    flat_.matrix.process(input, focus, feeds);
  }
  if (!plays_phantom) return;
  const AudioBlock phantom_feeds = plays_flat ? phantom_feeds_.block(frames) : feeds;
  for (int n = 0; n < frames; ++n) input[0][n] = (1.0f - share[n]) * center[0][n];
  phantom_->matrix.process(input, focus, phantom_feeds);
  if (!plays_flat) return;
  for (int d = 0; d < feeds.channels; ++d) {
    for (int n = 0; n < frames; ++n) feeds[d][n] += phantom_feeds[d][n];
  }
}

void CenterBeam::reset() noexcept {
  flat_.matrix.reset();
  flat_.sounds_frames = 0;
  if (!phantom_) return;
  phantom_->matrix.reset();
  phantom_->sounds_frames = 0;
}

int CenterBeam::tail_frames() const noexcept {
  return std::max(flat_.matrix.tail_frames(), phantom_ ? phantom_->matrix.tail_frames() : 0);
}

}  // namespace forestage
