// Virtual loudspeakers at +-stage_width: the near ear hears the channel delayed and otherwise untouched (all-pass),
// the far ear hears it later and darker: fractional delay + first-order low-pass shelf, in closed form from the angle.
//
//     V_L = z^-d L + k far(w(R)),   V_R = z^-d R + k far(w(L)),     far(s) = e^{-s tau} (1 + s/w_zero) / (1 + s/w_pole)
//
// The weights w are filters of the preset: a real device leaves crosstalk of its own where it cannot cancel, and
// virtual crosstalk on top of it would pull the image back to the middle, so it is played only where the real one is
// gone. The constants are fitted to the rigid-sphere head (Duda & Martens 1998), source at 2 m; tests state the error.
#pragma once

#include <array>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "blocks.hpp"
#include "delay.hpp"
#include "fir_matrix.hpp"
#include "fractional_delay.hpp"
#include "lanes.hpp"
#include "preset.hpp"
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
  /// `weights`: [from left, from right] with `weight_delay_frames` of modelling delay, or empty for 1.
  VirtualStereo(double sample_rate, int max_block_frames, std::span<const Fir> weights = {},
                int weight_delay_frames = 0);

  /// Left, right -> left, right; `width_deg` and `crosstalk` (0..1) glide. In place allowed.  [audio]
  void process(ConstAudioBlock in, Ramp& width_deg, Ramp& crosstalk, AudioBlock out) noexcept;
  void reset() noexcept;
  int latency_frames() const noexcept { return near_.latency_frames(); }
  int tail_frames() const noexcept;

 private:
  template <class V>
  struct ShelfOf {  // bilinear transform of the first-order shelf: y = direct x + s, s = to_state x + feedback s
    V direct, to_state, feedback;
  };
  using Shelf = ShelfOf<float>;
  struct FarFilter {
    double delay_frames;
    Shelf shelf;
  };
  static FarFilter far_filter(double width_deg, double sample_rate) noexcept;
  using GlideFilter = std::array<float, 4>;  // the shelf's direct, to_state and feedback; the delay in frames
  /// At 32 widths a degree: lines between them are right to -105 dB at rates from 9.4 kHz on.
  using GlideFilters = std::vector<GlideFilter>;
  static std::shared_ptr<const GlideFilters> shared_filters(double sample_rate);
  GlideFilter filter_at(float width_deg) const noexcept;
  void glide(AudioBlock far, const float* widths, int begin, int frames) noexcept;
  template <class ShelfAt>
  void darken(AudioBlock io, int begin, int end, ShelfAt shelf_at) noexcept;
  template <class V, class ShelfAt>
  void darken_some(AudioBlock io, int begin, int end, ShelfAt shelf_at) noexcept;

  double sample_rate_;
  std::shared_ptr<const GlideFilters> filters_;
  FarFilter steady_{};
  float steady_width_deg_ = std::numeric_limits<float>::quiet_NaN();
  std::array<float, 2> shelf_state_{};
  Delay near_;
  std::unique_ptr<FirMatrix> weights_;
  FractionalDelay far_;
  Lanes far_lanes_;
  std::vector<float> delay_lane_;
};

}  // namespace forestage
