#include "room/image_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <type_traits>
#include <utility>

#include "physics.hpp"
#include "room/lattice_axis.hpp"
#include "room/lattice_lines.hpp"

namespace forestage::room {
namespace {

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): a hash of a counter.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Uniform in 0 <= x < 1.
  double uniform() noexcept { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double within(double limit) noexcept { return limit * (2.0 * uniform() - 1.0); }

 private:
  std::uint64_t state_;
};

class Finder {
 public:
  Finder(const Shoebox& room, const ImageOptions& options, int mirror, const CancelFlag& cancel)
      : room_(room),
        options_(options),
        cancel_(cancel),
        mirror_(mirror),
        volume_m3_(room.dimensions_m[0] * room.dimensions_m[1] * room.dimensions_m[2]),
        axes_{axis(room, 0), axis(room, 1), axis(room, 2)},
        gains_(static_cast<std::size_t>(room.bands())) {
    found_.bands = room.bands();
  }

  void add_lattice() {
    const double reach = options_.image_s * speed_of_sound_m_s;
    LatticeLines lines(axes_[0], axes_[1], axes_[2], reach, options_.max_order, cancel_);
    while (lines.next()) {
      const Cells line = lines.z();
      for (long z = line.begin; z < line.end; ++z) add_image({lines.x(), lines.y(), z});
    }
  }

  /// Statistical images, one in each interval of a clock, at the density that the model has at `image_s`.
  void add_tail() {
    const double start = options_.image_s;
    const double reach = start * speed_of_sound_m_s;
    const double per_second = per_second_at(reach);
    const double end = options_.response_s;
    const auto count = static_cast<std::uint64_t>((end + 2.0 * margin_s() - start) * per_second);
    Random random(options_.seed * mirrors + static_cast<std::uint64_t>(mirror_));
    for (std::uint64_t n = 0; n < count; ++n) {
      if (n % 4096 == 0) stop_if(cancel_);
      const double time = start - margin_s() + (static_cast<double>(n) + random.uniform()) / per_second;
      const Vector direction = anywhere(random);
      // As many images as stand at this distance would add up in power.
      const double gain = (random.bits() & 1 ? 1.0 : -1.0) / reach;
      const double distance = speed_of_sound_m_s * time + shift_m(direction);
      if (distance < reach || distance >= end * speed_of_sound_m_s) continue;
      std::array<long, 3> cell{};
      for (std::size_t a = 0; a < 3; ++a) cell[a] = axes_[a].nearest(direction[a] * distance);
      reflect(gain, cell);
      scatter(gain, distance);
      add(direction, distance);
    }
  }

  /// The diffuse field before the tail: statistical images as dense as the lattice, or denser.
  void add_diffuse() {
    const double nearest = first_reflection_m();
    const double reach = options_.image_s * speed_of_sound_m_s;
    Random random(~(options_.seed * mirrors + static_cast<std::uint64_t>(mirror_)));
    std::uint64_t n = 0;
    for (double time = -margin_s(); time < options_.image_s + margin_s(); ++n) {
      if (n % 4096 == 0) stop_if(cancel_);
      const double per_second =
          std::max(per_second_at(std::max(time, 0.0) * speed_of_sound_m_s), least_per_second / mirrors);
      const double at = time + random.uniform() / per_second;
      time += 1.0 / per_second;
      const Vector direction = anywhere(random);
      const double gain = (random.bits() & 1 ? 1.0 : -1.0) * std::sqrt(per_second_at(1.0) / per_second);
      const double distance = speed_of_sound_m_s * at + shift_m(direction);
      if (distance < nearest || distance >= reach) continue;
      std::ranges::fill(gains_, 0.0);
      scatter(gain, distance);
      add(direction, distance);
    }
  }

  Images sorted() {
    const auto order = by_frame();
    const auto gather = [&](auto& values) {
      stop_if(cancel_);
      const std::size_t each = order.empty() ? 0 : values.size() / order.size();
      std::remove_reference_t<decltype(values)> result;
      result.reserve(values.size());
      for (const std::size_t image : order) {
        const auto* from = values.data() + image * each;
        result.insert(result.end(), from, from + each);
      }
      values = std::move(result);
    };
    gather(found_.x);
    gather(found_.y);
    gather(found_.z);
    gather(found_.frame);
    gather(found_.fraction);
    gather(found_.gains);
    return std::move(found_);
  }

 private:
  LatticeAxis axis(const Shoebox& room, int n) const {
    return {room, n, (mirror_ >> n & 1) != 0, std::max(options_.image_s, options_.response_s) * speed_of_sound_m_s};
  }

  /// Images in the order of their frames, by counting: millions at once, and few steps to wait for when cancelled.
  std::vector<std::size_t> by_frame() const {
    std::vector<std::size_t> order(found_.count());
    if (order.empty()) return order;
    std::vector<std::size_t> place(static_cast<std::size_t>(std::ranges::max(found_.frame)) + 2);
    for (const int frame : found_.frame) ++place[static_cast<std::size_t>(frame) + 1];
    std::partial_sum(place.begin(), place.end(), place.begin());
    stop_if(cancel_);
    for (std::size_t image = 0; image < order.size(); ++image) {
      order[place[static_cast<std::size_t>(found_.frame[image])]++] = image;
    }
    return order;
  }

