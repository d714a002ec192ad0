#include "monitors.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace forestage {
namespace {

constexpr int stereo = 2;  // ears

EarResponses reference_of(const Ears& ears) {
  EarResponses responses;
  for (std::size_t ear = 0; ear < responses.size(); ++ear) {
    responses[ear].assign(ears.reference[ear].begin(), ears.reference[ear].end());
  }
  return responses;
}

}  // namespace

MonitorEars::MonitorEars(const Ears& ears, const Loudness& loudness, int max_block_frames)
    : device_(ears.device, loudness.device_ears_db, ears.delay_frames, ears.sample_rate, max_block_frames),
      plain_(ears.device, loudness.device_ears_db, ears.delay_frames, ears.sample_rate, max_block_frames),
      reference_(reference_of(ears), loudness.reference_ears_db, ears.delay_frames, ears.sample_rate,
                 max_block_frames) {}

EarPath& MonitorEars::path(Monitor monitor) noexcept {
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

bool MonitorEars::reset_one_but(const EarPath* heard) noexcept {
  for (EarPath* path : {&device_, &plain_, &reference_}) {
    if (path == heard || path->is_clean()) continue;
    path->reset();
    return true;
  }
  return false;
}

Monitors::Monitors(std::vector<MonitorEars> places, int ears_delay_frames, int drivers, int output_channels,
                   double sample_rate, int max_block_frames)
    : drivers_(drivers),
      output_channels_(output_channels),
      places_(std::move(places)),
      limiter_(drivers, Limiter::lookahead_within(ears_delay_frames, sample_rate), sample_rate, max_block_frames),
      speakers_delay_(drivers, ears_delay_frames - limiter_.latency_frames(), max_block_frames),
      next_out_(output_channels, max_block_frames),
      hand_over_(sample_rate, max_block_frames) {}

int Monitors::tail_frames() const noexcept {
  int frames = latency_frames();
  for (const MonitorEars& place : places_) frames = std::max(frames, place.tail_frames());
  return frames;
}

int Monitors::tail_frames(const Listening& listening) const noexcept {
  const Listening heard = playable(listening);
  if (heard.monitor == Monitor::speakers) return latency_frames();
  return places_[heard.in_room ? 1 : 0].tail_frames();
}

Listening Monitors::playable(Listening listening) const noexcept {
  if (listening.monitor == Monitor::speakers && !can_play_speakers()) listening.monitor = Monitor::headphones;
  listening.in_room = listening.in_room && has_room() && listening.monitor != Monitor::speakers;
  return listening;
}

void Monitors::jump_to(Listening listening) noexcept { hand_over_.jump_to(playable(listening)); }

void Monitors::select(Listening listening) noexcept {
  listening = playable(listening);
  if (!hand_over_.may_turn() || listening == hand_over_.goal()) return;
  if (listening == hand_over_.current()) return hand_over_.jump_to(listening);
  reset(listening);
  hand_over_.start(listening, tail_frames(listening));
}

void Monitors::reset(const Listening& listening) noexcept {
  if (listening.monitor == Monitor::speakers) {
    reset_speakers();
  } else {
    ears(listening).reset();
  }
}

void Monitors::reset_speakers() noexcept {
  if (speakers_are_clean_) return;
  limiter_.reset();
  speakers_delay_.reset();
  speakers_are_clean_ = true;
}

bool Monitors::reset_one_but(const EarPath* heard) noexcept {
  return std::ranges::any_of(places_, [&](MonitorEars& place) { return place.reset_one_but(heard); });
}

void Monitors::reset_idle() noexcept {
  if (hand_over_.is_active()) return;
  const Listening& heard = hand_over_.current();
  const bool is_speakers = heard.monitor == Monitor::speakers;
  if (!is_speakers) reset_speakers();
  reset_one_but(is_speakers ? nullptr : &ears(heard));
}

bool Monitors::forget_part() noexcept {
  reset_speakers();
  return reset_one_but(nullptr);
}

float Monitors::least_gain(const Listening& listening) noexcept {
  return listening.monitor == Monitor::speakers ? limiter_.least_gain() : ears(listening).least_gain();
}

float Monitors::least_gain() noexcept { return least_gain(hand_over_.current()); }

void Monitors::render(const Listening& listening, const MonitorInputs& in, AudioBlock out) noexcept {
  const bool is_speakers = listening.monitor == Monitor::speakers;
  const int used = is_speakers ? drivers_ : stereo;
  const AudioBlock heard{out.lanes, used, out.frames};
  const auto play = [&](ConstAudioBlock sources) {
    ears(listening).process(sources, in.ears_gain, in.is_guarded, heard);
  };
  switch (listening.monitor) {
    case Monitor::speakers:
      speakers_are_clean_ = false;
      for (int d = 0; d < drivers_; ++d) std::copy_n(in.feeds[d], out.frames, heard[d]);
      scale(heard, in.speakers_gain);
      limiter_.process(heard, in.is_guarded);
      speakers_delay_.process(heard, heard);
      break;
    case Monitor::headphones:
      play(listening.in_room ? in.room_feeds : in.feeds);
      break;
    case Monitor::headphones_plain:
      play(in.plain_feeds);
      break;
    case Monitor::headphones_reference:
      play(in.stereo);
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
