// The smooth values inside a graph. A row is all there is to say about one: its name, and the target it follows.
#pragma once

#include <array>
#include <vector>

#include "decibels.hpp"
#include "param_store.hpp"
#include "params.hpp"
#include "programme_match.hpp"
#include "ramp.hpp"

namespace forestage {

/// What targets are made of.
struct ControlInputs {
  const ParamStore& params;
  bool is_bypassed;           // by plain stereo on the device: no trims, no solo, nothing designed
  float processed_gain;       // Loudness::processed_db of the free field, as a gain
  float room_processed_gain;  // and of the room
  std::array<float, monitor_count> monitor_gains;
};

class Controls {
 public:
  using Target = float (*)(const ControlInputs&) noexcept;

  class Control : public Ramp {
   public:
    Control(Controls& all, Target target) : Ramp(all.sample_rate_, all.max_block_frames_), target_(target) {
      all.rows_.push_back(this);
    }

   private:
    friend class Controls;
    Target target_;
  };

  Controls(double sample_rate, int max_block_frames) : sample_rate_(sample_rate), max_block_frames_(max_block_frames) {}
  Controls(const Controls&) = delete;
  Controls& operator=(const Controls&) = delete;

  void snap(const ControlInputs& inputs) noexcept {
    for (Control* row : rows_) row->Ramp::snap(row->target_(inputs));
  }
  void glide(const ControlInputs& inputs) noexcept {
    for (Control* row : rows_) row->glide_to(row->target_(inputs));
  }

 private:
  double sample_rate_;
  int max_block_frames_;
  std::vector<Control*> rows_;

  template <Param id>
  static float value(const ControlInputs& in) noexcept {
    return in.params.get(id);
  }
  template <Param id>
  static float fraction(const ControlInputs& in) noexcept {
    return in.params.fraction(id);
  }
  template <Param id>
  static float gain(const ControlInputs& in) noexcept {
    return from_db(in.params.get(id));
  }
  template <Param id>
  static float trim(const ControlInputs& in) noexcept {
    return in.is_bypassed ? 1.0f : gain<id>(in);
  }
  template <Solo path>
  static float heard(const ControlInputs& in) noexcept {
    const auto solo = in.is_bypassed ? Solo::off : in.params.choice<Solo>(Param::solo);
    return solo == Solo::off || solo == path ? 1.0f : 0.0f;
  }
  template <float ControlInputs::*gain>
  static float matched(const ControlInputs& in) noexcept {
    return in.params.is_on(Param::level_match) ? in.*gain : 1.0f;
  }
  template <Monitor monitor>
  static float heard_by(const ControlInputs& in) noexcept {
    return in.monitor_gains[static_cast<std::size_t>(monitor)];
  }
  static float designed(const ControlInputs& in) noexcept {
    return in.is_bypassed ? 0.0f : fraction<Param::amount>(in);
  }

 public:
  Control input_gain{*this, trim<Param::input_trim_db>};
  Control solo_left{*this, heard<Solo::left>};
  Control solo_right{*this, heard<Solo::right>};
  Control solo_center{*this, heard<Solo::center>};
  Control stage_width_deg{*this, value<Param::stage_width_deg>};
  Control stage_crosstalk{*this, fraction<Param::stage_crosstalk>};
  Control cancellation{*this, fraction<Param::cancellation>};
  Control center_focus{*this, fraction<Param::center_focus>};
  Control center_presence{*this, fraction<Param::center_presence>};
  Control center_gain{*this, gain<Param::center_level_db>};
  Control processed_gain{*this, matched<&ControlInputs::processed_gain>};
  Control room_gain{*this, matched<&ControlInputs::room_processed_gain>};
  Control amount{*this, designed};
  std::array<Control, monitor_count> monitor_gains{
      Control{*this, heard_by<Monitor::speakers>}, Control{*this, heard_by<Monitor::headphones>},
      Control{*this, heard_by<Monitor::headphones_plain>}, Control{*this, heard_by<Monitor::headphones_reference>}};
  Control output_gain{*this, trim<Param::output_trim_db>};
};

}  // namespace forestage
