#include "input_stage.hpp"

#include <algorithm>

#include "params.hpp"

namespace forestage {
namespace {

constexpr int stereo = 2;
constexpr int outputs = 3;  // L', R', C

}  // namespace

InputStage::InputStage(double sample_rate, int max_block_frames)
    : controls_(sample_rate, max_block_frames),
      upmix_(sample_rate, max_block_frames),
      paths_(outputs, max_block_frames) {}

void InputStage::follow(const ParamStore& store, bool is_bypassed) noexcept {
  const Followed now{&store, store.version(), is_bypassed};
  const auto quality = store.choice<UpmixQuality>(Param::upmix_quality);
  if (snap_) {
    controls_.snap({store, is_bypassed});
    upmix_.jump_to(quality);
  } else {
    if (now != followed_) controls_.glide({store, is_bypassed});
    upmix_.select(quality);
  }
  followed_ = now;
  snap_ = false;
}

void InputStage::process(ConstAudioBlock in) noexcept {
  const AudioBlock trimmed = paths_.block(0, stereo, in.frames);
  for (int c = 0; c < stereo; ++c) std::copy_n(in[c], in.frames, trimmed[c]);
  scale(trimmed, controls_.input_gain.advance(in.frames));
  upmix_.process(trimmed, controls_.upmix.advance(in.frames), paths_.block(in.frames));
  upmix_.reset_idle();
}

void InputStage::reset() noexcept {
  upmix_.reset();
  snap_ = true;
}

}  // namespace forestage
