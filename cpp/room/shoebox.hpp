// A room with six flat walls, a source and a receiver in it.
#pragma once

#include <array>
#include <vector>

namespace forestage::room {

using Vector = std::array<double, 3>;

/// Corner at the origin; the walls are x = 0, x = l, y = 0, y = l, z = 0, z = l. Values are checked by the caller.
struct Shoebox {
  Vector dimensions_m;
  std::array<std::vector<double>, 6> reflection;  // [wall][band], factors of pressure
  std::vector<std::vector<double>> diffuse;  // [band][step], energy over that of a lattice whose walls keep everything
  double diffuse_step_s;
  Vector source_m;
  Vector receiver_m;

  int bands() const noexcept { return static_cast<int>(reflection[0].size()); }
};

}  // namespace forestage::room
