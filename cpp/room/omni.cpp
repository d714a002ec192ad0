#include "room/omni.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "fft.hpp"
#include "fractional_kernel.hpp"
#include "physics.hpp"
#include "room/lattice_axis.hpp"
#include "room/lattice_lines.hpp"
#include "room/room_kernels.hpp"
#include "simd.hpp"

namespace forestage::room {
namespace {

constexpr int batch_images = 16;

struct OmniJob {
  const Shoebox* room;
  const ImageOptions* options;
  unsigned mirrors_wanted;
  float* responses;  // [band][frames]
  long frames;
  const CancelFlag* cancel;
};

/// Where in the response an image begins, and between which kernels it lies.
struct Impulse {
  int start;
  int phase;
  float mix;
};

FORESTAGE_INLINE Impulse impulse_at(double delay) {
  const int whole = static_cast<int>(delay);
  const double position = (delay - whole) * fractional_phases;
  const int phase = static_cast<int>(position);
  return {lead_frames - fractional_center + whole, phase, static_cast<float>(position - phase)};
}

template <class V>
FORESTAGE_INLINE void add_impulse(const float* kernels, const Impulse& impulse, float gain, float* response) {
  using Taps = simd::Run<V, fractional_taps / simd::width<V>>;
  const float* kernel = kernels + impulse.phase * fractional_taps;
  Taps below, above, sum;
  below.read(kernel);
  above.read(kernel + fractional_taps);
  sum.read(response + impulse.start);
  sum.add_scaled(below, gain * (1.0f - impulse.mix));
  sum.add_scaled(above, gain * impulse.mix);
  sum.write(response + impulse.start);
}

/// Images of some lines of the lattice on their way into the responses: most lines are short, and roots and quotients
/// of many at once take little longer than one.
class Batch {
 public:
  explicit Batch(const OmniJob& job)
      : job_(job),
        bands_(job.room->bands()),
        frames_per_m_(job.options->sample_rate / speed_of_sound_m_s),
        gains_(static_cast<std::size_t>(bands_) * batch_images) {}

  /// Neighbours along z; plane_gains[band].
  template <class V>
  FORESTAGE_INLINE void add(double plane_m2, const double* plane_gains, const LatticeAxis& along_z, const Cells& line) {
    for (long first = line.begin; first < line.end;) {
      const int count = static_cast<int>(std::min<long>(line.end - first, batch_images - filled_));
      const double first_m = along_z.position_m(first);
      const double* z_gains = along_z.gains(first);
      for (int n = 0; n < count; ++n) {
        const double z = first_m + n * along_z.spacing_m();
        squared_m2_[filled_ + n] = plane_m2 + z * z;
      }
      for (int b = 0; b < bands_; ++b) {
        double* gains = gains_.data() + b * batch_images + filled_;
        for (int n = 0; n < count; ++n) gains[n] = plane_gains[b] * z_gains[n * bands_ + b];
      }
      first += count;
      filled_ += count;
      if (filled_ == batch_images) flush<V>();
    }
  }

  template <class V>
  FORESTAGE_INLINE void flush() {
    const float* kernels = fractional_kernels();
    double distance[batch_images], delay[batch_images], over_distance[batch_images];
    std::fill(squared_m2_ + filled_, squared_m2_ + batch_images, 1.0);
    // Apart, as GCC would take each root twice
    for (int n = 0; n < batch_images; ++n) distance[n] = std::sqrt(squared_m2_[n]);
    for (int n = 0; n < batch_images; ++n) delay[n] = distance[n] * frames_per_m_;
    for (int n = 0; n < batch_images; ++n) over_distance[n] = 1.0 / distance[n];
    Impulse impulses[batch_images];
    for (int n = 0; n < batch_images; ++n) impulses[n] = impulse_at(delay[n]);
    float* response = job_.responses;
    for (int b = 0; b < bands_; ++b, response += job_.frames) {
      const double* gains = gains_.data() + b * batch_images;
      for (int n = 0; n < filled_; ++n) {
        add_impulse<V>(kernels, impulses[n], static_cast<float>(gains[n] * over_distance[n]), response);
      }
    }
    filled_ = 0;
  }

