#include "engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "decibels.hpp"
#include "float_environment.hpp"
#include "graph.hpp"
#include "level_meter.hpp"
#include "mailbox.hpp"
#include "param_store.hpp"
#include "preset_at_rate.hpp"
#include "simd.hpp"

namespace forestage {
namespace {

constexpr int chunk_frames = 256;  // longer blocks are played in chunks: the scratch memory stays in the cache
constexpr double dry_memory_s = 0.5;
constexpr double most_kept_rate = 50000.0;  // up to here a converted preset is no larger than its source

/// Largest magnitude in a block; NaN and Inf are larger than any number, as their bits are.
FORESTAGE_INLINE float peak_body(const ConstAudioBlock& block) noexcept {
  constexpr std::int32_t magnitude = 0x7fffffff;
  std::int32_t found = 0;
  for (int c = 0; c < block.channels; ++c) {
    const float* lane = block[c];
    for (int n = 0; n < block.frames; ++n) found = std::max(found, std::bit_cast<std::int32_t>(lane[n]) & magnitude);
  }
  return std::bit_cast<float>(found);
}
float baseline_peak(const ConstAudioBlock& block) noexcept { return peak_body(block); }
FORESTAGE_AVX2 float avx2_peak(const ConstAudioBlock& block) noexcept { return peak_body(block); }

float peak_of(const ConstAudioBlock& block) noexcept {
  return simd::has_avx2() ? avx2_peak(block) : baseline_peak(block);
}

/// Levels that any thread may read while another one installs a preset.
class SharedLevels {
 public:
  void store(const Levels& levels) noexcept {
    plain_.store(levels.peaks.plain, std::memory_order_relaxed);
    designed_.store(levels.peaks.designed, std::memory_order_relaxed);
    headroom_db_.store(levels.headroom_db, std::memory_order_relaxed);
  }
  Levels load() const noexcept {
    return {{plain_.load(std::memory_order_relaxed), designed_.load(std::memory_order_relaxed)},
            headroom_db_.load(std::memory_order_relaxed)};
  }

 private:
  std::atomic<float> plain_{1.0f}, designed_{1.0f}, headroom_db_{0.0f};
};

/// Room for both.
Levels largest(const Levels& a, const Levels& b) noexcept {
  return {{std::max(a.peaks.plain, b.peaks.plain), std::max(a.peaks.designed, b.peaks.designed)},
          std::min(a.headroom_db, b.headroom_db)};
}

void raise_to(FramesByQuality& to, const FramesByQuality& values) {
  for (std::size_t q = 0; q < to.size(); ++q) to[q] = std::max(to[q], values[q]);
}

/// What travels to the audio thread and back: a graph, or none, which empties the slot.
struct Delivery {
  std::unique_ptr<Graph> graph;
};

/// What a slot holds, to build again when the latency moves.
struct SlotPreset {
  std::shared_ptr<const Preset> source;
  std::shared_ptr<const Preset> at_rate;  // null where it would be larger than the source: it is converted again
  FramesByQuality natural_latency{};
};

void check(const EngineSpec& spec) {
  checked_rate(spec.sample_rate);
  if (spec.output_channels < 2 || spec.output_channels > 64) {
    throw std::invalid_argument("output_channels is " + std::to_string(spec.output_channels) +
                                "; 2 to 64 would be right");
  }
}

}  // namespace

Lacks lacks(const Preset& preset, const EngineSpec& spec) {
  return {.filters = !has_rate(preset, checked_rate(spec.sample_rate)),
          .outputs = std::cmp_less(spec.output_channels, preset.drivers.size()),
          .room = !preset.room};
}

Status status_of(const Lacks& lacks, Monitor monitor, bool in_room) noexcept {
  if (monitor == Monitor::speakers && lacks.outputs) return Status::headphones_preview;
  if (in_room && monitor != Monitor::speakers && lacks.room) return Status::no_room;
  return lacks.filters ? Status::converted_rate : Status::ok;
}

struct Engine::Impl {
  explicit Impl(const EngineSpec& engine_spec)
      : spec(engine_spec),
        hand_over(spec.sample_rate, chunk_frames),
        bypass(spec.sample_rate, chunk_frames),
        bypass_level(spec.sample_rate, chunk_frames),
        next_out(spec.output_channels, chunk_frames),
        dry(2, chunk_frames),
        next_dry(2, chunk_frames),
        dry_delay(spec.sample_rate, chunk_frames),
        dry_history{LongHistory(static_cast<int>(dry_memory_s * spec.sample_rate), chunk_frames),
                    LongHistory(static_cast<int>(dry_memory_s * spec.sample_rate), chunk_frames)},
        peak_meter(spec.sample_rate),
        reduction_meter(spec.sample_rate) {
    hand_over.jump_to(nullptr);
  }

