#include "ear_path.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "decibels.hpp"

namespace forestage {
namespace {

constexpr int ears = 2;
constexpr std::size_t all_taps = std::numeric_limits<std::size_t>::max();
constexpr double least_lead = 0.01;  // of the sum of all taps of an ear: 0.1 dB that the limiter does not foresee

std::span<const float> first_of(const Fir& fir, std::size_t count) {
  return std::span(fir).first(std::min(fir.size(), count));
}

double sum_of_first(const std::vector<Fir>& firs, std::size_t count) {
  double sum = 0.0;
  for (const Fir& fir : firs) {
    for (const float tap : first_of(fir, count)) sum += std::abs(static_cast<double>(tap));
  }
  return sum;
}

/// How many frames at the begin of all responses are next to nothing.
int lead_frames(const EarResponses& responses, int ears_delay_frames, double sample_rate) {
  int frames = Limiter::lookahead_within(ears_delay_frames, sample_rate);
  for (const auto& sources : responses) {
    const double all = sum_of_first(sources, all_taps);
    while (sum_of_first(sources, static_cast<std::size_t>(frames)) > least_lead * all) --frames;
  }
  return frames;
}

EarResponses scaled(EarResponses responses, float gain) {
  for (auto& sources : responses) {
    for (Fir& fir : sources) {
      for (float& tap : fir) tap *= gain;
    }
  }
  return responses;
}

/// The taps of all responses from `begin` on, `count` at most.
FirMatrix part_of(const EarResponses& responses, int begin, std::size_t count, double sample_rate) {
  const int sources = static_cast<int>(responses[0].size());
  std::vector<FirPath> paths;
  for (int ear = 0; ear < ears; ++ear) {
    for (int source = 0; source < sources; ++source) {
      const std::span<const float> taps = responses[static_cast<std::size_t>(ear)][static_cast<std::size_t>(source)];
      const auto rest = taps.subspan(std::min(taps.size(), static_cast<std::size_t>(begin)));
      paths.push_back({source, ear, rest.first(std::min(rest.size(), count))});
    }
  }
  return FirMatrix(sources, ears, paths, 0, FirMatrix::usual_call_frames, sample_rate);
}

}  // namespace

EarPath::EarPath(const EarResponses& responses, float gain_db, int ears_delay_frames, double sample_rate,
                 int max_block_frames)
    : EarPath(scaled(responses, from_db(gain_db)), lead_frames(responses, ears_delay_frames, sample_rate), sample_rate,
              max_block_frames) {}

EarPath::EarPath(const EarResponses& responses, int lookahead_frames, double sample_rate, int max_block_frames)
    : lookahead_frames_(lookahead_frames),
      lead_(part_of(responses, 0, static_cast<std::size_t>(lookahead_frames_), sample_rate)),
      matrix_(part_of(responses, lookahead_frames_, all_taps, sample_rate)),
      lead_out_(ears, max_block_frames),
      limiter_(ears, lookahead_frames_, sample_rate, max_block_frames) {}

void EarPath::process(ConstAudioBlock in, RampBlock gain, bool is_guarded, AudioBlock out) noexcept {
  is_clean_ = false;
  const AudioBlock lead = lead_out_.block(out.frames);
  lead_.process(in, lead);  // first: out may be where in is
  scale(lead, gain);
  matrix_.process(in, out);
  scale(out, gain);
  limiter_.process(out, is_guarded, lead);
}

void EarPath::reset() noexcept {
  if (is_clean_) return;
  is_clean_ = true;
  lead_.reset();
  matrix_.reset();
  limiter_.reset();
}

}  // namespace forestage
