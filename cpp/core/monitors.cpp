#include "monitors.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "decibels.hpp"

namespace forestage {
namespace {

constexpr int stereo = 2;  // ears, and channels

/// `matrix` is [ear][source]; the gain is folded into the taps.
template <class Matrix>
FirMatrix make_ears(const Matrix& matrix, int sources, float gain_db) {
  const float gain = from_db(gain_db);
  std::vector<Fir> scaled;
  std::vector<FirPath> paths;
  scaled.reserve(static_cast<std::size_t>(stereo * sources));
  for (int ear = 0; ear < stereo; ++ear) {
    for (int source = 0; source < sources; ++source) {
      Fir taps = matrix[static_cast<std::size_t>(ear)][static_cast<std::size_t>(source)];
      for (float& tap : taps) tap *= gain;
      scaled.push_back(std::move(taps));
      paths.push_back({source, ear, scaled.back()});
    }
  }
  return FirMatrix(sources, stereo, paths);
}

}  // namespace

MonitorEars::MonitorEars(const Ears& ears, const Loudness& loudness, int drivers)
    : device_(make_ears(ears.device, drivers, loudness.device_ears_db)),
      plain_(make_ears(ears.device, drivers, loudness.device_ears_db)),
      reference_(make_ears(ears.reference, stereo, loudness.reference_ears_db)) {}

FirMatrix& MonitorEars::matrix(Monitor monitor) noexcept {
  switch (monitor) {
    case Monitor::headphones_plain:
      return plain_;
    case Monitor::headphones_reference:
      return reference_;
    default:
      return device_;
  }
}

int MonitorEars::tail_frames() const noexcept { return std::max(device_.tail_frames(), reference_.tail_frames()); }

Monitors::Monitors(std::vector<MonitorEars> places, int ears_delay_frames, int drivers, int output_channels,
                   double sample_rate, int max_block_frames)
    : drivers_(drivers),
      output_channels_(output_channels),
      places_(std::move(places)),
      guard_(sample_rate),
      speakers_delay_(drivers, ears_delay_frames, max_block_frames),
      next_out_(output_channels, max_block_frames),
      hand_over_(sample_rate, max_block_frames) {}

int Monitors::tail_frames() const noexcept {
  int frames = speakers_delay_.latency_frames();
  for (const MonitorEars& place : places_) frames = std::max(frames, place.tail_frames());
  return frames;
}

int Monitors::tail_frames(const Listening& listening) const noexcept {
  const Listening heard = honest(listening);
  if (heard.monitor == Monitor::speakers) return speakers_delay_.latency_frames();
  return places_[heard.in_room ? 1 : 0].tail_frames();
}

Listening Monitors::honest(Listening listening) const noexcept {
  if (listening.monitor == Monitor::speakers && !can_play_speakers()) listening.monitor = Monitor::headphones;
  listening.in_room = listening.in_room && has_room() && listening.monitor != Monitor::speakers;
  return listening;
}

void Monitors::jump_to(Listening listening) noexcept {
  hand_over_.jump_to(honest(listening));
  reset();
}

void Monitors::select(Listening listening) noexcept {
  listening = honest(listening);
  if (!hand_over_.may_turn() || listening == hand_over_.goal()) return;
  if (listening == hand_over_.current()) return hand_over_.jump_to(listening);
  reset(listening);
  hand_over_.start(listening, tail_frames(listening));
}

void Monitors::reset(const Listening& listening) noexcept {
  if (listening.monitor == Monitor::speakers) {
    guard_.reset();
    speakers_delay_.reset();
  } else {
    ears(listening).reset(listening.monitor);
  }
}

void Monitors::reset() noexcept {
  guard_.reset();
  speakers_delay_.reset();
  for (MonitorEars& place : places_) {
    for (const Monitor monitor : {Monitor::headphones, Monitor::headphones_plain, Monitor::headphones_reference}) {
      place.reset(monitor);
    }
  }
}

void Monitors::render(const Listening& listening, const MonitorInputs& in, AudioBlock out) noexcept {
  const bool is_speakers = listening.monitor == Monitor::speakers;
  const int used = is_speakers ? drivers_ : stereo;
  const AudioBlock heard{out.lanes, used, out.frames};
  switch (listening.monitor) {
    case Monitor::speakers:
      for (int d = 0; d < drivers_; ++d) std::copy_n(in.feeds[d], out.frames, heard[d]);
      scale(heard, in.headroom_gain);
      guard_.process(heard, in.guard_is_on);
      speakers_delay_.process(heard, heard);
      break;
    case Monitor::headphones:
      ears(listening).process(listening.monitor, listening.in_room ? in.room_feeds : in.feeds, heard);
      break;
    case Monitor::headphones_plain:
      ears(listening).process(listening.monitor, in.plain_feeds, heard);
      break;
    case Monitor::headphones_reference:
      ears(listening).process(listening.monitor, in.stereo, heard);
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
