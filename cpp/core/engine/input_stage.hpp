// What all graphs of an engine play: the input with its trim, split into left, right and centre. No preset has a part
// in it, so it runs once for both slots, and goes on when they change.
//
//     L,R ─ trim ─ UpmixSwitch ─ L', R', C
#pragma once

#include "blocks.hpp"
#include "controls.hpp"
#include "lanes.hpp"
#include "param_store.hpp"
#include "upmix_switch.hpp"

namespace forestage {

class InputStage {
 public:
  InputStage(double sample_rate, int max_block_frames);

  // [audio]
  /// Reads the targets, to which values glide; after a reset they are there at once. `is_bypassed`: by plain stereo on
  /// the device, which has no trims.
  void follow(const ParamStore& store, bool is_bypassed) noexcept;
  void process(ConstAudioBlock in) noexcept;
  /// L', R', C of the last block.
  ConstAudioBlock paths(int frames) noexcept { return paths_.block(frames); }
  void reset() noexcept;

  int tail_frames() const noexcept { return upmix_.tail_frames(); }  // of the slower quality

 private:
  struct Followed {
    const ParamStore* params = nullptr;
    unsigned version = 0;
    bool is_bypassed = false;
    bool operator==(const Followed&) const = default;
  };

  InputControls controls_;
  Followed followed_;
  bool snap_ = true;
  UpmixSwitch upmix_;
  Lanes paths_;
};

}  // namespace forestage
