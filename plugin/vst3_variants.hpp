// VST3 plugins of their own for fixed numbers of outputs, for hosts that keep the arrangement that a plugin begins
// with. They are in a bundle of their own ("Forestage Drivers.vst3"), whose library asks this one for
// `forestage_variants`: some hosts (pedalboard) open only files with one plugin.
#pragma once

namespace forestage::plugin {

/// Outputs of the processors that are now made on this thread; the host may choose while it is 0.
inline thread_local int fixed_outputs = 0;

}  // namespace forestage::plugin