  // -- any thread ---------------------------------------------------------------------------------------------------

  UpmixQuality quality() const noexcept { return params.choice<UpmixQuality>(Param::upmix_quality); }
  int latency_frames(UpmixQuality of) const noexcept { return latency[static_cast<std::size_t>(of)].load(); }

  std::size_t playing_slot(Slot slot) const noexcept {
    const auto chosen = static_cast<std::size_t>(slot);
    return is_loaded[chosen].load() ? chosen : 1 - chosen;
  }

  /// What safe_headroom does to what is heard.
  float static_gain() const noexcept {
    const std::size_t slot = playing_slot(params.choice<Slot>(Param::slot));
    if (!is_loaded[slot].load()) return 1.0f;
    const bool is_speakers = params.choice<Monitor>(Param::monitor) == Monitor::speakers && !needs_preview[slot].load();
    if (params.is_on(Param::bypass)) return bypass_gain(params, common_levels.load());
    const StaticGains gains = static_gains(params, levels[slot].load(), common_levels.load());
    return is_speakers ? gains.speakers : gains.ears;
  }

  // -- main thread --------------------------------------------------------------------------------------------------

  struct Plan {
    std::array<SlotPreset, 2> slots;
    EarFirs headphone_eq;
    FramesByQuality latency{};
    std::array<bool, 2> is_new{};  // to be handed over
    std::array<std::unique_ptr<Graph>, 2> graphs{};
  };

  SlotPreset at_engine_rate(std::shared_ptr<const Preset> source) const {
    if (source == nullptr) return {};
    auto converted = shared_at_rate(source, checked_rate(spec.sample_rate));
    const FramesByQuality natural = natural_latency_frames(*converted);
    return {std::move(source), std::move(converted), natural};
  }

  /// Builds what is new, and what has to move: both slots share one latency and one equaliser. Only this may throw.
  Plan plan(std::array<SlotPreset, 2> wanted, std::array<bool, 2> is_new, EarFirs eq) const {
    Plan next{std::move(wanted), std::move(eq), {}, is_new, {}};
    for (const SlotPreset& slot : next.slots) {
      const FramesByQuality& natural = slot.natural_latency;
      const int longest = *std::ranges::max_element(natural);
      if (longest > dry_history[0].past_frames()) {
        throw std::invalid_argument("preset \"" + slot.source->name + "\" has a latency of " + std::to_string(longest) +
                                    " frames; at most half a second would be right");
      }
      raise_to(next.latency, natural);
    }
    const bool all_move = next.latency != common_latency || next.headphone_eq != headphone_eq;
    for (std::size_t s = 0; s < next.slots.size(); ++s) {
      const SlotPreset& slot = next.slots[s];
      if (slot.source == nullptr) continue;
      next.is_new[s] = next.is_new[s] || all_move;
      if (!next.is_new[s]) continue;
      const auto preset = slot.at_rate ? slot.at_rate : shared_at_rate(slot.source, checked_rate(spec.sample_rate));
      next.graphs[s] = build(*preset, next.latency, next.headphone_eq);
    }
    return next;
  }

  std::unique_ptr<Graph> build(const Preset& preset, const FramesByQuality& latency_frames, const EarFirs& eq) const {
    const GraphSpec graph_spec{spec.sample_rate, chunk_frames, spec.output_channels, latency_frames};
    auto graph = eq == EarFirs{} ? std::make_unique<Graph>(preset, graph_spec)
                                 : std::make_unique<Graph>(equalised(preset, eq), graph_spec);
    graph->follow(params,
                  common_levels.load());  // what glides stands where it will: nothing is left for the first block
    graph->reset();
    return graph;
  }

