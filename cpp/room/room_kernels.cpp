#include "room/room_kernels.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "fft.hpp"
#include "fractional_kernel.hpp"
#include "room/spherical_harmonics.hpp"

namespace forestage::room {
namespace {

constexpr int at_once = SphericalHarmonics::at_once;
constexpr int batch_images = 64;
// Kernels of all images that arrive within a step of 8 frames are laid into windows with one common start, so that sums
// over images stay in registers and memory is read and written in whole vectors.
constexpr int step_frames = 8;
constexpr int window_frames = fractional_taps + step_frames;
static_assert(frames_for(0) >= lead_frames + window_frames, "the last window must end inside the buffer");
constexpr int window_vectors = 5;  // per pass: with two rows, ten sums in registers

/// Up to `batch_images` images: unit vectors padded to whole batches of directions, and their windows.
struct Batch {
  float x[batch_images] = {}, y[batch_images] = {}, z[batch_images] = {};
  alignas(64) float window[batch_images][window_frames];
  long start[batch_images];  // of the window, in frames of the response

  FORESTAGE_INLINE void read(const Images& images, std::size_t first, int count) {
    for (int n = 0; n < count; ++n) {
      const std::size_t image = first + static_cast<std::size_t>(n);
      x[n] = images.x[image];
      y[n] = images.y[image];
      z[n] = images.z[image];
      const long begin = lead_frames + images.frame[image] - fractional_center;
      start[n] = begin - begin % step_frames;
      std::fill_n(window[n], window_frames, 0.0f);
      fractional_kernel(images.fraction[image], window[n] + begin % step_frames);
    }
  }
};

struct MomentJob {
  const Images* images;
  const SphericalHarmonics* harmonics;
  float* moments;
  long frames;
  const CancelFlag* cancel;
};

/// Sums of several rows, nested so that compilers keep them in registers; arrays of them they spill.
template <class Sum, int rows>
struct Rows {
  Sum first{};
  Rows<Sum, rows - 1> rest{};

