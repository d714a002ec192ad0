#include "limiter.hpp"

#include <algorithm>
#include <cmath>

#include "peak.hpp"

namespace forestage {
namespace {

constexpr double hold_s = 0.012;  // half a period of 42 Hz
constexpr double release_s = 0.050;
constexpr float last_way = 1e-4f;    // from here on it goes back evenly, so that it arrives
constexpr float least_held = 1e-6f;  // louder sound is no sound; the clamp takes it
constexpr std::int64_t one = std::int64_t{1} << 30;

}  // namespace

void Limiter::Mean::fill(std::int64_t value) noexcept {
  std::ranges::fill(values_, value);
  sum_ = value * length();
}

std::int64_t Limiter::Mean::push(std::int64_t value) noexcept {
  sum_ += value - values_[position_];
  values_[position_] = value;
  position_ = position_ + 1 == values_.size() ? 0 : position_ + 1;
  return sum_;
}

float Limiter::Least::push(float value) noexcept {
  const auto length = static_cast<std::int64_t>(entries_.size());
  while (end_ > begin_ && entry(end_ - 1).value >= value) --end_;
  if (end_ > begin_ && entry(begin_).at <= now_ - length) ++begin_;
  entry(end_++) = {value, now_++};
  return entry(begin_).value;
}

int Limiter::lookahead_within(int delay_frames, double sample_rate) noexcept {
  return std::min(delay_frames, static_cast<int>(longest_lookahead_s * sample_rate));
}

Limiter::Limiter(int channels, int lookahead_frames, double sample_rate, int max_block_frames)
    : lookahead_frames_(lookahead_frames),
      true_peak_(sample_rate),
      detector_frames_(true_peak_.is_needed() && lookahead_frames > TruePeak::half_taps ? TruePeak::half_taps : 0),
      first_mean_(1 + (lookahead_frames - detector_frames_) / 2),
      second_mean_(1 + (lookahead_frames - detector_frames_ + 1) / 2),
      needed_(std::max(static_cast<int>(hold_s * sample_rate), lookahead_frames + 1)),
      release_(static_cast<float>(1.0 - std::exp(-1.0 / (release_s * sample_rate)))),
      most_rise_(static_cast<float>(std::pow(10.0, most_release_db_per_ms * 1000.0 / sample_rate / 20.0))),
      delays_(static_cast<std::size_t>(channels),
              History(std::max(lookahead_frames, 2 * detector_frames_), max_block_frames)),
      frame_peaks_(2 * detector_frames_, max_block_frames),
      between_(1 + static_cast<std::size_t>(max_block_frames)),
      peaks_(static_cast<std::size_t>(max_block_frames)),
      gains_(static_cast<std::size_t>(max_block_frames)) {
  reset();
}

void Limiter::reset() noexcept {
  for (History& delay : delays_) delay.reset();
  frame_peaks_.reset();
  between_[0] = 0.0f;
  first_mean_.fill(one);
  second_mean_.fill(one * first_mean_.length());
  needed_.clear();
  held_ = least_gain_ = 1.0f;
  rest_in_frames_ = 0;
}

void Limiter::process(AudioBlock io, bool is_on, ConstAudioBlock lead) noexcept {
  const float* peaks = find_peaks(io);
  const bool is_within = !is_on || peak_of({&peaks, 1, io.frames}) <= ceiling;
  const bool is_resting = is_within && rest_in_frames_ == 0;
  least_gain_ = 1.0f;
  if (!is_resting) find_gains(peaks, io.frames, is_on);
  const float most = is_on ? 1.0f : INFINITY;
  for (int c = 0; c < io.channels; ++c) {
    const float* late = delays_[static_cast<std::size_t>(c)].newest() - lookahead_frames_;
    float* out = io[c];
    if (lead.channels > 0) {
      for (int n = 0; n < io.frames; ++n) out[n] = late[n] + lead[c][n];
    } else {
      std::copy_n(late, io.frames, out);
    }
    if (is_resting && lead.channels == 0) continue;
    if (!is_resting) {
      for (int n = 0; n < io.frames; ++n) out[n] *= gains_[static_cast<std::size_t>(n)];
    }
    for (int n = 0; n < io.frames; ++n) out[n] = out[n] > most ? most : (out[n] < -most ? -most : out[n]);
  }
}

/// Largest of all lanes at each frame and next to it, detector_frames_ late.
const float* Limiter::find_peaks(ConstAudioBlock io) noexcept {
  std::fill_n(peaks_.data(), io.frames, 0.0f);
  for (int c = 0; c < io.channels; ++c) {
    delays_[static_cast<std::size_t>(c)].push(io[c], io.frames);
    true_peak_.raise_to_frames(io[c], peaks_.data(), io.frames);
  }
  if (detector_frames_ == 0) return peaks_.data();
  const float* frame_peaks = frame_peaks_.push(peaks_.data(), io.frames);
  const float* oldest = frame_peaks - 2 * detector_frames_;
  const float largest = peak_of({&oldest, 1, 2 * detector_frames_ + io.frames});
  float* between = between_.data() + 1;
  std::fill_n(between, io.frames, 0.0f);
  if (largest * true_peak_.most_gain() > ceiling) {
    for (const History& delay : delays_) true_peak_.raise(delay.newest(), between, io.frames);
  }
  for (int n = 0; n < io.frames; ++n) {
    const float beside = std::max(between[n - 1], between[n]);
    peaks_[static_cast<std::size_t>(n)] = std::max(frame_peaks[n - detector_frames_], beside);
  }
  if (io.frames > 0) between_[0] = between[io.frames - 1];
  return peaks_.data();
}

void Limiter::find_gains(const float* peaks, int frames, bool is_on) noexcept {
  const double scale = 1.0 / static_cast<double>(one * first_mean_.length() * second_mean_.length());
  for (int n = 0; n < frames; ++n) {
    const float held = next_held(is_on && peaks[n] > ceiling ? ceiling / peaks[n] : 1.0f);
    const auto steps = static_cast<std::int64_t>(held * static_cast<float>(one));
    const std::int64_t sum = second_mean_.push(first_mean_.push(steps));
    gains_[static_cast<std::size_t>(n)] = static_cast<float>(static_cast<double>(sum) * scale);
    rest_in_frames_ = held < 1.0f ? lookahead_frames_ + 2 : std::max(0, rest_in_frames_ - 1);
  }
  if (frames > 0) least_gain_ = *std::min_element(gains_.data(), gains_.data() + frames);
}

/// Falls at once, and rises as far as the least gain of the last time lets it.
float Limiter::next_held(float needed) noexcept {
  const float most = needed_.push(std::max(needed, least_held));
  const float way_back = release_ * std::max(1.0f - held_, last_way);
  return held_ = std::min({most, held_ + way_back, held_ * most_rise_});
}

}  // namespace forestage
