#include "engine.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "blind_listening.hpp"
#include "decibels.hpp"
#include "dry_path.hpp"
#include "float_environment.hpp"
#include "graph.hpp"
#include "input_stage.hpp"
#include "level_meter.hpp"
#include "mailbox.hpp"
#include "param_store.hpp"
#include "peak.hpp"
#include "preset_at_rate.hpp"
#include "programme_match.hpp"
#include "slot_plan.hpp"

namespace forestage {
namespace {

constexpr int most_kept_frames = 1 << 24;  // longer than anything has to warm up
constexpr int chunk_frames = 256;          // longer blocks are played in chunks: the scratch memory stays in the cache

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

/// What travels to the audio thread and back: a graph, or none, which empties the slot.
struct Delivery {
  std::unique_ptr<Graph> graph;
};

/// What decides how loud things are beside each other; measurements of something else do not count.
struct Compared {
  std::array<float, param_count> settings{};
  std::array<const Graph*, 2> graphs{};
  bool operator==(const Compared&) const = default;
};

bool is_compared(std::size_t param) noexcept {
  switch (static_cast<Param>(param)) {
    case Param::input_trim_db:
    case Param::output_trim_db:
    case Param::safe_headroom:
      return false;
    case Param::level_match:
    case Param::upmix_quality:
    case Param::room:
      return true;
    default:
      return params[param].in_preset;
  }
}

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
        dry(spec.sample_rate, chunk_frames),
        input(spec.sample_rate, chunk_frames),
        planner({spec.sample_rate, chunk_frames, spec.output_channels, {}}, dry.most_latency_frames()),
        hand_over(spec.sample_rate, chunk_frames),
        next_out(spec.output_channels, chunk_frames),
        peak_meter(spec.sample_rate),
        reduction_meter(spec.sample_rate),
        match(spec.sample_rate),
        blind(spec.sample_rate, chunk_frames),
        kept_out(spec.output_channels, chunk_frames) {
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
    const bool is_speakers = asks_for_speakers(slot);
    if (params.is_on(Param::bypass)) return bypass_gain(params, common_levels.load());
    const StaticGains gains = static_gains(params, levels[slot].load(), common_levels.load());
    return is_speakers ? gains.speakers : gains.ears;
  }

  bool asks_for_speakers(std::size_t slot) const noexcept {
    return params.choice<Monitor>(Param::monitor) == Monitor::speakers && !needs_preview[slot].load();
  }

  /// What level_match = Programme does to what is heard.
  float match_gain_db() const noexcept {
    const std::size_t slot = playing_slot(params.choice<Slot>(Param::slot));
    if (params.choice<LevelMatch>(Param::level_match) != LevelMatch::programme || !is_loaded[slot].load()) return 0.0f;
    const auto chosen = params.choice<Monitor>(Param::monitor);
    const bool is_preview = chosen == Monitor::speakers && !asks_for_speakers(slot);
    return match.gain_db(slot, is_preview ? Monitor::headphones : chosen, params.is_on(Param::bypass));
  }

  // -- main thread --------------------------------------------------------------------------------------------------

  void install(SlotPlan next) {
    contents_number.fetch_add(1, std::memory_order_relaxed);
    for (std::size_t s = 0; s < next.graphs.size(); ++s) {
      if (!next.is_new[s]) continue;
      const Graph* graph = next.graphs[s].get();
      const auto& source = next.contents.slots[s].source;
      matched[s] = graph ? graph->matched_levels() : Levels{};
      levels[s].store(graph ? graph->levels() : Levels{});
      tails[s] = graph ? graph->tail_frames() : 0;
      const Lacks missing = source ? lacks(*source, spec) : Lacks{};
      is_converted[s].store(missing.filters);
      needs_preview[s].store(missing.outputs);
      lacks_room[s].store(missing.room);
      is_loaded[s].store(graph != nullptr);
    }
    common_levels.store(largest(matched[0], matched[1]));
    const bool has_any = is_loaded[0].load() || is_loaded[1].load();
    const FramesByQuality upmix_frames = upmix_latency_frames(spec.sample_rate);
    for (std::size_t q = 0; q < latency.size(); ++q) {
      latency[q].store(has_any ? upmix_frames[q] + next.contents.latency_frames : 0);
    }
    tail.store(has_any ? input.tail_frames() + std::max(tails[0], tails[1]) : 0);
    planner.keep(std::move(next.contents));
    for (std::size_t s = 0; s < next.graphs.size(); ++s) {
      if (next.is_new[s]) mailbox.put(s, std::make_unique<Delivery>(std::move(next.graphs[s])));
    }
  }

