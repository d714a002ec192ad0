// What all graphs of an engine play: the input, split into left, right and centre. No preset has a part in it, so it
// runs once for both slots, and goes on when they change.
#pragma once

#include "blocks.hpp"
#include "lanes.hpp"
#include "param_store.hpp"
#include "ramp.hpp"
#include "upmix_switch.hpp"

namespace forestage {

class InputStage {
 public:
  InputStage(double sample_rate, int max_block_frames);

  // [audio]
  /// Reads the targets, to which values glide; after a reset they are there at once.
  void follow(const ParamStore& store) noexcept;
  void process(ConstAudioBlock in) noexcept;
  /// L', R', C of the last block.
  ConstAudioBlock paths(int frames) noexcept { return paths_.block(frames); }
  void reset() noexcept;

  int tail_frames() const noexcept { return upmix_.tail_frames(); }  // of the slower quality

 private:
  bool snap_ = true;
  Ramp amount_;
  UpmixSwitch upmix_;
  Lanes paths_;
};

}  // namespace forestage