  void install(Plan next) {
    for (std::size_t s = 0; s < next.slots.size(); ++s) {
      if (!next.is_new[s]) continue;
      const Graph* graph = next.graphs[s].get();
      const auto& source = next.slots[s].source;
      matched[s] = graph ? graph->matched_levels() : Levels{};
      levels[s].store(graph ? graph->levels() : Levels{});
      tails[s] = graph ? graph->tail_frames() : 0;
      const Lacks missing = source ? lacks(*source, spec) : Lacks{};
      is_converted[s].store(missing.filters);
      needs_preview[s].store(missing.outputs);
      lacks_room[s].store(missing.room);
      is_loaded[s].store(graph != nullptr);
    }
    slots = std::move(next.slots);
    for (SlotPreset& slot : slots) {
      if (spec.sample_rate > most_kept_rate) slot.at_rate = nullptr;
    }
    headphone_eq = std::move(next.headphone_eq);
    common_levels.store(largest(matched[0], matched[1]));
    common_latency = next.latency;
    for (std::size_t q = 0; q < common_latency.size(); ++q) latency[q].store(common_latency[q]);
    tail.store(std::max(tails[0], tails[1]));
    for (std::size_t s = 0; s < next.graphs.size(); ++s) {
      if (next.is_new[s]) mailbox.put(s, std::make_unique<Delivery>(std::move(next.graphs[s])));
    }
  }

  void load(Slot slot, std::shared_ptr<const Preset> preset) {
    auto next = slots;
    std::array<bool, 2> is_new{};
    next[static_cast<std::size_t>(slot)] = at_engine_rate(std::move(preset));
    is_new[static_cast<std::size_t>(slot)] = true;
    install(plan(std::move(next), is_new, headphone_eq));
  }

  EarFirs firs_of(const std::optional<HeadphoneEq>& eq) const {
    return eq ? headphone_firs(*eq, checked_rate(spec.sample_rate)) : EarFirs{};
  }

  ~Impl() {
    for (Delivery* delivery : live) delete delivery;
    delete leaving;
  }

  // -- audio thread -------------------------------------------------------------------------------------------------

  Graph* wanted() const noexcept {
    const std::size_t slot = params.choice<Slot>(Param::slot) == Slot::a ? 0 : 1;
    for (const std::size_t s : {slot, 1 - slot}) {
      Graph* graph = live[s] != nullptr ? live[s]->graph.get() : nullptr;
      if (graph != nullptr) return graph;
    }
    return nullptr;
  }

  bool is_sounding(const Delivery* delivery) const noexcept {
    const Graph* graph = delivery != nullptr ? delivery->graph.get() : nullptr;
    return graph != nullptr && (graph == hand_over.current() || graph == hand_over.next());
  }

  /// Takes new graphs when nothing stands in the way; one that still sounds leaves after its fade.
  void take_deliveries() noexcept {
    if (leaving != nullptr && !is_sounding(leaving) && mailbox.give_back(leaving)) leaving = nullptr;
    for (std::size_t slot = 0; slot < 2; ++slot) {
      if (leaving != nullptr || hand_over.is_active()) return;
      if (!mailbox.has(slot)) continue;
      Delivery* fresh = mailbox.take(slot);
      leaving = live[slot];
      live[slot] = fresh;
      if (leaving != nullptr && !is_sounding(leaving) && mailbox.give_back(leaving)) leaving = nullptr;
    }
  }

  /// The engine plays the input itself, but on Speakers, where a graph has it as plain stereo on the device.
  bool is_bypassed(bool plays_speakers) const noexcept { return params.is_on(Param::bypass) && !plays_speakers; }

  void choose_source() noexcept {
    if (is_fresh) hand_over.jump_to(nullptr);
    take_deliveries();
    Graph* target = wanted();
    if (is_fresh) {
      hand_over.jump_to(target);
      dry_delay.jump_to(latency_frames(quality()));
      bypass.snap(is_bypassed(target != nullptr && target->heard_as_speakers(params)) ? 1.0f : 0.0f);
      bypass_level.snap(bypass_gain(params, common_levels.load()));
      is_fresh = false;
      return;
    }
    const Graph* heard = hand_over.current();
    bypass.glide_to(is_bypassed(heard != nullptr && heard->plays_speakers()) ? 1.0f : 0.0f);
    bypass_level.glide_to(bypass_gain(params, common_levels.load()));
    if (!hand_over.may_turn() || target == hand_over.goal()) return;
    if (target == hand_over.current()) return hand_over.jump_to(target);
    if (target == nullptr) return hand_over.start(target, 0);
    target->reset();
    target->start_by_parts();
    hand_over.start(target, Graph::start_blocks * chunk_frames + target->warm_up_frames(params));
  }

