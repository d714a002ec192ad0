// Inner loops of Upmix, compiled for several instruction sets (simd.hpp); the best one for this CPU is chosen at run
// time.
//
// The transform of 2B real frames x is the right-angle form of fir_partitions.hpp: the B-point complex FFT of
// (x[n] - i x[n + B]) w[n], w[n] = e^{-i pi n / 2B}. Its bins lie half a bin off the usual ones, every other one
// conjugated, which the estimate does not see. Windows are multiplied into w. Complex arrays are interleaved.
#pragma once

#include "center_gain.hpp"

namespace forestage::upmix_kernels {

/// Windowed frames to what the FFT takes: of mid = left + right and side = left - right.
struct Fold {
  const float* left;  // 2 count frames
  const float* right;
  const float* first_re;  // factors of frame n
  const float* first_im;
  const float* second_re;  // factors of frame n + count
  const float* second_im;
  float* mid;
  float* side;
  int count;  // a multiple of 8
};

/// Neighbouring bins that share what is known about pans: every second of 375 Hz in High Quality.
inline constexpr int pan_bins = 16;

/// What is known about pan_bins neighbouring bins, whose order is the estimate's own. They lie side by side, as arrays
/// that are a multiple of 4096 bytes apart would wait for each other's stores.
struct alignas(64) KnownBins {
  using Values = float[pan_bins];
  Values mid_power, side_power, cross_power;  // averages over time
  Values gain;                                // of the mid in the centre
  Values side_gain;                           // and of the side that is taken out of it, until both are found again
  Values leak, leak_power;  // what the centre had in common with the side, and what that is judged by:
                            // averages over a longer time
  Values leak_share;        // of the side, that leaves the centre for it
  PanPowers<float> pans;    // averages over time of all together
};

/// One frame's centre, and what it is found with.
struct Estimate {
  const float* mid;
  const float* side;
  float* center;
  KnownBins* known;
  int bins;                // a multiple of pan_bins, as is
  int heard_bins;          // how many at either end can be heard; those between take the weights of the last heard ones
  float coefficient;       // of the averages
  float tile_share;        // of the tile itself in the averages
  float fall_coefficient;  // of gains that fall
  float leak_coefficient;  // of the averages of leaks, per slow turn
  float pan_coefficient;   // of what is known about pans, per slow turn
  int weight_turns;        // within how many all find their weights once, and
  int slow_turns;          // pans and leaks, which change slowly: powers of two, this one not less than the other
  int turn;                // which one this is
  bool is_first;           // of all: all find their weights
  CenterModel model;
};

struct Table {
  const char* name;  // of the instruction set
  void (*fold)(const Fold& job);
  void (*principal_axis)(const Estimate& job);
  void (*principal_axis_remembered)(const Estimate& job);  // gains fall slowly, and leaks are taken out
  void (*magnitude_difference)(const Estimate& job);
  /// to[n] += Re(z[n]) re[n] + Im(z[n]) im[n]
  void (*unfold_add)(const float* z, const float* re, const float* im, float* to, int count);
};

/// [any thread]
const Table& best() noexcept;

}  // namespace forestage::upmix_kernels
