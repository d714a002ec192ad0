#include "low_rate_tail.hpp"

#include <algorithm>

#include "resample_fir.hpp"
#include "shared_by_content.hpp"

namespace forestage {
namespace {

constexpr int first_partition_frames = 64;
constexpr int room_frames = FirResampler::pre_ringing_frames;  // in front of the first tap, at the low rate

/// The same at the low rate, behind the room for what rings. Whoever comes later need not convert them again.
std::shared_ptr<const std::vector<Fir>> at_low_rate(std::span<const FirPath> paths, int divisor) {
  static SharedByContent<std::vector<Fir>> all;
  ContentHash hash;
  hash.add(divisor);
  for (const FirPath& path : paths) hash.add(path.taps);
  return all.get(hash.value(), [&] {
    FirResampler convert(divisor, 0.0, 1, room_frames);
    std::vector<Fir> firs;
    for (const FirPath& path : paths) firs.push_back(convert(Fir(path.taps.begin(), path.taps.end())));
    return firs;
  });
}

}  // namespace

int LowRateTail::first_tap(const RateLowPass& low_pass) noexcept {
  return 2 * low_pass.delay_frames() + low_pass.divisor() * (FirTail::first_tap(first_partition_frames) + room_frames);
}

int LowRateTail::ringing_frames(const RateLowPass& low_pass) noexcept {
  return 2 * low_pass.delay_frames() + low_pass.divisor() * room_frames;
}

LowRateTail::LowRateTail(int inputs, int outputs, std::span<const FirPath> paths, const RateLowPass& low_pass,
                         int max_frames)
    : shift_(low_pass.shift()),
      decimator_(low_pass, inputs, max_frames),
      interpolator_(low_pass, outputs, max_frames),
      firs_(at_low_rate(paths, low_pass.divisor())),
      low_(count_of((max_frames >> shift_) + 1)) {
  std::vector<FirPath> low_paths;
  for (std::size_t n = 0; n < paths.size(); ++n) low_paths.push_back({paths[n].input, paths[n].output, (*firs_)[n]});
  const int missing = FirTail::first_tap(first_partition_frames);
  const int taps = missing + longest(low_paths);
  const std::vector<int> levels = partition_levels(first_partition_frames, taps);
  tails_.reserve(levels.size());
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const int begin = FirTail::first_tap(levels[l]) - missing;
    const int end = l + 1 < levels.size() ? FirTail::first_tap(levels[l + 1]) - missing : taps;
    transforms_.push_back(std::make_unique<PartitionTransform>(levels[l]));
    tails_.emplace_back(inputs, outputs, cut(low_paths, begin, end), *transforms_.back(), memory_,
                        max_frames >> shift_);
  }
}

void LowRateTail::read(int input, const float* from, int frames) noexcept {
  decimator_.process(input, from, frames, phase_, low_.data());
  for (FirTail& tail : tails_) tail.read(input, low_.data(), low_frames(frames));
}

void LowRateTail::add_to(int output, float* to, int frames) noexcept {
  const int count = low_frames(frames);
  std::fill_n(low_.data(), count, 0.0f);
  for (const FirTail& tail : tails_) tail.add_to(output, low_.data(), count);
  interpolator_.process(output, low_.data(), frames, phase_, to);
}

void LowRateTail::advance(int frames) noexcept {
  const int count = low_frames(frames);
  for (FirTail& tail : tails_) tail.advance(count);
  phase_ = (phase_ + frames) & ((1 << shift_) - 1);
}

void LowRateTail::reset() noexcept {
  decimator_.reset();
  interpolator_.reset();
  for (FirTail& tail : tails_) tail.reset();
  phase_ = 0;
}

}  // namespace forestage
