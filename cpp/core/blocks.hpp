// Audio blocks: views of planar float audio that somebody else owns.
// Every processor in the core has the same five calls, written once here as a concept.
#pragma once

#include <concepts>

#if defined(__clang__) && __has_attribute(nonblocking)
#define FORESTAGE_NONBLOCKING [[clang::nonblocking]]
#else
#define FORESTAGE_NONBLOCKING
#endif

namespace forestage {

/// Non-owning view of `channels` lanes of `frames` floats. Lanes may not overlap.
struct AudioBlock {
  float* const* lanes = nullptr;
  int channels = 0;
  int frames = 0;

  float* operator[](int channel) const noexcept { return lanes[channel]; }
};

/// Read-only twin of AudioBlock.
struct ConstAudioBlock {
  const float* const* lanes = nullptr;
  int channels = 0;
  int frames = 0;

  ConstAudioBlock() = default;
  ConstAudioBlock(const float* const* lanes_, int channels_, int frames_) noexcept
      : lanes(lanes_), channels(channels_), frames(frames_) {}
  ConstAudioBlock(const AudioBlock& block) noexcept  // NOLINT: a view converts to a read-only view
      : lanes(block.lanes), channels(block.channels), frames(block.frames) {}

  const float* operator[](int channel) const noexcept { return lanes[channel]; }
};

/// State that turns input lanes into output lanes. Construction allocates; the rest never does.
template <class P>
concept Processor = requires(P p, const P c, ConstAudioBlock in, AudioBlock out) {
  { p.process(in, out) }
  noexcept;  // [audio] 0..max frames, any split gives the same output
  { p.reset() }
  noexcept;  // [audio] clears state, keeps coefficients
  { c.latency_frames() }
  noexcept->std::same_as<int>;  // [any] constant for the life of the object
};

}  // namespace forestage