  FORESTAGE_INLINE void read(const float* from, long stride) {
    first.read(from);
    rest.read(from + stride, stride);
  }
  FORESTAGE_INLINE void add_scaled(const Sum& other, const float* gains, long stride) {
    first.add_scaled(other, *gains);
    rest.add_scaled(other, gains + stride, stride);
  }
  FORESTAGE_INLINE void write(float* to, long stride) const {
    first.write(to);
    rest.write(to + stride, stride);
  }
};
template <class Sum>
struct Rows<Sum, 0> {
  FORESTAGE_INLINE void read(const float*, long) {}
  FORESTAGE_INLINE void add_scaled(const Sum&, const float*, long) {}
  FORESTAGE_INLINE void write(float*, long) const {}
};

/// sums[row][0 .. window) += sum_n values[row][n] windows[n][0 .. window)
template <class V, int rows>
FORESTAGE_INLINE void add_windows(const float* windows, int count, const float* values, long value_stride, float* sums,
                                  long sum_stride) {
  using Tile = simd::Run<V, window_vectors>;
  constexpr int tile_frames = window_vectors * simd::width<V>;
  for (int offset = 0; offset < window_frames; offset += tile_frames) {
    Rows<Tile, rows> sum;
    sum.read(sums + offset, sum_stride);
    for (int n = 0; n < count; ++n) {
      Tile window;
      window.read(windows + n * window_frames + offset);
      sum.add_scaled(window, values + n, value_stride);
    }
    sum.write(sums + offset, sum_stride);
  }
}

template <class V>
FORESTAGE_INLINE void moments_body(const MomentJob& job) {
  const int harmonics = job.harmonics->count();
  const int bands = job.images->bands;
  Batch batch;
  AlignedVector<float> values(static_cast<std::size_t>(harmonics) * batch_images);
  AlignedVector<float> windows(static_cast<std::size_t>(batch_images) * window_frames);
  for (std::size_t first = 0; first < job.images->count(); first += batch_images) {
    stop_if(*job.cancel);
    const int count = static_cast<int>(std::min<std::size_t>(batch_images, job.images->count() - first));
    batch.read(*job.images, first, count);
    for (int n = 0; n < count; n += at_once) {
      job.harmonics->evaluate(batch.x + n, batch.y + n, batch.z + n, values.data() + n, batch_images);
    }
    for (int band = 0; band < bands; ++band) {
      for (int n = 0; n < count; ++n) {
        const float gain = job.images->gains_of(first + static_cast<std::size_t>(n))[band];
        float* window = windows.data() + n * window_frames;
        for (int k = 0; k < window_frames; ++k) window[k] = gain * batch.window[n][k];
      }
      float* moments = job.moments + static_cast<long>(band) * harmonics * job.frames;
      for (int q = 0; q < harmonics; q += 2) {
        for (int begin = 0, end = 0; begin < count; begin = end) {
          while (end < count && batch.start[end] == batch.start[begin]) ++end;
          const float* value = values.data() + static_cast<long>(q) * batch_images + begin;
          const float* window = windows.data() + begin * window_frames;
          float* sums = moments + q * job.frames + batch.start[begin];
          if (q + 1 < harmonics) {
            add_windows<V, 2>(window, end - begin, value, batch_images, sums, job.frames);
          } else {
            add_windows<V, 1>(window, end - begin, value, batch_images, sums, job.frames);
          }
        }
      }
    }
  }
}

struct ResponseJob {
  const Images* images;
  int mirror;
  const Patterns* sources;
  const Patterns* receivers;
  const SphericalHarmonics* harmonics;
  float* responses;
  long frames;
  const CancelFlag* cancel;
};

/// firs[row][image] = sum_q taps[row][q] values[q][image], for `rows` rows at once.
template <class V, int rows>
FORESTAGE_INLINE void point_rows(const float* taps, int columns, const float* values, float* firs) {
  using Values = simd::Run<V, at_once / simd::width<V>>;
  Rows<Values, rows> sum;
  for (int q = 0; q < columns; ++q) {
    Values value;
    value.read(values + q * at_once);
    sum.add_scaled(value, taps + q, columns);
  }
  sum.write(firs, at_once);
}

template <class V>
FORESTAGE_INLINE void point_all(const float* taps, int rows, int columns, const float* values, float* firs) {
  int row = 0;
  for (; row + 8 <= rows; row += 8) {
    point_rows<V, 8>(taps + static_cast<long>(row) * columns, columns, values, firs + row * at_once);
  }
  for (; row < rows; ++row) {
    point_rows<V, 1>(taps + static_cast<long>(row) * columns, columns, values, firs + row * at_once);
  }
}

/// FIRs of the patterns in the directions of a batch: firs[pattern][tap][image].
template <class V>
FORESTAGE_INLINE void point(const Patterns& patterns, const float* values, float* firs) {
  const int harmonics = harmonic_count(patterns.order);
  if (patterns.axes == nullptr) {
    point_all<V>(patterns.taps, patterns.count * patterns.tap_count, harmonics, values, firs);
    return;
  }
  const int degrees = patterns.order + 1;
  alignas(64) float by_degree[(SphericalHarmonics::highest_order + 1) * at_once];
  for (int p = 0; p < patterns.count; ++p) {
    const float* axis = patterns.axes + static_cast<long>(p) * harmonics;
    for (int l = 0; l < degrees; ++l) {
      point_rows<V, 1>(axis + l * l, 2 * l + 1, values + static_cast<long>(l) * l * at_once, by_degree + l * at_once);
    }
    const long row = static_cast<long>(p) * patterns.tap_count;
    point_all<V>(patterns.taps + row * degrees, patterns.tap_count, degrees, by_degree, firs + row * at_once);
  }
}

constexpr int most_tile_frames = 8 * at_once;

/// Frames with zeros on both sides, as `convolve` reads and writes beyond both ends.
class Padded {
 public:
  Padded(int frames, int taps)
      : before_(taps), memory_(static_cast<std::size_t>(frames + 2 * taps + 2 * most_tile_frames), 0.0f) {}
  float* data() { return memory_.data() + before_; }