  /// Images of this mirror that arrive in a second from a distance.
  double per_second_at(double distance_m) const {
    return 4.0 * std::numbers::pi * speed_of_sound_m_s * distance_m * distance_m / volume_m3_ / mirrors;
  }

  static Vector anywhere(Random& random) {
    const double z = random.within(1.0);
    const double turn = random.within(std::numbers::pi);
    const double ring = std::sqrt(1.0 - z * z);
    return {ring * std::cos(turn), ring * std::sin(turn), z};
  }

  /// Statistical images are drawn for a source and a receiver in the middle of the room. From elsewhere the same images
  /// come sooner or later, as those of the lattice do: so that sources apart sound apart, and ears in two places too.
  double shift_m(const Vector& direction) const {
    double shift = 0.0;
    for (std::size_t a = 0; a < 3; ++a) {
      const double middle = 0.5 * room_.dimensions_m[a];
      const double source = room_.source_m[a] - middle;
      shift += direction[a] * ((mirror_ >> a & 1) != 0 ? -source : source);
      shift -= direction[a] * (room_.receiver_m[a] - middle);
    }
    return shift;
  }

  /// No shift is longer.
  double margin_s() const {
    const auto& [x, y, z] = room_.dimensions_m;
    return std::hypot(x, y, z) / speed_of_sound_m_s;
  }

  /// How far the first sound has gone that has met a wall.
  double first_reflection_m() const {
    double nearest = std::numeric_limits<double>::infinity();
    for (std::size_t a = 0; a < 3; ++a) {
      for (const double wall : {0.0, room_.dimensions_m[a]}) {
        Vector image = room_.source_m;
        image[a] = 2.0 * wall - image[a];
        const Vector& to = room_.receiver_m;
        nearest = std::min(nearest, std::hypot(image[0] - to[0], image[1] - to[1], image[2] - to[2]));
      }
    }
    return nearest;
  }

  void add_image(const std::array<long, 3>& cell) {
    long hits = 0;
    Vector position{};
    for (std::size_t a = 0; a < 3; ++a) {
      hits += axes_[a].hits(cell[a]);
      position[a] = axes_[a].position_m(cell[a]);
    }
    const double gain = 1.0 / std::hypot(position[0], position[1], position[2]);
    if (hits > 0 && options_.jitter_m > 0.0) {
      Random random(options_.seed);
      for (std::size_t a = 0; a < 3; ++a) {  // the same move for an image whoever asks
        random = Random(random.bits() + static_cast<std::uint64_t>(axes_[a].number(cell[a])));
      }
      for (double& coordinate : position) coordinate += random.within(options_.jitter_m);
    }
    const double distance = std::hypot(position[0], position[1], position[2]);
    reflect(gain, cell);
    add({position[0] / distance, position[1] / distance, position[2] / distance}, distance);
  }

  /// Sets `gains_` to what walls leave of an image.
  void reflect(double gain, const std::array<long, 3>& cell) {
    const double *gx = axes_[0].gains(cell[0]), *gy = axes_[1].gains(cell[1]), *gz = axes_[2].gains(cell[2]);
    for (std::size_t b = 0; b < gains_.size(); ++b) gains_[b] = gain * gx[b] * gy[b] * gz[b];
  }

  /// Adds the power of the diffuse field to `gains_`.
  void scatter(double gain, double distance) {
    if (room_.diffuse.empty()) return;
    const double position = distance / speed_of_sound_m_s / room_.diffuse_step_s;
    for (std::size_t b = 0; b < gains_.size(); ++b) {
      const auto& energy = room_.diffuse[b];
      const std::size_t step = std::min(static_cast<std::size_t>(position), energy.size() - 2);
      const double power = std::lerp(energy[step], energy[step + 1], position - static_cast<double>(step));
      gains_[b] = std::copysign(std::hypot(gains_[b], gain * std::sqrt(std::max(power, 0.0))), gain);
    }
  }

  void add(const Vector& direction, double distance) {
    if (std::ranges::all_of(gains_, [](double gain) { return gain == 0.0; })) return;
    const double delay = distance / speed_of_sound_m_s * options_.sample_rate;
    const double whole = std::floor(delay);
    found_.x.push_back(static_cast<float>(direction[0]));
    found_.y.push_back(static_cast<float>(direction[1]));
    found_.z.push_back(static_cast<float>(direction[2]));
    found_.frame.push_back(static_cast<int>(whole));
    found_.fraction.push_back(delay - whole);
    for (const double gain : gains_) found_.gains.push_back(static_cast<float>(gain));
  }

  const Shoebox& room_;
  const ImageOptions& options_;
  const CancelFlag& cancel_;
  int mirror_;
  double volume_m3_;
  std::array<LatticeAxis, 3> axes_;
  std::vector<double> gains_;  // [band] of the image at hand
  Images found_;
};

}  // namespace

Images find_images(const Shoebox& room, const ImageOptions& options, int mirror, const CancelFlag& cancel) {
  Finder finder(room, options, mirror, cancel);
  finder.add_lattice();
  if (!room.diffuse.empty()) finder.add_diffuse();
  if (options.response_s > options.image_s) finder.add_tail();
  return finder.sorted();
}

}  // namespace forestage::room