  void load(const EngineContents& contents) {
    install(planner.plan({planner.at_engine_rate(contents.presets[0]), planner.at_engine_rate(contents.presets[1])},
                         {true, true}, planner.firs_of(contents.headphone_eq), params, common_levels.load()));
  }

  void load(Slot slot, std::shared_ptr<const Preset> preset) {
    auto wanted = planner.slots();
    std::array<bool, 2> is_new{};
    wanted[static_cast<std::size_t>(slot)] = planner.at_engine_rate(std::move(preset));
    is_new[static_cast<std::size_t>(slot)] = true;
    install(planner.plan(std::move(wanted), is_new, planner.headphone_eq(), params, common_levels.load()));
  }

  void set_headphone_eq(const std::optional<HeadphoneEq>& eq) {
    install(planner.plan(planner.slots(), {}, planner.firs_of(eq), params, common_levels.load()));
  }

  ~Impl() {
    for (Delivery* delivery : live) delete delivery;
    delete leaving;
  }

  // -- audio thread -------------------------------------------------------------------------------------------------

  /// The parameters that are heard: in blind trials not those that hosts see.
  const ParamStore& heard() const noexcept { return blind.heard(params); }

  bool is_programme() const noexcept { return heard().choice<LevelMatch>(Param::level_match) == LevelMatch::programme; }

  Graph* graph_in(std::size_t slot) const noexcept { return live[slot] != nullptr ? live[slot]->graph.get() : nullptr; }

  SlotsThere there() const noexcept {
    SlotsThere result;
    for (std::size_t s = 0; s < live.size(); ++s) {
      const Graph* graph = graph_in(s);
      result.is_filled[s] = graph != nullptr;
      result.can_play_speakers[s] = graph != nullptr && graph->can_play_speakers();
    }
    result.number = contents_number.load(std::memory_order_relaxed);
    return result;
  }

  // What runs although nobody hears it

  bool keeps_both_slots() const noexcept { return is_programme() || blind.compares_slots(); }

  MonitorSet kept_monitors() const noexcept {
    MonitorSet kept;
    if (is_programme()) kept = MonitorSet(0b1110);  // all headphones
    if (!blind.is_running()) return kept;
    for (const Candidate& each : blind.candidates(there())) kept.set(static_cast<std::size_t>(each.monitor));
    return kept;
  }

  void play_kept(int frames) noexcept {
    for (std::size_t slot = 0; slot < live.size(); ++slot) {
      Graph* graph = graph_in(slot);
      const bool is_kept = graph != nullptr && keeps_both_slots();
      if (is_kept && !is_sounding(live[slot])) {
        if (kept_frames[slot] == 0) graph->reset();
        play(graph, kept_out.block(frames));
      }
      kept_frames[slot] = is_kept ? std::min(kept_frames[slot] + frames, most_kept_frames) : 0;
    }
  }

  // level_match = Programme

  Compared compared() const noexcept {
    Compared result;
    const ParamStore& store = heard();
    for (std::size_t i = 0; i < param_count; ++i) {
      if (is_compared(i)) result.settings[i] = store.get(static_cast<Param>(i));
    }
    result.graphs = {graph_in(0), graph_in(1)};
    return result;
  }

