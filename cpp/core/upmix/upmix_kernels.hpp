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

/// One frame's centre, and the averages that it is found with.
struct Estimate {
  const float* mid;
  const float* side;
  float* center;
  float* mid_power;  // averages over time, one a bin, in an order of their own
  float* side_power;
  float* cross_power;
  float* gain;             // of the mid in the centre, which stands until it is found again, and
  float* side_gain;        // of the side that is taken out of it, of the highest heard bins where gains are remembered
  float* leak;             // what the centre had in common with the side, and
  float* leak_power;       // the powers that it is judged by: averages over a longer time
  PanPowers<float>* pans;  // averages over time, one for pan_bins bins
  int bins;                // a multiple of pan_bins, as is
  int heard_bins;          // how many at either end can be heard; those between take the weights of the last heard ones
  float coefficient;       // of the averages
  float tile_share;        // of the tile itself in the averages
  float fall_coefficient;  // of gains that fall
  float leak_coefficient;  // of the averages of leaks
  float pan_coefficient;   // of what is known about pans, per turn
  int weight_turns;        // within which each block of pan_bins bins finds its weights once
  int pan_turns;           // and listens to pans once, as they change slowly; a multiple of weight_turns
  int turn;                // which one this is
  bool is_first;           // of all: every block finds its weights
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
