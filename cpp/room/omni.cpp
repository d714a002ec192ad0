#include "room/omni.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "fractional_kernel.hpp"
#include "physics.hpp"
#include "room/lattice_axis.hpp"
#include "room/room_kernels.hpp"
#include "simd.hpp"

namespace forestage::room {
namespace {

constexpr int line_images = 16;

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

/// Some images of one line of the lattice, along z.
struct Line {
  double delay[line_images];
  double over_distance[line_images];
  int start[line_images], phase[line_images];
  float mix[line_images];

  FORESTAGE_INLINE void read(double plane_m2, double first_m, double spacing_m, double frames_per_m) {
    for (int n = 0; n < line_images; ++n) {
      const double z = first_m + n * spacing_m;
      const double distance = std::sqrt(plane_m2 + z * z);
      delay[n] = distance * frames_per_m;
      over_distance[n] = 1.0 / distance;
    }
    for (int n = 0; n < line_images; ++n) {
      const Impulse impulse = impulse_at(delay[n]);
      start[n] = impulse.start;
      phase[n] = impulse.phase;
      mix[n] = impulse.mix;
    }
  }
  Impulse impulse(int n) const { return {start[n], phase[n], mix[n]}; }
};

using Axes = std::array<std::array<LatticeAxis, 2>, 3>;  // [axis][flipped]

template <class V>
FORESTAGE_INLINE void add_mirror(const OmniJob& job, const Axes& axes, int mirror) {
  const float* kernels = fractional_kernels();
  const int bands = job.room->bands();
  const double reach = job.options->image_s * speed_of_sound_m_s;
  const double frames_per_m = job.options->sample_rate / speed_of_sound_m_s;
  const int most = job.options->max_order;
  const LatticeAxis& along_x = axes[0][static_cast<std::size_t>(mirror & 1)];
  const LatticeAxis& along_y = axes[1][static_cast<std::size_t>(mirror >> 1 & 1)];
  const LatticeAxis& along_z = axes[2][static_cast<std::size_t>(mirror >> 2 & 1)];
  std::vector<double> plane_gains(static_cast<std::size_t>(bands));
  Line line;
  for (long i = along_x.cell_above(-reach); i < along_x.cell_above(reach); ++i) {
    stop_if(*job.cancel);
    if (most >= 0 && along_x.hits(i) > most) continue;
    const double x = along_x.position_m(i);
    const double in_plane = std::sqrt(std::max(reach * reach - x * x, 0.0));
    for (long j = along_y.cell_above(-in_plane); j < along_y.cell_above(in_plane); ++j) {
      const long hits = along_x.hits(i) + along_y.hits(j);
      if (most >= 0 && hits > most) continue;
      const double y = along_y.position_m(j);
      const double in_line = std::sqrt(std::max(in_plane * in_plane - y * y, 0.0));
      long begin = along_z.cell_above(-in_line), end = along_z.cell_above(in_line);
      if (most >= 0) {
        while (begin < end && hits + along_z.hits(begin) > most) ++begin;
        while (begin < end && hits + along_z.hits(end - 1) > most) --end;
      }
      for (std::size_t b = 0; b < plane_gains.size(); ++b) plane_gains[b] = along_x.gains(i)[b] * along_y.gains(j)[b];
      for (long first = begin; first < end; first += line_images) {
        const int count = static_cast<int>(std::min<long>(line_images, end - first));
        line.read(x * x + y * y, along_z.position_m(first), along_z.spacing_m(), frames_per_m);
        float* response = job.responses;
        for (int b = 0; b < bands; ++b, response += job.frames) {
          const double plane_gain = plane_gains[static_cast<std::size_t>(b)];
          const double* z_gain = along_z.gains(first) + b;
          for (int n = 0; n < count; ++n, z_gain += bands) {
            const double gain = plane_gain * *z_gain * line.over_distance[n];
            add_impulse<V>(kernels, line.impulse(n), static_cast<float>(gain), response);
          }
        }
      }
    }
  }
}

template <class V>
FORESTAGE_INLINE void lattice_body(const OmniJob& job) {
  const double reach = job.options->image_s * speed_of_sound_m_s;
  const auto both = [&](int axis) {
    return std::array{LatticeAxis(*job.room, axis, false, reach), LatticeAxis(*job.room, axis, true, reach)};
  };
  const Axes axes{both(0), both(1), both(2)};
  for (int mirror = 0; mirror < mirrors; ++mirror) {
    if ((job.mirrors_wanted >> mirror & 1U) != 0) add_mirror<V>(job, axes, mirror);
  }
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

void add_omni(const Shoebox& room, const ImageOptions& options, unsigned mirrors_wanted, float* responses, long frames,
              const CancelFlag& cancel) {
  const double latest_s =
      std::max(options.image_s, options.response_s) + std::sqrt(3.0) * options.jitter_m / speed_of_sound_m_s;
  const long needed = frames_for(static_cast<int>(std::ceil(latest_s * options.sample_rate)));
  if (needed > frames) {
    throw std::invalid_argument("frames = " + std::to_string(frames) + ": must be at least " + std::to_string(needed));
  }
  const OmniJob job{&room, &options, mirrors_wanted, responses, frames, &cancel};
  const bool is_lattice = room.diffuse.empty() && options.response_s <= options.image_s && options.jitter_m == 0.0;
  const Kernels& kernels = simd::best(baseline::table, avx2::table);
  is_lattice ? kernels.lattice(job) : kernels.images(job);
}

}  // namespace forestage::room
