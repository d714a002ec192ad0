#include "monitors.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace forestage {
namespace {

constexpr int stereo = 2;                  // ears
constexpr int most_kept_frames = 1 << 24;  // longer than anything has to warm up

/// Without the responses to drivers that plain stereo leaves silent, where these are so many that their memory of sound
/// is larger than filters apart from those of all drivers.
EarResponses plain_of(const Ears& ears, const std::vector<bool>& plays_plain) {
  EarResponses responses = ears.device;
  const auto heard = std::ranges::count(plays_plain, true);
  if (std::ssize(plays_plain) - heard < stereo * heard) return responses;
  for (auto& drivers : responses) {
    for (std::size_t d = 0; d < drivers.size(); ++d) {
      if (!plays_plain[d]) drivers[d].clear();
    }
  }
  return responses;
}

EarResponses reference_of(const Ears& ears) {
  EarResponses responses;
  for (std::size_t ear = 0; ear < responses.size(); ++ear) {
    responses[ear].assign(ears.reference[ear].begin(), ears.reference[ear].end());
  }
  return responses;
}

}  // namespace

MonitorEars::MonitorEars(const Ears& ears, const std::vector<bool>& plays_plain, const Loudness& loudness,
                         int max_block_frames)
    : device_(ears.device, loudness.device_ears_db, ears.delay_frames, ears.sample_rate, max_block_frames),
      plain_(plain_of(ears, plays_plain), loudness.device_ears_db, ears.delay_frames, ears.sample_rate,
             max_block_frames),
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

bool MonitorEars::reset_one_but(MonitorSet running) noexcept {
  for (const Monitor monitor : {Monitor::headphones, Monitor::headphones_plain, Monitor::headphones_reference}) {
    EarPath& each = path(monitor);
    if (running[static_cast<std::size_t>(monitor)] || each.is_clean()) continue;
    each.reset();
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
      hand_over_(sample_rate, max_block_frames),
      kept_out_{Lanes(output_channels, max_block_frames), Lanes(stereo, max_block_frames),
                Lanes(stereo, max_block_frames), Lanes(stereo, max_block_frames)} {}

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
  if (is_kept(listening)) {
    const int warm_frames = kept_frames_[static_cast<std::size_t>(listening.monitor)];
    return hand_over_.start(listening, std::max(0, tail_frames(listening) - warm_frames));
  }
  reset(listening);
  hand_over_.start(listening, tail_frames(listening));
}

bool Monitors::is_kept(const Listening& listening) const noexcept {
  return kept_[static_cast<std::size_t>(listening.monitor)] &&
         (listening.monitor == Monitor::speakers || listening.in_room == kept_in_room_);
}

void Monitors::keep(MonitorSet kept, bool in_room) noexcept {
  in_room = in_room && has_room();
  if (!can_play_speakers()) kept.reset(static_cast<std::size_t>(Monitor::speakers));
  if (kept == kept_ && in_room == kept_in_room_) return;
  for (std::size_t m = 0; m < monitor_count; ++m) {
    const Listening each{static_cast<Monitor>(m), in_room && static_cast<Monitor>(m) != Monitor::speakers};
    if (!kept[m] || is_kept(each)) continue;
    if (!is_sounding(each)) reset(each);
    kept_frames_[m] =
        0;  // of what sounds already as well: all are ready at once, and none tells itself by coming early
  }
  kept_ = kept;
  kept_in_room_ = in_room;
}

EarBlocks Monitors::kept_ears(int frames) noexcept {
  return {kept_lanes({Monitor::headphones}, frames), kept_lanes({Monitor::headphones_plain}, frames),
          kept_lanes({Monitor::headphones_reference}, frames)};
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

/// Those that play in the free field, or in the room.
MonitorSet Monitors::running(bool in_room) const noexcept {
  MonitorSet set = in_room == kept_in_room_ ? kept_ : MonitorSet{};
  for (const Listening& heard : {hand_over_.current(), hand_over_.next()}) {
    if (heard.in_room == in_room) set.set(static_cast<std::size_t>(heard.monitor));
  }
  return set;
}

void Monitors::reset_idle() noexcept {
  if (hand_over_.is_active()) return;
  const bool plays_speakers =
      hand_over_.current().monitor == Monitor::speakers || kept_[static_cast<std::size_t>(Monitor::speakers)];
  if (!plays_speakers) reset_speakers();
  for (std::size_t place = 0; place < places_.size(); ++place) {
    if (places_[place].reset_one_but(running(place == 1))) return;
  }
}

bool Monitors::forget_part() noexcept {
  reset_speakers();
  kept_.reset();
  return std::ranges::any_of(places_, [](MonitorEars& place) { return place.reset_one_but({}); });
}

float Monitors::least_gain(const Listening& listening) noexcept {
  return listening.monitor == Monitor::speakers ? limiter_.least_gain() : ears(listening).least_gain();
}

float Monitors::least_gain() noexcept { return least_gain(hand_over_.current()); }

void Monitors::render(const Listening& listening, const MonitorInputs& in, AudioBlock out) noexcept {
  const bool is_speakers = listening.monitor == Monitor::speakers;
  const RampBlock gain = in.gains[static_cast<std::size_t>(listening.monitor)];
  const int used = is_speakers ? drivers_ : stereo;
  const AudioBlock heard{out.lanes, used, out.frames};
  const auto play = [&](ConstAudioBlock sources) { ears(listening).process(sources, gain, in.is_guarded, heard); };
  switch (listening.monitor) {
    case Monitor::speakers:
      speakers_are_clean_ = false;
      for (int d = 0; d < drivers_; ++d) std::copy_n(in.feeds[d], out.frames, heard[d]);
      scale(heard, gain);
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

/// Of what is kept, it is there already.
void Monitors::play(const Listening& listening, const MonitorInputs& in, AudioBlock out) noexcept {
  if (!is_kept(listening)) return render(listening, in, out);
  const AudioBlock from = kept_lanes(listening, out.frames);
  for (int c = 0; c < from.channels; ++c) std::copy_n(from[c], out.frames, out[c]);
  clear({out.lanes + from.channels, out.channels - from.channels, out.frames});
}

void Monitors::process(const MonitorInputs& in, AudioBlock out) noexcept {
  for (std::size_t m = 0; m < monitor_count; ++m) {
    if (!kept_[m]) continue;
    const auto monitor = static_cast<Monitor>(m);
    const Listening each{monitor, kept_in_room_ && monitor != Monitor::speakers};
    render(each, in, kept_lanes(each, out.frames));
    kept_frames_[m] = std::min(kept_frames_[m] + out.frames, most_kept_frames);
  }
  if (!hand_over_.is_active()) return play(hand_over_.current(), in, out);
  const AudioBlock next = next_out_.block(out.frames);
  play(hand_over_.current(), in, out);
  play(hand_over_.next(), in, next);
  blend(out, next, hand_over_.advance(out.frames));
}

}  // namespace forestage