  void play(Graph* graph, AudioBlock io) noexcept {
    if (graph == nullptr) {  // no preset: stereo passes through
      for (int c = 0; c < 2; ++c) std::copy_n(dry[c], io.frames, io[c]);
      clear({io.lanes + 2, io.channels - 2, io.frames});
      return;
    }
    graph->follow(params, common_levels.load());
    graph->process(io);
  }

  void process_chunk(AudioBlock io) noexcept {
    choose_source();
    delay_dry(io);
    if (hand_over.is_active()) {
      const AudioBlock next = next_out.block(io.frames);
      for (int c = 0; c < 2; ++c) std::copy_n(io[c], io.frames, next[c]);
      play(hand_over.current(), io);
      play(hand_over.next(), next);
      blend(io, next, hand_over.advance(io.frames));
    } else {
      play(hand_over.current(), io);
    }
    apply_bypass(io);
    note_reduction(io.frames);
    reset_idle();
  }

  /// A part a block of a graph that is no longer heard, so that it can start when it is chosen again.
  void reset_idle() noexcept {
    if (hand_over.is_active()) return;
    for (const Delivery* delivery : live) {
      Graph* graph = delivery != nullptr ? delivery->graph.get() : nullptr;
      if (graph != nullptr && graph != hand_over.current()) graph->forget_part();
    }
  }

  void note_reduction(int frames) noexcept {
    Graph* heard = hand_over.current();
    const float gain = heard != nullptr ? heard->least_gain() : 1.0f;
    reduction_meter.push(gain < 1.0f ? -to_db(gain) : 0.0f, frames);
  }

  /// The input, late by the common latency; a new latency takes over with a cross-fade.
  void delay_dry(AudioBlock io) noexcept {
    const int wanted_delay = latency_frames(quality());
    if (!dry_delay.is_active() && wanted_delay != dry_delay.current()) dry_delay.start(wanted_delay, 0);
    const bool is_changing = dry_delay.is_active();
    for (int c = 0; c < 2; ++c) {
      LongHistory& history = dry_history[static_cast<std::size_t>(c)];
      history.push(io[c], io.frames);
      history.read(dry_delay.current(), io.frames, dry[c]);
      if (is_changing) history.read(dry_delay.next(), io.frames, next_dry[c]);
    }
    if (is_changing) blend(dry.block(io.frames), next_dry.block(io.frames), dry_delay.advance(io.frames));
  }

  void apply_bypass(AudioBlock io) noexcept {
    const RampBlock level = bypass_level.advance(io.frames);
    if (bypass.is_steady() && bypass.value() == 0.0f) return;
    scale(dry.block(io.frames), level);
    const RampBlock weight = bypass.advance(io.frames);
    blend({io.lanes, 2, io.frames}, dry.block(io.frames), weight);
    for (int c = 2; c < io.channels; ++c) {
      for (int n = 0; n < io.frames; ++n) io[c][n] *= 1.0f - weight[n];
    }
  }

  void reset() noexcept {
    for (Delivery* delivery : live) {
      if (delivery != nullptr && delivery->graph) delivery->graph->reset();
    }
    for (LongHistory& history : dry_history) history.reset();
    peak_meter.reset();
    reduction_meter.reset();
    is_fresh = true;
  }

  const EngineSpec spec;
  ParamStore params;

  std::array<SlotPreset, 2> slots;
  std::array<Levels, 2> matched{};
  std::array<int, 2> tails{};
  FramesByQuality common_latency{};
  EarFirs headphone_eq;  // at the engine's rate; empty = none

  Mailbox<Delivery, 2> mailbox;
  std::array<std::atomic<bool>, 2> is_loaded{}, is_converted{}, needs_preview{}, lacks_room{};
  std::array<SharedLevels, 2> levels;  // of each slot alone
  SharedLevels common_levels;          // room for the louder of the two presets
  std::array<std::atomic<int>, std::tuple_size_v<FramesByQuality>> latency{};
  std::atomic<int> tail{0};

