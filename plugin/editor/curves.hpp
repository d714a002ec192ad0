// The lines of the window's charts: what a preset does with the knobs as they are, from the core's evaluator.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "param_store.hpp"
#include "preset.hpp"
#include "response.hpp"

namespace forestage::plugin {

enum class LineKind { design, heard, plain, target, reference, driver };

struct Line {
  std::string name;
  LineKind kind;
  std::vector<double> frequency_hz;
  std::vector<double> values;  // dB
};

/// Level of the centre around the device, over that straight ahead.
struct BeamPicture {
  std::vector<float> azimuth_deg;  // rising; positive to the left
  std::vector<float> frequency_hz;
  std::vector<std::vector<double>> level_db;  // [azimuth][frequency]
  bool is_empty() const noexcept { return level_db.empty(); }
};

/// Of one preset; made once, then asked as often as knobs move.
class PresetCurves {
 public:
  explicit PresetCurves(std::shared_ptr<const Preset> preset);

  const std::shared_ptr<const Preset>& preset() const noexcept { return preset_; }

  /// Near over far ear, of the channel that has less of it: plain, cancelled, heard as the pair, wanted.
  std::vector<Line> separation(const ParamStore& knobs) const;
  /// What a sound on the left has at its ear, and one in the middle, as loud as the monitors play them.
  std::vector<Line> colour(const ParamStore& knobs) const;
  /// Front over sides of the centre as it was designed: the beam, and the drivers without it.
  std::vector<Line> beam() const;
  /// Where the centre goes with the knobs as they are; empty when the preset does not tell.
  BeamPicture beam_picture(const ParamStore& knobs) const;
  /// What each driver gets of a sound on the left.
  std::vector<Line> drivers(const ParamStore& knobs) const;

 private:
  FeedResponses feeds(const ParamStore& knobs, Param changed, float value) const;
  std::vector<double> separation_of(const FeedResponses& feeds) const;
  Line line(const char* name, LineKind kind, std::vector<double> values) const;
  Line analysis_line(const char* curve, const char* name, LineKind kind) const;

  std::shared_ptr<const Preset> preset_;
  std::vector<double> frequency_hz_;
  ChainResponse chain_;
  EarsResponse ears_;
  struct Around {
    ChainResponse chain;
    RadiatedResponse device;
  };
  std::optional<Around> around_;  // where the preset says what goes there
};

}  // namespace forestage::plugin
