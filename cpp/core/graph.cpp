#include "graph.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "decibels.hpp"
#include "number_text.hpp"
#include "path_specs.hpp"

namespace forestage {
namespace {

constexpr int parts = 4;  // of a graph, that are forgotten one after the other
// From one part to the next when they are set going: whole partitions of the filters, so that their work falls between
// that of the upmix.
constexpr int part_frames = 128;

/// Latency from the input to the feeds, before their equalisation.
int path_latency_frames(const FilterSet& filters) {
  return stage_latency_frames(filters) + filters.delay_frames + filters.cancel_align_frames;
}

std::vector<MonitorEars> places(const Preset& preset, const FilterSet& filters, int max_block_frames) {
  const std::vector<bool> plain = plays_plain(preset, filters);
  std::vector<MonitorEars> result;
  result.emplace_back(preset.ears, plain, preset.loudness, max_block_frames);
  if (preset.room) result.emplace_back(preset.room->ears, plain, preset.room->loudness, max_block_frames);
  return result;
}

Listening listening(const ParamStore& store) noexcept {
  return {store.choice<Monitor>(Param::monitor), store.is_on(Param::room)};
}

/// (1 - amount) plain + amount gain designed; plain is not read where amount is 1.
void mix(AudioBlock plain, AudioBlock designed, RampBlock gain, RampBlock amount, AudioBlock out) noexcept {
  for (int d = 0; d < out.channels; ++d) {
    if (amount.is(1.0f)) {
      for (int n = 0; n < out.frames; ++n) out[d][n] = gain[n] * designed[d][n];
      continue;
    }
    for (int n = 0; n < out.frames; ++n) {
      out[d][n] = (1.0f - amount[n]) * plain[d][n] + amount[n] * gain[n] * designed[d][n];
    }
  }
}

}  // namespace

Graph::Graph(const Preset& preset, const GraphSpec& spec) : Graph(preset, preset.filters.front(), spec) {}

Graph::Graph(const Preset& preset, const FilterSet& filters, const GraphSpec& spec)
    : drivers_(static_cast<int>(preset.drivers.size())),
      processed_gain_(from_db(preset.loudness.processed_db)),
      room_processed_gain_(preset.room ? from_db(preset.room->loudness.processed_db) : processed_gain_),
      plain_gains_(stereo_gains(preset)),
      controls_(spec.sample_rate, spec.max_block_frames),
      pad_(3, std::max(0, spec.latency_frames - graph_latency_frames(preset)), spec.max_block_frames),
      plain_delay_(2, path_latency_frames(filters), spec.max_block_frames),
      virtual_stereo_(make_virtual_stereo(filters, spec.max_block_frames)),
      driver_matrix_(driver_matrix_spec(preset, filters), spec.max_block_frames),
      plain_eq_(make_driver_eq(filters)),
      designed_eq_(make_driver_eq(filters)),
      reference_delay_(2, filters.driver_eq_delay_frames, spec.max_block_frames),
      monitors_(places(preset, filters, spec.max_block_frames), preset.ears.delay_frames, drivers_,
                spec.output_channels, spec.sample_rate, spec.max_block_frames),
      paths_(3, spec.max_block_frames),
      stereo_(2, spec.max_block_frames),
      plain_feeds_(drivers_, spec.max_block_frames),
      designed_feeds_(drivers_, spec.max_block_frames),
      feeds_(drivers_, spec.max_block_frames),
      room_feeds_(drivers_, spec.max_block_frames),
      levels_(find_levels(preset, filters)) {
  const int designed_tail = virtual_stereo_.tail_frames() + driver_matrix_.tail_frames();
  warm_up_before_monitors_frames_ = pad_.latency_frames() + std::max(plain_delay_.latency_frames(), designed_tail) +
                                    (designed_eq_ ? designed_eq_->tail_frames() : 0);
  tail_frames_ = warm_up_before_monitors_frames_ + monitors_.tail_frames();
}

int Graph::warm_up_frames(const ParamStore& store) const noexcept {
  return warm_up_before_monitors_frames_ + monitors_.tail_frames(listening(store));
}

bool Graph::forget_part() noexcept {
  const auto forget = [](auto&... parts) { (parts.reset(), ...); };
  snap_ = true;
  started_frames_ = start_frames;
  switch (soiled_parts_) {
    case 0:
      break;
    case 1:
      forget(pad_, plain_delay_, reference_delay_, virtual_stereo_);
      break;
    case 2:
      forget(driver_matrix_);
      break;
    case 3:
      if (plain_eq_) forget(*plain_eq_, *designed_eq_);
      break;
    default:
      if (monitors_.forget_part()) return true;
  }
  soiled_parts_ = std::max(0, soiled_parts_ - 1);
  return soiled_parts_ > 0;
}

void Graph::reset() noexcept {
  while (forget_part()) {
  }
}

Levels Graph::matched_levels() const noexcept {
  Levels matched = levels_;
  matched.peaks.designed *= processed_gain_;
  return matched;
}

bool Graph::heard_as_speakers(const ParamStore& store) const noexcept {
  return store.choice<Monitor>(Param::monitor) == Monitor::speakers && can_play_speakers();
}

void Graph::follow(const ParamStore& store, const Levels& common, MonitorSet kept) noexcept {
  const Followed now{&store, store.version(), common, match_};
  if (snap_ || now != followed_) follow_controls(store, common);
  followed_ = now;
  snap_ ? monitors_.jump_to(listening(store)) : monitors_.select(listening(store));
  monitors_.keep(kept, store.is_on(Param::room));
  snap_ = false;
}

void Graph::follow_controls(const ParamStore& store, const Levels& common) noexcept {
  // On Speakers bypass is plain stereo on the device, with its crossovers; elsewhere the engine plays the input.
  const bool is_bypassed = store.is_on(Param::bypass) && heard_as_speakers(store);
  const StaticGains gains = static_gains(store, levels_, common);
  std::array<float, monitor_count> monitor_gains = match_.monitors;
  for (std::size_t m = 0; m < monitor_count; ++m) {
    monitor_gains[m] *= static_cast<Monitor>(m) == Monitor::speakers ? gains.speakers : gains.ears;
  }
  if (is_bypassed) {
    monitor_gains[static_cast<std::size_t>(Monitor::speakers)] = bypass_gain(store, common) * match_.bypass_on_speakers;
  }
  const ControlInputs inputs{store, is_bypassed, processed_gain_, room_processed_gain_, monitor_gains};
  snap_ ? controls_.snap(inputs) : controls_.glide(inputs);
  is_guarded_ = store.choice<SafeHeadroom>(Param::safe_headroom) != SafeHeadroom::off;
}

/// Trimmed, and each with its solo gain.
void Graph::take_paths(ConstAudioBlock paths) noexcept {
  const int frames = paths.frames;
  pad_.process(paths, paths_.block(frames));
  scale(paths_.block(frames), controls_.input_gain.advance(frames));
  scale(paths_.block(0, 1, frames), controls_.solo_left.advance(frames));
  scale(paths_.block(1, 1, frames), controls_.solo_right.advance(frames));
  scale(paths_.block(2, 1, frames), controls_.solo_center.advance(frames));
}

/// What costs nothing to catch up with rests while nobody hears it.
void Graph::play_plain(int frames, bool is_heard) noexcept {
  const AudioBlock stereo = stereo_.block(frames);
  for (int c = 0; c < 2; ++c) {
    for (int n = 0; n < frames; ++n) stereo[c][n] = paths_[c][n] + paths_[2][n];
  }
  plain_delay_.process(stereo, stereo);
  if (!is_heard && !plain_eq_) return;
  const AudioBlock feeds = plain_feeds_.block(frames);
  clear(feeds);
  route(stereo, plain_gains_, feeds);
  if (plain_eq_) plain_eq_->process(feeds, feeds);
}

void Graph::play_pair(int frames) noexcept {
  const AudioBlock sides = paths_.block(0, 2, frames);
  virtual_stereo_.process(sides, controls_.stage_width_deg, controls_.stage_crosstalk, sides);
}

void Graph::play_designed(int frames) noexcept {
  const AudioBlock feeds = designed_feeds_.block(frames);
  scale(paths_.block(2, 1, frames), controls_.center_gain.advance(frames));
  driver_matrix_.process(paths_.block(frames),
                         {controls_.cancellation.advance(frames), controls_.center_focus.advance(frames),
                          controls_.center_presence.advance(frames)},
                         feeds);
  if (designed_eq_) designed_eq_->process(feeds, feeds);
}

/// Whether all behind this part has yet to start; what has not started is as if it had heard silence.
bool Graph::waits(int part, AudioBlock out) const noexcept {
  if (started_frames_ >= (part + 1) * part_frames) return false;
  clear(out);
  return true;
}

void Graph::process(ConstAudioBlock paths, AudioBlock out) noexcept FORESTAGE_NONBLOCKING {
  soiled_parts_ = parts;
  play_parts(paths, out);
  started_frames_ = std::min(start_frames, started_frames_ + out.frames);
}

void Graph::play_parts(ConstAudioBlock paths, AudioBlock out) noexcept {
  const int frames = out.frames;
  const RampBlock amount = controls_.amount.advance(frames);
  const bool hears_plain = monitors_.hears_plain() || !amount.is(1.0f);
  take_paths(paths);
  play_plain(frames, hears_plain);
  if (waits(0, out)) return;
  play_pair(frames);
  if (waits(1, out)) return;
  play_designed(frames);
  if (waits(2, out)) return;
  const AudioBlock designed_feeds = designed_feeds_.block(frames);
  const AudioBlock plain_feeds = plain_feeds_.block(frames);
  const AudioBlock feeds = feeds_.block(frames);
  const AudioBlock room_feeds = room_feeds_.block(frames);
  const AudioBlock stereo = stereo_.block(frames);
  reference_delay_.process(stereo, stereo);
  const RampBlock output_gain = controls_.output_gain.advance(frames);
  const RampBlock room_gain = controls_.room_gain.advance(frames);
  mix(plain_feeds, designed_feeds, controls_.processed_gain.advance(frames), amount, feeds);
  scale(feeds, output_gain);
  if (monitors_.hears_room()) {
    mix(plain_feeds, designed_feeds, room_gain, amount, room_feeds);
    scale(room_feeds, output_gain);
  }
  if (hears_plain) scale(plain_feeds, output_gain);
  scale(stereo, output_gain);
  MonitorInputs inputs{feeds, room_feeds, plain_feeds, stereo, {}, is_guarded_};
  for (std::size_t m = 0; m < monitor_count; ++m) inputs.gains[m] = controls_.monitor_gains[m].advance(frames);
  monitors_.process(inputs, out);
  monitors_.reset_idle();
}

int checked_rate(double sample_rate) {
  if (!(sample_rate >= 8000.0 && sample_rate <= 768000.0)) {
    throw std::invalid_argument("sample_rate is " + number_text(sample_rate) + " Hz; 8000 to 768000 Hz would be right");
  }
  return static_cast<int>(std::lround(sample_rate));
}

int graph_latency_frames(const Preset& preset) {
  const FilterSet& filters = preset.filters.front();
  return path_latency_frames(filters) + filters.driver_eq_delay_frames + preset.ears.delay_frames;
}

FramesByQuality natural_latency_frames(const Preset& preset) {
  FramesByQuality frames = upmix_latency_frames(preset.filters.front().sample_rate);
  for (int& each : frames) each += graph_latency_frames(preset);
  return frames;
}

}  // namespace forestage
