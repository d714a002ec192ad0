// Inner loops of FirMatrix and its parts, compiled for several instruction sets (simd.hpp); the best one for this CPU
// is chosen at run time.
//
// Spectra are split into chunks of 16 bins, real parts then imaginary parts ("cell" = 32 floats = two cache lines):
//     inputs   [chunk][slot][input][cell]            slots form a ring, newest at `slot`
//     filters  [chunk][partition][input][output][cell]
// so that the multiply-accumulate walks through memory once and in order.
#pragma once

namespace forestage::fir_kernels {

inline constexpr int chunk_bins = 16;
inline constexpr int cell = 2 * chunk_bins;
/// Floats behind the last frame that `direct` reads, and has no use for.
inline constexpr int read_beyond = 16;

/// Bins of all outputs: interleaved complex, [output][partition_frames].
struct Multiply {
  const float* inputs;
  const float* filters;
  const float* start;  // products that they add to, or null
  float* products;
  int partition_frames;
  int first_bin;  // bins [first_bin, last_bin), whole chunks
  int last_bin;
  int partitions;  // slots of the ring
  int slot;        // where partition 0 meets its input
  int first;       // partitions [first, last) are summed
  int last;
  int input_count;
  int active_inputs;  // the first ones; the others are silent
  int output_count;
};

/// Direct form: y[o][n] = start[o][n] + sum_i sum_k taps[i][k][o] x[i][n - k].
struct Direct {
  const float* x;  // input 0 at n = 0; `tap_count - 1` frames before it, `read_beyond` after the last
  int x_stride;
  const float* taps;  // [input][tap][output]
  int tap_count;
  const float* start;  // `read_beyond` more floats after the last frame
  int start_stride;
  float* const* outputs;
  int frames;
  int input_count;
  int output_count;
};

struct Table {
  const char* name;  // of the instruction set
  /// z[n] = (window[n] - i window[n + count]) w[n], interleaved.
  void (*fold)(const float* first, const float* second, const float* w_re, const float* w_im, float* z, int count);
  /// Interleaved bins to the cells of one slot; `stride` floats from chunk to chunk.
  void (*pack)(const float* bins, float* cells, long stride, int count);
  void (*multiply)(const Multiply& job);
  /// The second half of the window back from z: frames[n] = -Im(z[n] conj w[n]).
  void (*unfold)(const float* z, const float* w_re, const float* w_im, float* frames, int count);
  void (*direct)(const Direct& job);
};

/// [any thread]
const Table& best() noexcept;

}  // namespace forestage::fir_kernels
