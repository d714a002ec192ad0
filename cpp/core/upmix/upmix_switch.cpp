#include "upmix_switch.hpp"

#include <algorithm>

namespace forestage {
namespace {

constexpr int stereo = 2;
constexpr int outputs = 3;  // L', R', C

}  // namespace

FramesByQuality upmix_latency_frames(double sample_rate) noexcept {
  FramesByQuality frames{};
  for (std::size_t q = 0; q < frames.size(); ++q) {
    frames[q] = latency_frames(upmix_frames(sample_rate, static_cast<UpmixQuality>(q)));
  }
  return frames;
}

void UpmixSwitch::Path::process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept {
  parts_to_reset = Upmix::reset_parts;
  upmix.process(in, amount, out);
}

void UpmixSwitch::Path::reset_part() noexcept {
  if (parts_to_reset > 0) upmix.reset_part(Upmix::reset_parts - parts_to_reset--);
}

void UpmixSwitch::Path::reset() noexcept {
  while (parts_to_reset > 0) reset_part();
}

UpmixSwitch::UpmixSwitch(double sample_rate, int max_block_frames)
    : hand_over_(sample_rate, max_block_frames),
      next_in_(stereo, max_block_frames),
      next_out_(outputs, max_block_frames) {
  for (std::size_t q = 0; q < std::tuple_size_v<FramesByQuality>; ++q) {
    paths_.push_back({Upmix(sample_rate, static_cast<UpmixQuality>(q))});
  }
}

void UpmixSwitch::select(UpmixQuality quality) noexcept {
  if (!hand_over_.may_turn() || quality == hand_over_.goal()) return;
  if (quality == hand_over_.current()) return hand_over_.jump_to(quality);
  Path& next = paths_[index(quality)];
  next.reset();
  hand_over_.start(quality, next.upmix.tail_frames() + next.upmix.memory_frames());
}

void UpmixSwitch::jump_to(UpmixQuality quality) noexcept { hand_over_.jump_to(quality); }

void UpmixSwitch::process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept {
  Path& current = paths_[index(hand_over_.current())];
  if (!hand_over_.is_active()) return current.process(in, amount, out);
  const AudioBlock next_in = next_in_.block(in.frames);
  for (int c = 0; c < stereo; ++c) std::copy_n(in[c], in.frames, next_in[c]);
  const AudioBlock next_out = next_out_.block(in.frames);
  current.process(in, amount, out);
  paths_[index(hand_over_.next())].process(next_in, amount, next_out);
  blend(out, next_out, hand_over_.advance(in.frames));
}

void UpmixSwitch::reset_idle() noexcept {
  if (hand_over_.is_active()) return;
  for (std::size_t q = 0; q < paths_.size(); ++q) {
    if (q != index(hand_over_.current())) paths_[q].reset_part();
  }
}

void UpmixSwitch::reset() noexcept {
  for (Path& path : paths_) path.reset();
}

int UpmixSwitch::tail_frames() const noexcept {
  int frames = 0;
  for (const Path& path : paths_) frames = std::max(frames, path.upmix.tail_frames());
  return frames;
}

}  // namespace forestage
