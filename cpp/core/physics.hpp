// Constants that the core and the design share; Python takes them from here.
#pragma once

namespace forestage {

inline constexpr double speed_of_sound_m_s = 343.0;
inline constexpr double head_radius_m = 0.0875;  // of the usual rigid sphere

}  // namespace forestage
