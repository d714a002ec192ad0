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
#include "programme_match.hpp"
#include "simd.hpp"

namespace forestage {
namespace {

constexpr int most_kept_frames = 1 << 24;  // longer than anything has to warm up
constexpr int chunk_frames = 256;          // longer blocks are played in chunks: the scratch memory stays in the cache
constexpr double dry_memory_s = 0.5;
constexpr double most_kept_rate = 50000.0;  // up to here a converted preset is no larger than its source
constexpr double blind_gap_s = 0.3;         // of silence around each draw: no change that is heard, or not heard, tells

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

/// Blind trials and what they are about. They outlive an engine that is replaced by another.
struct BlindState {
  BlindTrials trials;
  ParamStore latched;  // of all that is heard, as it was when they began
  std::atomic<Blind> seen{Blind::off};
  std::atomic<BlindAnswer> seen_answer{BlindAnswer::none};
  std::atomic<bool> is_refused{false};
};

/// One of the two sounds of a pair.
struct Candidate {
  Slot slot;
  Monitor monitor;
  bool is_bypassed;
};

std::array<Candidate, 2> candidates(BlindPair pair, const ParamStore& store, bool plays_speakers) noexcept {
  const auto slot = store.choice<Slot>(Param::slot);
  const auto monitor = store.choice<Monitor>(Param::monitor);
  switch (pair) {
    case BlindPair::slots:
      return {{{Slot::a, monitor, false}, {Slot::b, monitor, false}}};
    case BlindPair::design_plain:
      if (plays_speakers) return {{{slot, monitor, false}, {slot, monitor, true}}};
      return {{{slot, Monitor::headphones, false}, {slot, Monitor::headphones_plain, false}}};
    case BlindPair::design_reference:
      return {{{slot, Monitor::headphones, false}, {slot, Monitor::headphones_reference, false}}};
    case BlindPair::plain_reference:
      return {{{slot, Monitor::headphones_plain, false}, {slot, Monitor::headphones_reference, false}}};
  }
  return {};
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
        reduction_meter(spec.sample_rate),
        match(spec.sample_rate),
        blind_gain(spec.sample_rate, chunk_frames),
        kept_out(spec.output_channels, chunk_frames),
        kept_in(2, chunk_frames) {
    blind_gain.snap(1.0f);
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
    contents_number.fetch_add(1, std::memory_order_relaxed);
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

  /// The parameters that are heard: in blind trials not those that hosts see.
  const ParamStore& heard() const noexcept { return blind->trials.is_running() ? blind->latched : params; }

  bool is_programme() const noexcept { return heard().choice<LevelMatch>(Param::level_match) == LevelMatch::programme; }

  Graph* graph_in(std::size_t slot) const noexcept { return live[slot] != nullptr ? live[slot]->graph.get() : nullptr; }

  // Blind trials

  bool can_compare(BlindPair pair) const noexcept {
    const Graph* const graph = wanted();
    if (graph == nullptr) return false;
    if (pair == BlindPair::slots) return graph_in(0) != nullptr && graph_in(1) != nullptr;
    return pair == BlindPair::design_plain || !graph->heard_as_speakers(params);
  }

  void follow_blind() noexcept {
    BlindState& state = *blind;
    const auto method = params.choice<Blind>(Param::blind);
    const auto answer = params.choice<BlindAnswer>(Param::blind_answer);
    if (method != state.seen.exchange(method, std::memory_order_relaxed)) {
      state.trials.stop();
      if (method != Blind::off) begin_blind(method);
    }
    if (method == Blind::off) state.is_refused.store(false, std::memory_order_relaxed);
    if (state.trials.is_running() && contents_number.load(std::memory_order_relaxed) != blind_contents) {
      state.trials.stop();  // it is about something that is no longer there
    }
    const BlindAnswer before = state.seen_answer.exchange(answer, std::memory_order_relaxed);
    if (state.trials.is_running()) {
      if (answer != before && answer != BlindAnswer::none) {
        state.trials.answer(answer);
        open_gap();
      }
      choose_blindly();
    }
  }

  void begin_blind(Blind method) noexcept {
    const auto pair = params.choice<BlindPair>(Param::blind_pair);
    blind->is_refused.store(!can_compare(pair), std::memory_order_relaxed);
    if (!can_compare(pair)) return;
    blind->latched.copy_from(params);
    blind_contents = contents_number.load(std::memory_order_relaxed);
    blind->trials.start(method, pair, static_cast<int>(std::lround(params.get(Param::blind_trials))));
    open_gap();
  }

  /// What is heard now, of what is compared. Trims move both alike.
  void choose_blindly() noexcept {
    ParamStore& store = blind->latched;
    for (const Param trim : {Param::input_trim_db, Param::output_trim_db}) store.set(trim, params.get(trim));
    const bool is_first = blind->trials.plays_first(params.choice<BlindListen>(Param::blind_listen));
    const Candidate chosen = compared_blindly()[is_first ? 0 : 1];
    store.set(Param::slot, static_cast<float>(chosen.slot));
    store.set(Param::monitor, static_cast<float>(chosen.monitor));
    store.set(Param::bypass, chosen.is_bypassed ? 1.0f : 0.0f);
  }

  std::array<Candidate, 2> compared_blindly() const noexcept {
    const Graph* const graph = wanted();
    return candidates(blind->trials.pair(), blind->latched, graph != nullptr && graph->heard_as_speakers(heard()));
  }

  void open_gap() noexcept { gap_left = static_cast<int>(blind_gap_s * spec.sample_rate); }

  void apply_gap(AudioBlock io) noexcept {
    if (gap_left == 0 && blind_gain.is_steady() && blind_gain.value() == 1.0f) return;
    blind_gain.glide_to(gap_left > 0 ? 0.0f : 1.0f);
    gap_left = std::max(0, gap_left - io.frames);
    scale(io, blind_gain.advance(io.frames));
  }

  // What runs although nobody hears it

  bool keeps_both_slots() const noexcept {
    return is_programme() || (blind->trials.is_running() && blind->trials.pair() == BlindPair::slots);
  }

  MonitorSet kept_monitors() const noexcept {
    MonitorSet kept;
    if (is_programme()) kept = MonitorSet(0b1110);  // all headphones
    if (!blind->trials.is_running()) return kept;
    for (const Candidate& each : compared_blindly()) kept.set(static_cast<std::size_t>(each.monitor));
    return kept;
  }

  void play_kept(int frames) noexcept {
    for (std::size_t slot = 0; slot < live.size(); ++slot) {
      Graph* graph = graph_in(slot);
      const bool is_kept = graph != nullptr && keeps_both_slots();
      if (is_kept && !is_sounding(live[slot])) {
        if (kept_frames[slot] == 0) graph->reset();
        const AudioBlock out = kept_out.block(frames);
        for (int c = 0; c < 2; ++c) std::copy_n(kept_in[c], frames, out[c]);
        play(graph, out);
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
        if (!match.is_held() && !blind->trials.is_running() && (is_elsewhere || next.graphs[s] != measured.graphs[s])) {
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
    return frames + ramp_frames(spec.sample_rate);
  }

  /// Part of what is heard is left out on purpose, or plays something else.
  bool is_measuring() const noexcept {
    const ParamStore& store = heard();
    const Graph* const graph = hand_over.current();
    return is_programme() && !blind->trials.is_running() && store.choice<Solo>(Param::solo) == Solo::off &&
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
    const std::size_t slot = heard().choice<Slot>(Param::slot) == Slot::a ? 0 : 1;
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
    follow_blind();
    follow_match(is_fresh);
    Graph* target = wanted();
    if (is_fresh) {
      hand_over.jump_to(target);
      dry_delay.jump_to(latency_frames(quality()));
      bypass.snap(is_bypassed(target != nullptr && target->heard_as_speakers(heard())) ? 1.0f : 0.0f);
      bypass_level.snap(gain_of_bypass());
      kept_frames = {};
      for (std::size_t s = 0; s < live.size(); ++s) {  // all that is kept starts from silence together
        if (Graph* graph = graph_in(s); graph != nullptr && graph != target && keeps_both_slots()) graph->reset();
      }
      is_fresh = false;
      return;
    }
    const Graph* playing = hand_over.current();
    bypass.glide_to(is_bypassed(playing != nullptr && playing->plays_speakers()) ? 1.0f : 0.0f);
    bypass_level.glide_to(gain_of_bypass());
    if (!hand_over.may_turn() || target == hand_over.goal()) return;
    if (target == hand_over.current()) return hand_over.jump_to(target);
    if (target == nullptr) return hand_over.start(target, 0);
    const int frames = target->warm_up_frames(heard());
    if (const int kept = kept_frames_of(target); kept > 0) return hand_over.start(target, std::max(0, frames - kept));
    target->reset();
    target->start_by_parts();
    hand_over.start(target, Graph::start_blocks * chunk_frames + frames);
  }

  int kept_frames_of(const Graph* graph) const noexcept {
    for (std::size_t s = 0; s < live.size(); ++s) {
      if (graph == graph_in(s)) return kept_frames[s];
    }
    return 0;
  }

  void play(Graph* graph, AudioBlock io) noexcept {
    if (graph == nullptr) {  // no preset: stereo passes through
      for (int c = 0; c < 2; ++c) std::copy_n(dry[c], io.frames, io[c]);
      clear({io.lanes + 2, io.channels - 2, io.frames});
      return;
    }
    graph->follow(heard(), common_levels.load(), kept_monitors());
    graph->process(io);
  }

  void process_chunk(AudioBlock io) noexcept {
    choose_source();
    for (int c = 0; c < 2; ++c) std::copy_n(io[c], io.frames, kept_in[c]);
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
    play_kept(io.frames);
    measure(io.frames);
    apply_bypass(io);
    apply_gap(io);
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
  ProgrammeMatch match;
  Compared measured;
  bool was_programme = false;
  std::shared_ptr<BlindState> blind = std::make_shared<BlindState>();
  std::atomic<unsigned> contents_number{0};  // counts what is loaded
  unsigned blind_contents = 0;
  Ramp blind_gain;
  int gap_left = 0;
  Lanes kept_out;
  Lanes kept_in;
  std::array<int, 2> kept_frames{};  // since when a slot runs that need not be heard
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
    if (const auto shown = blind_reading(id)) return *shown;
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

/// A reading of blind trials; while they run, nothing of what else would tell.
std::optional<float> Engine::blind_reading(Param id) const noexcept {
  const BlindTrials& trials = impl_->blind->trials;
  switch (id) {
    case Param::blind_trial:
      return static_cast<float>(trials.trial());
    case Param::blind_hits:
      return static_cast<float>(trials.final_hits());
    case Param::blind_p:
      return static_cast<float>(trials.final_p());
    default:
      return trials.is_running() ? std::optional(forestage::spec(id).default_value) : std::nullopt;
  }
}

MatchFound Engine::match_found() const noexcept { return impl_->match.found(); }

void Engine::hold_match(const std::optional<MatchFound>& found) noexcept {
  found ? impl_->match.hold(*found) : impl_->match.release();
}

bool Engine::is_blind() const noexcept { return impl_->blind->trials.is_running(); }
Engine::BlindTaken Engine::blind_taken() const noexcept {
  const BlindState& state = *impl_->blind;
  return {state.seen.load(std::memory_order_relaxed), state.seen_answer.load(std::memory_order_relaxed),
          state.is_refused.load(std::memory_order_relaxed)};
}
BlindRun Engine::blind_run() const { return impl_->blind->trials.run(); }
void Engine::seed_draws(std::uint64_t number) noexcept { impl_->blind->trials.seed(number); }

void Engine::continue_from(const Engine& replaced) noexcept {
  impl_->blind = replaced.impl_->blind;
  impl_->blind_contents = impl_->contents_number.load(std::memory_order_relaxed);
}

float Engine::most_reduction_db() const noexcept { return impl_->reduction_meter.most(); }
float Engine::most_peak() const noexcept { return impl_->peak_meter.most(); }

Status Engine::status(Slot slot, Monitor monitor, bool in_room) const noexcept {
  const std::size_t playing = impl_->playing_slot(slot);
  if (!impl_->is_loaded[playing].load()) return Status::no_preset;
  if (impl_->blind->is_refused.load(std::memory_order_relaxed)) return Status::nothing_to_compare;
  const Lacks missing{impl_->is_converted[playing].load(), impl_->needs_preview[playing].load(),
                      impl_->lacks_room[playing].load()};
  return status_of(missing, monitor, in_room);
}

int Engine::latency_frames() const noexcept { return latency_frames(impl_->quality()); }
int Engine::latency_frames(UpmixQuality quality) const noexcept { return impl_->latency_frames(quality); }
int Engine::tail_frames() const noexcept { return impl_->tail.load(); }
const EngineSpec& Engine::spec() const noexcept { return impl_->spec; }

}  // namespace forestage
