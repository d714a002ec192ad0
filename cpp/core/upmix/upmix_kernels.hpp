// Inner loops of Upmix, compiled for several instruction sets (simd.hpp); the best one for this CPU is chosen at run
// time.
//
// The transform of 2B real frames x is the right-angle form of fir_partitions.hpp: the B-point complex FFT of
// (x[n] - i x[n + B]) w[n], w[n] = e^{-i pi n / 2B}. Its bins lie half a bin off the usual ones, every other one
// conjugated, which the estimate does not see. Windows are multiplied into w. Complex arrays are interleaved.
//
// In High Quality it is four FFTs of Q = B / 4 points, which can be done one at a time and stay in the fastest cache;
// the pass of radix 4 in front of them is one with the windows.
//
//     z[n] = (x[n] - i x[n + B]) w[n]
//     y_r[n] = e^{-2 pi i n r / B} sum_j (-i)^{jr} z[n + j Q], whose FFT has the bins r, r + 4 ...
//
// The way back is the same in reverse (decimation in frequency, and in time).
#pragma once

#include "center_gain.hpp"

namespace forestage::upmix_kernels {

/// Factors lie in rows of so many frames, all rows of the same frames together:
/// [n / row_frames][row][n % row_frames].
inline constexpr int row_frames = 16;

/// Windowed frames to what the FFTs take: of mid = left + right and side = left - right. n goes through one part.
struct Fold {
  const float* left;  // 2 bins frames
  const float* right;
  const float* windows;  // rows [part j][re, im of frame n + jQ, re, im of n + jQ + B]
  const float* turns;    // rows [r - 1][re, im], where there is more than one part
  float* mid;            // parts one after the other
  float* side;
  int bins;         // B
  int first, last;  // n of these; multiples of row_frames
};

/// What the inverse FFTs say to frames: to[j][n - first] += the frame n + jQ + B.
struct Unfold {
  const float* spectra;
  const float* windows;  // rows [part j][re, im of frame n + jQ + B]
  const float* turns;    // as in Fold
  float* const* to;      // from first_part on
  int bins;
  int first_part;   // 0, or 1 where the first one is not wanted
  int first, last;  // n
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
  float* mid;  // becomes the centre
  const float* side;
  KnownBins* known;
  int first, last;         // bins of these, multiples of pan_bins, as are
  int bins;                // all of them, and
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

struct Loops {
  int parts;  // that transforms are cut into
  void (*fold)(const Fold& job);
  void (*principal_axis)(const Estimate& job);
  void (*magnitude_difference)(const Estimate& job);
  void (*unfold)(const Unfold& job);
};

struct Table {
  const char* name;  // of the instruction set
  Loops low_latency;
  Loops high_quality;  // gains fall slowly, and leaks are taken out
};

/// [any thread]
const Table& best() noexcept;

}  // namespace forestage::upmix_kernels
