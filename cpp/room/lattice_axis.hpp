// One axis of the lattice of image sources.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "room/shoebox.hpp"

namespace forestage::room {

/// Neighbours of an axis, from the first one up to the end.
struct Cells {
  long begin = 0;
  long end = 0;
};

/// The images of one mirror along one axis: a lattice with `spacing_m`, and what the walls leave of each.
class LatticeAxis {
 public:
  LatticeAxis(const Shoebox& room, int axis, bool flipped, double reach_m)
      : bands_(static_cast<std::size_t>(room.bands())), flipped_(flipped) {
    const auto n = static_cast<std::size_t>(axis);
    const double source = room.source_m[n];
    spacing_m_ = 2.0 * room.dimensions_m[n];
    start_m_ = (flipped ? spacing_m_ - source : source) - room.receiver_m[n];
    first_ = cell_above(-reach_m);
    last_ = std::max(first_, cell_above(reach_m) - 1);
    const auto most = static_cast<std::size_t>(std::max(hits(first_), hits(last_)) / 2 + 1);
    const auto near = powers(room.reflection[2 * n], most);
    const auto far = powers(room.reflection[2 * n + 1], most);
    for (long cell = first_; cell <= last_; ++cell) {
      const long v = number(cell);
      const double* after_near = near.data() + static_cast<std::size_t>(std::abs(floor_half(1 - v))) * bands_;
      const double* after_far = far.data() + static_cast<std::size_t>(std::abs(floor_half(v + 1))) * bands_;
      for (std::size_t b = 0; b < bands_; ++b) gains_.push_back(after_near[b] * after_far[b]);
    }
  }

  long cell_above(double position_m) const {
    return static_cast<long>(std::ceil((position_m - start_m_) / spacing_m_));
  }
  /// Nearer than the root of `within_m2`; of those that walls have turned back `most_hits` times at most, which asks
  /// for no root.
  Cells cells(double within_m2) const {
    const double within_m = std::sqrt(std::max(within_m2, 0.0));
    return {cell_above(-within_m), cell_above(within_m)};
  }
  Cells cells(double within_m2, long most_hits) const {
    const long flip = flipped_ ? 1 : 0;
    Cells found{std::max(first_, -floor_half(most_hits + flip)), std::min(last_, floor_half(most_hits - flip)) + 1};
    const auto is_far = [&](long cell) { return position_m(cell) * position_m(cell) >= within_m2; };
    while (found.begin < found.end && is_far(found.begin)) ++found.begin;
    while (found.begin < found.end && is_far(found.end - 1)) --found.end;
    return found;
  }
  long nearest(double position_m) const {
    return std::clamp(std::lround((position_m - start_m_) / spacing_m_), first_, last_);
  }
  double position_m(long cell) const { return start_m_ + static_cast<double>(cell) * spacing_m_; }
  double spacing_m() const { return spacing_m_; }
  long number(long cell) const { return 2 * cell + (flipped_ ? 1 : 0); }
  long hits(long cell) const { return std::abs(number(cell)); }
  const double* gains(long cell) const { return gains_.data() + static_cast<std::size_t>(cell - first_) * bands_; }
  long first() const { return first_; }
  long last() const { return last_; }

 private:
  static long floor_half(long v) { return (v - (v & 1)) / 2; }
  /// [hits][band], up to `most` hits of a wall.
  static std::vector<double> powers(const std::vector<double>& wall, std::size_t most) {
    std::vector<double> result;
    for (std::size_t hits = 0; hits <= most; ++hits) {
      for (const double reflection : wall) result.push_back(std::pow(reflection, static_cast<double>(hits)));
    }
    return result;
  }

  std::size_t bands_;
  bool flipped_;
  double spacing_m_ = 0.0;
  double start_m_ = 0.0;
  long first_ = 0;
  long last_ = 0;
  std::vector<double> gains_;  // [cell][band]
};

}  // namespace forestage::room
