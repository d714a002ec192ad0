#include "monitors.hpp"

#include <vector>

#include "decibels.hpp"

namespace forestage {
namespace {

constexpr int ears = 2;

/// `matrix` is [ear][source]; the gain is folded into the taps.
template <class Matrix>
FirMatrix make_ears(const Matrix& matrix, int sources, float gain_db) {
  const float gain = from_db(gain_db);
  std::vector<Fir> scaled;
  std::vector<FirPath> paths;
  scaled.reserve(static_cast<std::size_t>(ears * sources));
  for (int ear = 0; ear < ears; ++ear) {
    for (int source = 0; source < sources; ++source) {
      Fir taps = matrix[static_cast<std::size_t>(ear)][static_cast<std::size_t>(source)];
      for (float& tap : taps) tap *= gain;
      scaled.push_back(std::move(taps));
      paths.push_back({source, ear, scaled.back()});
    }
  }
  return FirMatrix(sources, ears, paths);
}

}  // namespace

Monitors::Monitors(const Ears& responses, const Loudness& loudness, int drivers, int output_channels,
                   double sample_rate, int max_block_frames)
    : drivers_(drivers),
      output_channels_(output_channels),
      device_ears_(make_ears(responses.device, drivers, loudness.device_ears_db)),
      plain_ears_(make_ears(responses.device, drivers, loudness.device_ears_db)),
      reference_ears_(make_ears(responses.reference, ears, loudness.reference_ears_db)),
      guard_(sample_rate),
      speakers_delay_(drivers, responses.delay_frames, max_block_frames),
      next_out_(output_channels, max_block_frames),
      hand_over_(sample_rate, max_block_frames) {
  tail_frames_ = std::max({responses.delay_frames, device_ears_.tail_frames(), reference_ears_.tail_frames()});
}

Monitor Monitors::honest(Monitor monitor) const noexcept {
  return (monitor == Monitor::speakers && !can_play_speakers()) ? Monitor::headphones : monitor;
}

void Monitors::jump_to(Monitor monitor) noexcept {
  hand_over_.jump_to(honest(monitor));
  reset();
}

void Monitors::select(Monitor monitor) noexcept {
  monitor = honest(monitor);
  if (hand_over_.is_active() || monitor == hand_over_.current()) return;
  reset(monitor);
  hand_over_.start(monitor, tail_frames_);
}

void Monitors::reset(Monitor monitor) noexcept {
  switch (monitor) {
    case Monitor::speakers:
      guard_.reset();
      speakers_delay_.reset();
      break;
    case Monitor::headphones:
      device_ears_.reset();
      break;
    case Monitor::headphones_plain:
      plain_ears_.reset();
      break;
    case Monitor::headphones_reference:
      reference_ears_.reset();
      break;
  }
}

void Monitors::reset() noexcept {
  for (const Monitor monitor :
       {Monitor::speakers, Monitor::headphones, Monitor::headphones_plain, Monitor::headphones_reference}) {
    reset(monitor);
  }
}

void Monitors::render(Monitor monitor, const MonitorInputs& in, AudioBlock out) noexcept {
  const bool is_speakers = monitor == Monitor::speakers;
  const int used = is_speakers ? drivers_ : ears;
  const AudioBlock heard{out.lanes, used, out.frames};
  switch (monitor) {
    case Monitor::speakers:
      for (int d = 0; d < drivers_; ++d) std::copy_n(in.feeds[d], out.frames, heard[d]);
      scale(heard, in.headroom_gain);
      guard_.process(heard, in.guard_is_on);
      speakers_delay_.process(heard, heard);
      break;
    case Monitor::headphones:
      device_ears_.process(in.feeds, heard);
      break;
    case Monitor::headphones_plain:
      plain_ears_.process(in.plain_feeds, heard);
      break;
    case Monitor::headphones_reference:
      reference_ears_.process(in.stereo, heard);
      break;
  }
  clear({out.lanes + used, out.channels - used, out.frames});
}

void Monitors::process(const MonitorInputs& in, AudioBlock out) noexcept {
  if (!hand_over_.is_active()) {
    render(hand_over_.current(), in, out);
    return;
  }
  const AudioBlock next = next_out_.block(out.frames);
  render(hand_over_.current(), in, out);
  render(hand_over_.next(), in, next);
  blend(out, next, hand_over_.advance(out.frames));
}

}  // namespace forestage
