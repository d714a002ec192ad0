// Where everything in the window is, at 100 %; other sizes are this, scaled.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace forestage::plugin::layout {

using Area = juce::Rectangle<int>;

inline constexpr int width = 980;
inline constexpr int height = 640;
inline constexpr double least_scale = 0.75;
inline constexpr double most_scale = 2.0;

inline const Area preset_bar{10, 8, 960, 34};
inline const Area stage{10, 50, 300, 306};
inline const Area curves{318, 50, 470, 306};
inline const Area meters{796, 50, 174, 516};
inline const Area monitor_bar{10, 364, 778, 38};
inline const Area knobs{10, 410, 778, 156};
inline const Area headphone_eq{10, 574, 470, 56};
inline const Area status{488, 574, 482, 56};
inline const Area notice{318, 50, 470, 64};  // over the curves, while there is something to say

}  // namespace forestage::plugin::layout
