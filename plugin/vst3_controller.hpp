// The VST3 edit controller as hosts see it: JUCE's, behind one that keeps every value to what the plugin holds.
//
//     host ──▶ Vst3Controller ──▶ JUCE's controller ──▶ Processor
//
// JUCE's controller keeps whatever a host writes, also between two steps, NaN, or while the host plays, and it hears of
// a new program only from its message loop. Here a stepped value is snapped when it is written, NaN changes nothing,
// and what the plugin decides (the program of the active slot, the status) is asked of the plugin whenever a host reads
// it. A host that wrote another value than the one held is told, in the same call: hosts made with JUCE never read
// back.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <optional>

JUCE_BEGIN_IGNORE_WARNINGS_GCC_LIKE("-Wshadow")
#include <pluginterfaces/vst/ivsteditcontroller.h>
JUCE_END_IGNORE_WARNINGS_GCC_LIKE

namespace forestage::plugin {

/// What the controller asks the plugin; `Vst3Host::queryIEditController` hands it out.  [main]
class Vst3Values {
 public:
  static constexpr Steinberg::TUID iid = INLINE_UID(0x466f7265, 0x73746167, 0x65566c73, 0x00000001);

  virtual ~Vst3Values() = default;
  /// The normalised value where the plugin decides it and not the host: of the program and of the status.
  virtual std::optional<float> decided(Steinberg::Vst::ParamID id) = 0;
  /// The host knows the program that is now current.
  virtual void note_program_shown() = 0;
  /// Whom to tell; null when the controller ends, and the host's handler with it.
  virtual void follow_handler(Steinberg::FUnknown* handler) = 0;
};

inline constexpr Steinberg::Vst::ParamID vst3_program_id = 0x70727374;  // "prst", as JUCE's VST3 client has it

}  // namespace forestage::plugin