  void follow_match(bool is_from_silence) noexcept {
    if (!is_programme() && !was_programme) return;
    const Compared next = compared();
    if (is_from_silence || next != measured) {
      constexpr auto place = static_cast<std::size_t>(Param::room);
      const bool is_elsewhere = next.settings[place] != measured.settings[place] || !was_programme || is_from_silence;
      for (const Slot slot : {Slot::a, Slot::b}) {
        const auto s = static_cast<std::size_t>(slot);
        if (!match.is_held() && !blind.is_running() && (is_elsewhere || next.graphs[s] != measured.graphs[s])) {
          match.forget(slot);
        }
      }
      match.begin(is_from_silence ? latency_frames(quality()) : settling_frames());
      measured = next;
    }
    was_programme = is_programme();
    for (std::size_t s = 0; s < live.size(); ++s) {
      if (Graph* graph = graph_in(s)) graph->set_match(was_programme ? match.gains(s) : MatchGains{});
    }
  }

  /// Until all that is measured sounds as if it had always run.
  int settling_frames() const noexcept {
    int frames = 0;
    for (std::size_t s = 0; s < live.size(); ++s) {
      if (const Graph* graph = graph_in(s)) frames = std::max(frames, graph->tail_frames());
    }
    return input.tail_frames() + frames + ramp_frames(spec.sample_rate);
  }

  /// Part of what is heard is left out on purpose, or plays something else.
  bool is_measuring() const noexcept {
    const ParamStore& store = heard();
    const Graph* const graph = hand_over.current();
    return is_programme() && !blind.is_running() && store.choice<Solo>(Param::solo) == Solo::off &&
           !(store.is_on(Param::bypass) && graph != nullptr && graph->plays_speakers());
  }

  void measure(int frames) noexcept {
    if (!is_measuring()) return;
    std::array<EarBlocks, 2> ears;
    std::array<const EarBlocks*, 2> slots_heard{};
    for (std::size_t s = 0; s < live.size(); ++s) {
      Graph* graph = graph_in(s);
      if (graph == nullptr) continue;
      ears[s] = graph->kept_ears(frames);
      slots_heard[s] = &ears[s];
    }
    const ParamStore& store = heard();
    const float trims = from_db(store.get(Param::input_trim_db) + store.get(Param::output_trim_db));
    const float gain = trims * static_gains(store, {}, common_levels.load()).ears;
    match.measure(dry.block(frames), static_cast<double>(gain), slots_heard);
  }

  int most_frames(int left) const noexcept {
    const int frames = std::min(chunk_frames, left);
    return is_measuring() ? std::min(frames, match.frames_to_hop()) : frames;
  }

  Graph* wanted() const noexcept {
    const auto slot = there().heard(heard());
    return slot ? graph_in(*slot) : nullptr;
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
      kept_frames[slot] = 0;
      if (leaving != nullptr && !is_sounding(leaving) && mailbox.give_back(leaving)) leaving = nullptr;
    }
  }

  /// The engine plays the input itself, but on Speakers, where a graph has it as plain stereo on the device.
  bool is_bypassed(bool plays_speakers) const noexcept { return heard().is_on(Param::bypass) && !plays_speakers; }

  float gain_of_bypass() const noexcept {
    return bypass_gain(heard(), common_levels.load()) * (is_programme() ? match.bypass_gain() : 1.0f);
  }

