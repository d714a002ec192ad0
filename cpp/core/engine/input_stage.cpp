#include "input_stage.hpp"

#include "params.hpp"

namespace forestage {
namespace {

constexpr int outputs = 3;  // L', R', C

}  // namespace

InputStage::InputStage(double sample_rate, int max_block_frames)
    : amount_(sample_rate, max_block_frames),
      upmix_(sample_rate, max_block_frames),
      paths_(outputs, max_block_frames) {}

void InputStage::follow(const ParamStore& store) noexcept {
  const auto quality = store.choice<UpmixQuality>(Param::upmix_quality);
  const float amount = store.fraction(Param::upmix);
  if (snap_) {
    amount_.snap(amount);
    upmix_.jump_to(quality);
  } else {
    amount_.glide_to(amount);
    upmix_.select(quality);
  }
  snap_ = false;
}

void InputStage::process(ConstAudioBlock in) noexcept {
  upmix_.process(in, amount_.advance(in.frames), paths_.block(in.frames));
  upmix_.reset_idle();
}

void InputStage::reset() noexcept {
  upmix_.reset();
  snap_ = true;
}

}  // namespace forestage