 private:
  int before_;
  AlignedVector<float> memory_;
};

/// y[row][n] = sum_k firs[row][k][image 0] x[n - k] for n < frames, and on to a whole tile.
template <class V, int rows, int vectors>
FORESTAGE_INLINE void convolve_rows(const float* firs, int tap_count, int tap_stride, const float* x, float* y,
                                    long y_stride, int frames) {
  using Tile = simd::Run<V, vectors>;
  for (int n = 0; n < frames; n += vectors * simd::width<V>) {
    Rows<Tile, rows> sum;
    for (int k = 0; k < tap_count; ++k) {
      Tile in;
      in.read(x + n - k);
      sum.add_scaled(in, firs + k * tap_stride, static_cast<long>(tap_count) * tap_stride);
    }
    sum.write(y + n, y_stride);
  }
}

/// The same for any number of rows: three at a time share what they read and fill the registers.
template <class V>
FORESTAGE_INLINE void convolve(const float* firs, int rows, int tap_count, int tap_stride, const float* x, float* y,
                               long y_stride, int frames) {
  const long fir_stride = static_cast<long>(tap_count) * tap_stride;
  int row = 0;
  for (; row + 3 <= rows; row += 3) {
    convolve_rows<V, 3, 4>(firs + row * fir_stride, tap_count, tap_stride, x, y + row * y_stride, y_stride, frames);
  }
  if (row + 2 == rows) {
    convolve_rows<V, 2, 4>(firs + row * fir_stride, tap_count, tap_stride, x, y + row * y_stride, y_stride, frames);
  } else if (row + 1 == rows) {
    convolve_rows<V, 1, 8>(firs + row * fir_stride, tap_count, tap_stride, x, y + row * y_stride, y_stride, frames);
  }
}

/// Sign of each harmonic in the direction of departure relative to the direction of arrival.
std::vector<float> departure_signs(int order, int mirror) {
  std::vector<float> signs;
  for (int l = 0; l <= order; ++l) {
    for (int m = -l; m <= l; ++m) signs.push_back(departure_sign(l, m, mirror));
  }
  return signs;
}

template <class V>
FORESTAGE_INLINE void responses_body(const ResponseJob& job) {
  const Patterns& sources = *job.sources;
  const Patterns& receivers = *job.receivers;
  const int bands = job.images->bands;
  const auto signs = departure_signs(sources.order, job.mirror);
  const int heard_frames = receivers.tap_count + fractional_taps - 1;
  const int frames = heard_frames + sources.tap_count - 1;
  AlignedVector<float> arriving(static_cast<std::size_t>(job.harmonics->count()) * at_once);
  AlignedVector<float> leaving(signs.size() * at_once);
  AlignedVector<float> sent(static_cast<std::size_t>(sources.count * sources.tap_count) * at_once);
  AlignedVector<float> caught(static_cast<std::size_t>(receivers.count * receivers.tap_count) * at_once);
  // One FIR of a receiver, what the receiver hears of a delayed impulse, and that from every source
  Padded fir(receivers.tap_count, fractional_taps), heard(heard_frames, sources.tap_count);
  const long response_frames = frames + most_tile_frames;
  AlignedVector<float> responses(static_cast<std::size_t>(sources.count * response_frames));
  float delay[fractional_taps];
  for (std::size_t first = 0; first < job.images->count(); first += at_once) {
    if (first % 1024 == 0) stop_if(*job.cancel);
    const int count = static_cast<int>(std::min<std::size_t>(at_once, job.images->count() - first));
    float x[at_once] = {}, y[at_once] = {}, z[at_once] = {};
    std::copy_n(job.images->x.data() + first, count, x);
    std::copy_n(job.images->y.data() + first, count, y);
    std::copy_n(job.images->z.data() + first, count, z);
    job.harmonics->evaluate(x, y, z, arriving.data(), at_once);
    for (std::size_t q = 0; q < signs.size(); ++q) {
      for (int n = 0; n < at_once; ++n) leaving[q * at_once + n] = signs[q] * arriving[q * at_once + n];
    }
    point<V>(sources, leaving.data(), sent.data());
    point<V>(receivers, arriving.data(), caught.data());
    for (int n = 0; n < count; ++n) {
      const std::size_t image = first + static_cast<std::size_t>(n);
      const float* gains = job.images->gains_of(image);
      fractional_kernel(job.images->fraction[image], delay);
      const long start = lead_frames + job.images->frame[image] - fractional_center;
      for (int r = 0; r < receivers.count; ++r) {
        const float* taps = caught.data() + static_cast<long>(r) * receivers.tap_count * at_once + n;
        for (int k = 0; k < receivers.tap_count; ++k) fir.data()[k] = taps[k * at_once];
        convolve<V>(delay, 1, fractional_taps, 1, fir.data(), heard.data(), 0, heard_frames);
        convolve<V>(sent.data() + n, sources.count, sources.tap_count, at_once, heard.data(), responses.data(),
                    response_frames, frames);
        for (int b = 0; b < bands; ++b) {
          for (int s = 0; s < sources.count; ++s) {
            float* to =
                job.responses + ((static_cast<long>(b) * sources.count + s) * receivers.count + r) * job.frames + start;
            const float* from = responses.data() + s * response_frames;
            for (int k = 0; k < frames; ++k) to[k] += gains[b] * from[k];
          }
        }
      }
    }
  }
}

// One copy of every loop per instruction set: the bodies above are inlined into functions with that target.
#define FORESTAGE_KERNELS(set, V, target)                                   \
  namespace set {                                                           \
  target void moments(const MomentJob& job) { moments_body<V>(job); }       \
  target void responses(const ResponseJob& job) { responses_body<V>(job); } \
  }

FORESTAGE_KERNELS(baseline, simd::Baseline, )
#if defined(FORESTAGE_HAS_AVX2)
FORESTAGE_KERNELS(avx2, simd::Vector8, FORESTAGE_AVX2)
#endif
#undef FORESTAGE_KERNELS

void check_frames(const Images& images, long extra_frames, long frames) {
  const long needed = images.count() == 0 ? 0 : frames_for(images.frame.back()) + extra_frames;
  if (needed > frames) {
    throw std::invalid_argument("frames = " + std::to_string(frames) + ": must be at least " + std::to_string(needed));
  }
}

}  // namespace

float departure_sign(int l, int m, int mirror) noexcept {
  // Which axes, when flipped, change the sign of Re or Im (x + iy)^|m| times a polynomial in z, of the parity of
  // l - |m|.
  const bool is_sine = m < 0;
  const unsigned odd_x = ((static_cast<unsigned>(std::abs(m)) + (is_sine ? 1U : 0U)) & 1U);
  const unsigned odd_y = is_sine ? 1U : 0U;
  const unsigned odd_z = static_cast<unsigned>(l - std::abs(m)) & 1U;
  const unsigned odd = odd_x | odd_y << 1 | odd_z << 2;
  const int flips = l + std::popcount(odd & static_cast<unsigned>(mirror));
  return flips % 2 == 0 ? 1.0f : -1.0f;
}

void add_moments(const Images& images, int order, float* moments, long frames, const CancelFlag& cancel) {
  check_frames(images, 0, frames);
  const SphericalHarmonics harmonics(order);
  const MomentJob job{&images, &harmonics, moments, frames, &cancel};
#if defined(FORESTAGE_HAS_AVX2)
  if (simd::has_avx2()) return avx2::moments(job);
#endif
  baseline::moments(job);
}

void add_responses(const Images& images, int mirror, const Patterns& sources, const Patterns& receivers,
                   float* responses, long frames, const CancelFlag& cancel) {
  check_frames(images, sources.tap_count + receivers.tap_count - 2, frames);
  const SphericalHarmonics harmonics(std::max(sources.order, receivers.order));
  const ResponseJob job{&images, mirror, &sources, &receivers, &harmonics, responses, frames, &cancel};
#if defined(FORESTAGE_HAS_AVX2)
  if (simd::has_avx2()) return avx2::responses(job);
#endif
  baseline::responses(job);
}

}  // namespace forestage::room
