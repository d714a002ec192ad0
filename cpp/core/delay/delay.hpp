// Delays of whole frames. History keeps the past of one lane contiguous in front of the newest block, so that
// filters read straight memory; delays copy out of a ring, LongHistory.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#include "blocks.hpp"

namespace forestage {

class History {
 public:
  History(int past_frames, int max_block_frames)
      : past_frames_(past_frames),
        memory_(static_cast<std::size_t>(past_frames) + static_cast<std::size_t>(max_block_frames)) {}

  /// Appends a block; the returned pointer p holds p[-past_frames] ... p[frames - 1] until the next push.  [audio]
  const float* push(const float* block, int frames) noexcept {
    const auto past = static_cast<std::size_t>(past_frames_);
    if (newest_frames_ > 0) {
      std::memmove(memory_.data(), memory_.data() + newest_frames_, past * sizeof(float));
    }
    std::copy_n(block, frames, memory_.data() + past);
    newest_frames_ = frames;
    return memory_.data() + past;
  }

  void reset() noexcept {
    std::ranges::fill(memory_, 0.0f);
    newest_frames_ = 0;
  }

  /// What push() returned.
  const float* newest() const noexcept { return memory_.data() + past_frames_; }
  int past_frames() const noexcept { return past_frames_; }

 private:
  int past_frames_;
  int newest_frames_ = 0;
  std::vector<float> memory_;
};

/// The past of one lane in a ring: nothing but the block is moved.
class LongHistory {
 public:
  LongHistory(int past_frames, int max_block_frames)
      : past_frames_(past_frames),
        memory_(static_cast<std::size_t>(past_frames) + static_cast<std::size_t>(max_block_frames)) {}

  void push(const float* block, int frames) noexcept {
    const auto count = static_cast<std::size_t>(frames);
    const std::size_t first = std::min(count, memory_.size() - end_);
    std::copy_n(block, first, memory_.data() + end_);
    std::copy_n(block + first, count - first, memory_.data());
    end_ += count;
    if (end_ >= memory_.size()) end_ -= memory_.size();
  }

  /// The last `frames` frames as they were `delay_frames` before; together at most all that is held.
  void read(int delay_frames, int frames, float* to) const noexcept {
    const auto count = static_cast<std::size_t>(frames);
    const std::size_t back = static_cast<std::size_t>(delay_frames) + count;
    const std::size_t start = end_ >= back ? end_ - back : end_ + memory_.size() - back;
    const std::size_t first = std::min(count, memory_.size() - start);
    std::copy_n(memory_.data() + start, first, to);
    std::copy_n(memory_.data(), count - first, to + first);
  }

  void reset() noexcept { std::ranges::fill(memory_, 0.0f); }
  int past_frames() const noexcept { return past_frames_; }

 private:
  int past_frames_;
  std::size_t end_ = 0;
  std::vector<float> memory_;
};

/// The same whole-frame delay on several lanes. Input and output may be the same memory.
class Delay {
 public:
  Delay(int channels, int delay_frames, int max_block_frames)
      : delay_frames_(delay_frames),
        histories_(static_cast<std::size_t>(channels), LongHistory(delay_frames, max_block_frames)) {}

  void process(ConstAudioBlock in, AudioBlock out) noexcept {
    for (int c = 0; c < in.channels; ++c) {
      if (delay_frames_ > 0) {
        LongHistory& history = histories_[static_cast<std::size_t>(c)];
        history.push(in[c], in.frames);
        history.read(delay_frames_, in.frames, out[c]);
      } else if (out[c] != in[c]) {
        std::copy_n(in[c], in.frames, out[c]);
      }
    }
  }

  void reset() noexcept {
    for (LongHistory& history : histories_) history.reset();
  }

  int latency_frames() const noexcept { return delay_frames_; }

 private:
  int delay_frames_;
  std::vector<LongHistory> histories_;
};
static_assert(Processor<Delay>);

}  // namespace forestage