  void choose_source() noexcept {
    if (is_fresh) hand_over.jump_to(nullptr);
    take_deliveries();
    const bool was_blind = blind.is_running();
    blind.follow(params, there());
    if (blind.is_running() && !was_blind) match.settle();  // in the silence that follows
    follow_match(is_fresh);
    Graph* target = wanted();
    if (is_fresh) {
      hand_over.jump_to(target);
      dry.jump_to(latency_frames(quality()));
      dry.snap_bypass(is_bypassed(there().plays_speakers(heard())) ? 1.0f : 0.0f, gain_of_bypass());
      kept_frames = {};
      for (std::size_t s = 0; s < live.size(); ++s) {  // all that is kept starts from silence together
        if (Graph* graph = graph_in(s); graph != nullptr && graph != target && keeps_both_slots()) graph->reset();
      }
      is_fresh = false;
      return;
    }
    const Graph* playing = hand_over.current();
    dry.set_bypass(is_bypassed(playing != nullptr && playing->plays_speakers()) ? 1.0f : 0.0f, gain_of_bypass());
    if (!hand_over.may_turn() || target == hand_over.goal()) return;
    if (target == hand_over.current()) return hand_over.jump_to(target);
    if (target == nullptr) return hand_over.start(target, 0);
    const int frames = target->warm_up_frames(heard());
    if (const int kept = kept_frames_of(target); kept > 0) return hand_over.start(target, std::max(0, frames - kept));
    target->reset();
    target->start_by_parts();
    hand_over.start(target, Graph::start_frames + chunk_frames + frames);
  }

  int kept_frames_of(const Graph* graph) const noexcept {
    for (std::size_t s = 0; s < live.size(); ++s) {
      if (graph == graph_in(s)) return kept_frames[s];
    }
    return 0;
  }

  void play(Graph* graph, AudioBlock out) noexcept {
    if (graph == nullptr) {  // no preset: stereo passes through
      for (int c = 0; c < 2; ++c) std::copy_n(dry.block(out.frames)[c], out.frames, out[c]);
      clear({out.lanes + 2, out.channels - 2, out.frames});
      return;
    }
    graph->follow(heard(), common_levels.load(), kept_monitors());
    graph->process(input.paths(out.frames), out);
  }

  void process_chunk(AudioBlock io) noexcept {
    choose_source();
    input.follow(heard());
    dry.push(io, latency_frames(quality()));
    input.process({io.lanes, 2, io.frames});
    if (hand_over.is_active()) {
      const AudioBlock next = next_out.block(io.frames);
      play(hand_over.current(), io);
      play(hand_over.next(), next);
      blend(io, next, hand_over.advance(io.frames));
    } else {
      play(hand_over.current(), io);
    }
    play_kept(io.frames);
    measure(io.frames);
    dry.apply_bypass(io);
    blind.apply_gap(io);
    note_reduction(io.frames);
    reset_idle();
  }

