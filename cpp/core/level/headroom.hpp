// How large a driver feed can become.
#pragma once

#include "param_store.hpp"
#include "preset.hpp"

namespace forestage {

/// Bounds of |feed| over all drivers, for any input within +-1, before the loudness gain.
struct Peaks {
  float plain = 1.0f;
  float designed = 1.0f;
  bool operator==(const Peaks&) const = default;
};

/// The most that the gain for programme takes; the limiter takes the rest.
inline constexpr float most_programme_headroom_db = 6.0f;

/// What decides about the static gain of a preset, or of two that are compared.
struct Levels {
  Peaks peaks;               // of the feeds; `designed` after the loudness gain where two are compared
  float headroom_db = 0.0f;  // for programme
  bool operator==(const Levels&) const = default;
};

/// At the preset's own settings. Peaks: the L1 norm of the impulse responses, over everything a broadband upmix can
/// steer to (C = 0, C = L, C = R and what lies between, by convexity). Headroom: the gain in dB, 0 or less, that keeps
/// loud music within full scale in all monitors but for short moments: what the preset says, or what its filters let
/// expect.  [main]
Levels find_levels(const Preset& preset, const FilterSet& filters);

struct StaticGains {
  float speakers = 1.0f;
  float ears = 1.0f;
};

/// With `level_match` what is compared has one gain: `common`, from both slots.  [any]
StaticGains static_gains(const ParamStore& store, const Levels& own, const Levels& common) noexcept;

/// That of bypass, which plays no filters: it follows the others only where levels are to match.  [any]
float bypass_gain(const ParamStore& store, const Levels& common) noexcept;

}  // namespace forestage
