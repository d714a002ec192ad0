#include "ear_path.hpp"

#include <algorithm>
#include <cmath>

#include "decibels.hpp"

namespace forestage {
namespace {

constexpr int ears = 2;
constexpr double least_lead = 0.01;  // of the sum of all taps of an ear: 0.1 dB that the limiter does not foresee
constexpr double longest_lead_s = 0.001;

double sum_of(const Fir& fir, std::size_t first, std::size_t end) {
  double sum = 0.0;
  for (std::size_t k = first; k < std::min(end, fir.size()); ++k) sum += std::abs(static_cast<double>(fir[k]));
  return sum;
}

/// How many frames at the begin of all responses are next to nothing.
int lead_frames(const EarResponses& responses, int ears_delay_frames, double sample_rate) {
  int frames = std::min(ears_delay_frames, static_cast<int>(longest_lead_s * sample_rate));
  for (const auto& sources : responses) {
    const auto share = [&](int count) {
      double lead = 0.0;
      double all = 1e-30;
      for (const Fir& fir : sources) {
        lead += sum_of(fir, 0, static_cast<std::size_t>(count));
        all += sum_of(fir, 0, fir.size());
      }
      return lead / all;
    };
    while (frames > 0 && share(frames) > least_lead) --frames;
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
  EarResponses result = responses;
  for (auto& sources : result) {
    for (Fir& fir : sources) fir.resize(std::min(fir.size(), static_cast<std::size_t>(count)));
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
    : lookahead_frames_(lead_frames(responses, ears_delay_frames, sample_rate)),
      lead_(first_taps(scaled(responses, from_db(gain_db)), lookahead_frames_)),
      matrix_(without_first_taps(scaled(responses, from_db(gain_db)), lookahead_frames_)),
      sources_(responses[0].size(), History(lookahead_frames_, max_block_frames)),
      lead_out_(ears, max_block_frames),
      limiter_(ears, lookahead_frames_, sample_rate, max_block_frames) {}

void EarPath::process(ConstAudioBlock in, const float* gain, bool is_guarded, AudioBlock out) noexcept {
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
  matrix_.reset();
  for (History& source : sources_) source.reset();
  limiter_.reset();
}

}  // namespace forestage
