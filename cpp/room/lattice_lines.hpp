// A walk over the lines of a mirror's lattice, along z, of images within a distance and an order.
#pragma once

#include "room/cancel.hpp"
#include "room/lattice_axis.hpp"

namespace forestage::room {

class LatticeLines {
 public:
  /// `max_order`: negative for any.
  LatticeLines(const LatticeAxis& along_x, const LatticeAxis& along_y, const LatticeAxis& along_z, double reach_m,
               int max_order, const CancelFlag& cancel)
      : along_x_(along_x),
        along_y_(along_y),
        along_z_(along_z),
        most_hits_(max_order),
        reach_m2_(reach_m * reach_m),
        cancel_(cancel),
        all_x_(cells(along_x, reach_m2_, 0)),
        x_(all_x_.begin - 1) {}

  /// False behind the last one.
  bool next() {
    while (++y_ >= all_y_.end) {
      if (++x_ >= all_x_.end) return false;
      stop_if(cancel_);
      const double position_m = along_x_.position_m(x_);
      x_m2_ = position_m * position_m;
      all_y_ = cells(along_y_, reach_m2_ - x_m2_, along_x_.hits(x_));
      y_ = all_y_.begin - 1;
    }
    const double position_m = along_y_.position_m(y_);
    plane_m2_ = x_m2_ + position_m * position_m;
    return true;
  }

  // Of the line that next() has found
  long x() const { return x_; }
  long y() const { return y_; }
  Cells z() const { return cells(along_z_, reach_m2_ - plane_m2_, along_x_.hits(x_) + along_y_.hits(y_)); }
  /// Its distance from the receiver, squared.
  double plane_m2() const { return plane_m2_; }

 private:
  Cells cells(const LatticeAxis& along, double within_m2, long hits) const {
    return most_hits_ < 0 ? along.cells(within_m2) : along.cells(within_m2, most_hits_ - hits);
  }

  const LatticeAxis& along_x_;
  const LatticeAxis& along_y_;
  const LatticeAxis& along_z_;
  long most_hits_;
  double reach_m2_;
  const CancelFlag& cancel_;
  Cells all_x_;
  Cells all_y_;
  long x_;
  long y_ = 0;
  double x_m2_ = 0.0;
  double plane_m2_ = 0.0;
};

}  // namespace forestage::room