  std::array<Delivery*, 2> live{};  // audio thread
  Delivery* leaving = nullptr;
  HandOver<Graph*> hand_over;
  Ramp bypass;
  Ramp bypass_level;
  Lanes next_out;
  Lanes dry;
  Lanes next_dry;
  HandOver<int> dry_delay;
  std::array<LongHistory, 2> dry_history;
  PeakMeter peak_meter;       // of what leaves the engine
  PeakMeter reduction_meter;  // in dB
  bool is_fresh = true;
};

Engine::Engine(const EngineSpec& spec) {
  check(spec);
  impl_ = std::make_unique<Impl>(spec);
}

Engine::~Engine() = default;

void Engine::load(const EngineContents& contents) {
  impl_->install(impl_->plan({impl_->at_engine_rate(contents.presets[0]), impl_->at_engine_rate(contents.presets[1])},
                             {true, true}, impl_->firs_of(contents.headphone_eq)));
}

void Engine::load(Slot slot, std::shared_ptr<const Preset> preset) { impl_->load(slot, std::move(preset)); }

void Engine::unload(Slot slot) { impl_->load(slot, nullptr); }

void Engine::set_headphone_eq(const std::optional<HeadphoneEq>& eq) {
  impl_->install(impl_->plan(impl_->slots, {}, impl_->firs_of(eq)));
}

void Engine::process(AudioBlock io) noexcept FORESTAGE_NONBLOCKING {
  const FlushToZero flush_to_zero;
  if (!std::isfinite(peak_of({io.lanes, 2, io.frames}))) {
    clear(io);
    impl_->reset();
    return;
  }
  constexpr int most_lanes = 64;
  std::array<float*, most_lanes> lanes{};
  for (int start = 0; start < io.frames; start += chunk_frames) {
    for (int c = 0; c < io.channels; ++c) lanes[static_cast<std::size_t>(c)] = io[c] + start;
    impl_->process_chunk({lanes.data(), io.channels, std::min(chunk_frames, io.frames - start)});
  }
  const float peak = peak_of(io);
  if (!std::isfinite(peak)) {
    clear(io);
    impl_->reset();
    return;
  }
  impl_->peak_meter.push(peak, io.frames);
}

void Engine::reset() noexcept { impl_->reset(); }
void Engine::set_param(Param id, float value) noexcept { impl_->params.set(id, value); }
float Engine::param(Param id) const noexcept {
  const ParamStore& store = impl_->params;
  const ParamSpec& row = forestage::spec(id);
  const auto within = [&](float value) { return std::clamp(value, row.min_value, row.max_value); };
  switch (id) {
    case Param::status:
      return static_cast<float>(
          status(store.choice<Slot>(Param::slot), store.choice<Monitor>(Param::monitor), store.is_on(Param::room)));
    case Param::gain_db:
      return within(to_db(impl_->static_gain()));
    case Param::reduction_db:
      return within(impl_->reduction_meter.recent());
    case Param::peak_db:
      return within(to_db(impl_->peak_meter.recent()));
    case Param::clip:
      return impl_->peak_meter.most() > 1.0f ? 1.0f : 0.0f;
    default:
      return store.get(id);
  }
}

float Engine::most_reduction_db() const noexcept { return impl_->reduction_meter.most(); }
float Engine::most_peak() const noexcept { return impl_->peak_meter.most(); }

Status Engine::status(Slot slot, Monitor monitor, bool in_room) const noexcept {
  const std::size_t playing = impl_->playing_slot(slot);
  if (!impl_->is_loaded[playing].load()) return Status::no_preset;
  const Lacks missing{impl_->is_converted[playing].load(), impl_->needs_preview[playing].load(),
                      impl_->lacks_room[playing].load()};
  return status_of(missing, monitor, in_room);
}

int Engine::latency_frames() const noexcept { return latency_frames(impl_->quality()); }
int Engine::latency_frames(UpmixQuality quality) const noexcept { return impl_->latency_frames(quality); }
int Engine::tail_frames() const noexcept { return impl_->tail.load(); }
const EngineSpec& Engine::spec() const noexcept { return impl_->spec; }

}  // namespace forestage