 private:
  const OmniJob& job_;
  int bands_;
  double frames_per_m_;
  int filled_ = 0;
  double squared_m2_[batch_images];
  std::vector<double> gains_;  // [band][image]
};

using Axes = std::array<std::array<LatticeAxis, 2>, 3>;  // [axis][flipped]

template <class V>
FORESTAGE_INLINE void add_mirror(const OmniJob& job, const Axes& axes, int mirror, Batch& batch) {
  const LatticeAxis& along_x = axes[0][static_cast<std::size_t>(mirror & 1)];
  const LatticeAxis& along_y = axes[1][static_cast<std::size_t>(mirror >> 1 & 1)];
  const LatticeAxis& along_z = axes[2][static_cast<std::size_t>(mirror >> 2 & 1)];
  std::vector<double> plane_gains(static_cast<std::size_t>(job.room->bands()));
  const double reach = job.options->image_s * speed_of_sound_m_s;
  LatticeLines lines(along_x, along_y, along_z, reach, job.options->max_order, *job.cancel);
  while (lines.next()) {
    const double* x_gains = along_x.gains(lines.x());
    const double* y_gains = along_y.gains(lines.y());
    for (std::size_t b = 0; b < plane_gains.size(); ++b) plane_gains[b] = x_gains[b] * y_gains[b];
    batch.add<V>(lines.plane_m2(), plane_gains.data(), along_z, lines.z());
  }
}

template <class V>
FORESTAGE_INLINE void lattice_body(const OmniJob& job) {
  const double reach = job.options->image_s * speed_of_sound_m_s;
  const auto both = [&](int axis) {
    return std::array{LatticeAxis(*job.room, axis, false, reach), LatticeAxis(*job.room, axis, true, reach)};
  };
  const Axes axes{both(0), both(1), both(2)};
  Batch batch(job);
  for (int mirror = 0; mirror < mirrors; ++mirror) {
    if ((job.mirrors_wanted >> mirror & 1U) != 0) add_mirror<V>(job, axes, mirror, batch);
  }
  batch.flush<V>();
}

/// Images that do not stand on the lattice alone.
template <class V>
FORESTAGE_INLINE void images_body(const OmniJob& job) {
  const float* kernels = fractional_kernels();
  for (int mirror = 0; mirror < mirrors; ++mirror) {
    if ((job.mirrors_wanted >> mirror & 1U) == 0) continue;
    const Images images = find_images(*job.room, *job.options, mirror, *job.cancel);
    for (std::size_t image = 0; image < images.count(); ++image) {
      const Impulse impulse = impulse_at(images.frame[image] + images.fraction[image]);
      const float* gains = images.gains_of(image);
      for (int b = 0; b < images.bands; ++b) {
        add_impulse<V>(kernels, impulse, gains[b], job.responses + b * job.frames);
      }
    }
  }
}

struct Kernels {
  void (*lattice)(const OmniJob&);
  void (*images)(const OmniJob&);
};

// One copy of every loop per instruction set: the bodies above are inlined into functions with that target.
#define FORESTAGE_KERNELS(set, V, target)                           \
  namespace set {                                                   \
  target void lattice(const OmniJob& job) { lattice_body<V>(job); } \
  target void images(const OmniJob& job) { images_body<V>(job); }   \
  constexpr Kernels table{lattice, images};                         \
  }

FORESTAGE_KERNELS(baseline, simd::Baseline, )
FORESTAGE_KERNELS(avx2, simd::Wide, FORESTAGE_AVX2)
#undef FORESTAGE_KERNELS

}  // namespace

void omni(Shoebox room, std::span<const Vector> receivers_m, const ImageOptions& options, unsigned mirrors_wanted,
          long first, long frames, float* responses, const CancelFlag& cancel) {
  const double latest_s =
      std::max(options.image_s, options.response_s) + std::sqrt(3.0) * options.jitter_m / speed_of_sound_m_s;
  const long needed = frames_for(static_cast<int>(std::ceil(latest_s * options.sample_rate)));
  const bool is_lattice = room.diffuse.empty() && options.response_s <= options.image_s && options.jitter_m == 0.0;
  const Kernels& kernels = simd::best(baseline::table, avx2::table);
  const long bands = room.bands();
  // Images are laid into memory that stays in the cache, and what is wanted is copied.
  const long laid_frames = std::max(needed, first + frames);
  AlignedVector<float> laid(static_cast<std::size_t>(bands * laid_frames));
  const OmniJob job{&room, &options, mirrors_wanted, laid.data(), laid_frames, &cancel};
  for (const Vector& receiver_m : receivers_m) {
    room.receiver_m = receiver_m;
    std::ranges::fill(laid, 0.0f);
    is_lattice ? kernels.lattice(job) : kernels.images(job);
    for (long b = 0; b < bands; ++b, responses += frames) {
      std::copy_n(laid.data() + b * laid_frames + first, frames, responses);
    }
  }
}

}  // namespace forestage::room
