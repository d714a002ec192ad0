// Virtual loudspeakers at +-stage_width: the near ear hears the channel delayed and otherwise untouched (all-pass),
// the far ear hears it later and darker: fractional delay + first-order low-pass shelf, in closed form from the angle.
//
//     V_L = z^-16 L + k far(R),   V_R = z^-16 R + k far(L),     far(s) = e^{-s tau} (1 + s/w_zero) / (1 + s/w_pole)
//
// The constants are fitted to the rigid-sphere head (Duda & Martens 1998), source at 2 m; tests state the error.
#pragma once

#include <array>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "fractional_delay.hpp"
#include "ramp.hpp"

namespace forestage {

/// Far ear relative to the near ear.
struct FarEar {
  double delay_s;
  double pole_hz;
  double zero_hz;
};

/// Closed form for a source at `width_deg` from the front, 0 ... 90.  [pure, any thread]
FarEar far_ear(double width_deg) noexcept;

class VirtualStereo {
 public:
  static constexpr int latency = FractionalDelay::latency;

  VirtualStereo(double sample_rate, int max_block_frames);

  /// Left, right -> left, right; `width_deg` and `crosstalk` (0..1) glide. In place allowed.  [audio]
  void process(ConstAudioBlock in, Ramp& width_deg, Ramp& crosstalk, AudioBlock out) noexcept;
  void reset() noexcept;
  int latency_frames() const noexcept { return latency; }

 private:
  struct Shelf {  // bilinear transform of the first-order shelf
    float b0 = 1.0f, b1 = 0.0f, a1 = 0.0f;
  };
  void set_width(float width_deg) noexcept;

  double sample_rate_;
  float width_deg_ = -1.0f;
  double delay_frames_ = 0.0;
  Shelf shelf_;
  std::array<float, 2> shelf_state_{};
  Delay near_;
  std::array<FractionalDelay, 2> far_;
  std::array<std::vector<float>, 2> far_lane_;
  std::vector<double> delay_lane_;
  std::vector<Shelf> shelf_lane_;
};

}  // namespace forestage
