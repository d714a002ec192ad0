#include "ear_path.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "decibels.hpp"

namespace forestage {
namespace {

constexpr int ears = 2;
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
    const double all = sum_of_first(sources, std::numeric_limits<std::size_t>::max());
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

EarResponses first_taps(const EarResponses& responses, int count) {
  EarResponses result;
  for (std::size_t ear = 0; ear < responses.size(); ++ear) {
    for (const Fir& fir : responses[ear]) {
      const auto taps = first_of(fir, static_cast<std::size_t>(count));
      result[ear].emplace_back(taps.begin(), taps.end());
    }
  }
  return result;
}

FirMatrix without_first_taps(const EarResponses& responses, int count) {
  const int sources = static_cast<int>(responses[0].size());
  std::vector<FirPath> paths;
  for (int ear = 0; ear < ears; ++ear) {
    for (int source = 0; source < sources; ++source) {
      const std::span<const float> taps = responses[static_cast<std::size_t>(ear)][static_cast<std::size_t>(source)];
      paths.push_back({source, ear, taps.subspan(std::min(taps.size(), static_cast<std::size_t>(count)))});
    }
  }
  return FirMatrix(sources, ears, paths);
}

}  // namespace

EarPath::EarPath(const EarResponses& responses, float gain_db, int ears_delay_frames, double sample_rate,
                 int max_block_frames)
    : EarPath(scaled(responses, from_db(gain_db)), lead_frames(responses, ears_delay_frames, sample_rate), sample_rate,
              max_block_frames) {}

EarPath::EarPath(const EarResponses& responses, int lookahead_frames, double sample_rate, int max_block_frames)
    : lookahead_frames_(lookahead_frames),
      lead_(first_taps(responses, lookahead_frames_)),
      matrix_(without_first_taps(responses, lookahead_frames_)),
      sources_(responses[0].size(), History(lookahead_frames_, max_block_frames)),
      lead_out_(ears, max_block_frames),
      limiter_(ears, lookahead_frames_, sample_rate, max_block_frames) {}

void EarPath::process(ConstAudioBlock in, RampBlock gain, bool is_guarded, AudioBlock out) noexcept {
  is_clean_ = false;
  const AudioBlock lead = lead_out_.block(out.frames);
  play_lead(in, lead);  // first: out may be where in is
  scale(lead, gain);
  matrix_.process(in, out);
  scale(out, gain);
  limiter_.process(out, is_guarded, lead);
}

void EarPath::play_lead(ConstAudioBlock in, AudioBlock out) noexcept {
  clear(out);
  for (std::size_t source = 0; source < sources_.size(); ++source) {
    const float* x = sources_[source].push(in[static_cast<int>(source)], in.frames);
    for (std::size_t ear = 0; ear < ears; ++ear) {
      float* y = out[static_cast<int>(ear)];
      const Fir& taps = lead_[ear][source];
      for (int k = 0; k < static_cast<int>(taps.size()); ++k) {
        const float tap = taps[static_cast<std::size_t>(k)];
        for (int n = 0; n < out.frames; ++n) y[n] += tap * x[n - k];
      }
    }
  }
}

void EarPath::reset() noexcept {
  if (is_clean_) return;
  is_clean_ = true;
  matrix_.reset();
  for (History& source : sources_) source.reset();
  limiter_.reset();
}

}  // namespace forestage