  /// A part a block of a graph that is no longer heard, so that it can start when it is chosen again.
  void reset_idle() noexcept {
    if (hand_over.is_active() || keeps_both_slots()) return;
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

  void reset() noexcept {
    for (Delivery* delivery : live) {
      if (delivery != nullptr && delivery->graph) delivery->graph->reset();
    }
    dry.reset();
    input.reset();
    peak_meter.reset();
    reduction_meter.reset();
    is_fresh = true;
  }

  const EngineSpec spec;
  ParamStore params;

  DryPath dry;
  InputStage input;
  SlotPlanner planner;  // main thread
  std::array<Levels, 2> matched{};
  std::array<int, 2> tails{};

  Mailbox<Delivery, 2> mailbox;
  std::array<std::atomic<bool>, 2> is_loaded{}, is_converted{}, needs_preview{}, lacks_room{};
  std::array<SharedLevels, 2> levels;  // of each slot alone
  SharedLevels common_levels;          // room for the louder of the two presets
  std::array<std::atomic<int>, std::tuple_size_v<FramesByQuality>> latency{};
  std::atomic<int> tail{0};
  std::atomic<unsigned> contents_number{0};  // counts what is loaded

  std::array<Delivery*, 2> live{};  // audio thread
  Delivery* leaving = nullptr;
  HandOver<Graph*> hand_over;
  Lanes next_out;
  PeakMeter peak_meter;       // of what leaves the engine
  PeakMeter reduction_meter;  // in dB
  ProgrammeMatch match;
  Compared measured;
  bool was_programme = false;
  BlindListening blind;
  Lanes kept_out;
  std::array<int, 2> kept_frames{};  // since when a slot runs that need not be heard
  bool is_fresh = true;
};

Engine::Engine(const EngineSpec& spec) {
  check(spec);
  impl_ = std::make_unique<Impl>(spec);
}

Engine::~Engine() = default;

void Engine::load(const EngineContents& contents) { impl_->load(contents); }
void Engine::load(Slot slot, std::shared_ptr<const Preset> preset) { impl_->load(slot, std::move(preset)); }

void Engine::unload(Slot slot) { impl_->load(slot, nullptr); }

void Engine::set_headphone_eq(const std::optional<HeadphoneEq>& eq) { impl_->set_headphone_eq(eq); }

void Engine::process(AudioBlock io) noexcept FORESTAGE_NONBLOCKING {
  const FlushToZero flush_to_zero;
  if (!std::isfinite(peak_of({io.lanes, 2, io.frames}))) {
    clear(io);
    impl_->reset();
    return;
  }
  constexpr int most_lanes = 64;
  std::array<float*, most_lanes> lanes{};
  if (io.frames == 0) impl_->choose_source();  // parameters are taken all the same
  for (int start = 0; start < io.frames;) {
    for (int c = 0; c < io.channels; ++c) lanes[static_cast<std::size_t>(c)] = io[c] + start;
    const int frames = impl_->most_frames(io.frames - start);
    impl_->process_chunk({lanes.data(), io.channels, frames});
    start += frames;
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
  if (row.kind == ParamKind::meter || id == Param::clip) {
    if (const auto shown = impl_->blind.reading(id)) return *shown;
  }
  switch (id) {
    case Param::status:
      return static_cast<float>(
          status(store.choice<Slot>(Param::slot), store.choice<Monitor>(Param::monitor), store.is_on(Param::room)));
    case Param::gain_db:
      return within(to_db(impl_->static_gain()));
    case Param::match_gain_db:
      return within(impl_->match_gain_db());
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

MatchFound Engine::match_found() const noexcept { return impl_->match.found(); }

void Engine::hold_match(const std::optional<MatchFound>& found) noexcept {
  found ? impl_->match.hold(*found) : impl_->match.release();
}

bool Engine::is_blind() const noexcept { return impl_->blind.is_running(); }
BlindTaken Engine::blind_taken() const noexcept { return impl_->blind.taken(); }
BlindRun Engine::blind_run() const { return impl_->blind.run(); }
void Engine::seed_draws(std::uint64_t number) noexcept { impl_->blind.seed(number); }

void Engine::continue_from(const Engine& replaced) noexcept {
  impl_->blind.continue_from(replaced.impl_->blind, impl_->contents_number.load(std::memory_order_relaxed));
}

float Engine::most_reduction_db() const noexcept { return impl_->reduction_meter.most(); }
float Engine::most_peak() const noexcept { return impl_->peak_meter.most(); }

Status Engine::status(Slot slot, Monitor monitor, bool in_room) const noexcept {
  const std::size_t playing = impl_->playing_slot(slot);
  if (!impl_->is_loaded[playing].load()) return Status::no_preset;
  if (impl_->blind.taken().is_refused) return Status::nothing_to_compare;
  const Lacks missing{impl_->is_converted[playing].load(), impl_->needs_preview[playing].load(),
                      impl_->lacks_room[playing].load()};
  return status_of(missing, monitor, in_room);
}

int Engine::latency_frames() const noexcept { return latency_frames(impl_->quality()); }
int Engine::latency_frames(UpmixQuality quality) const noexcept { return impl_->latency_frames(quality); }
int Engine::tail_frames() const noexcept { return impl_->tail.load(); }
const EngineSpec& Engine::spec() const noexcept { return impl_->spec; }

}  // namespace forestage
