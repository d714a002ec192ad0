// Peaks and loudness of what goes in and comes out, for meters: the audio thread writes them while somebody looks, a
// window takes them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "blocks.hpp"
#include "loudness_meter.hpp"
#include "peak.hpp"
#include "preset_fields.hpp"

namespace forestage::plugin {

class LevelTap {
 public:
  static constexpr int inputs = 2;
  static constexpr int ears = 2;  // of at least as many outputs
  static constexpr int outputs = static_cast<int>(preset_detail::max_drivers);

  /// From now on, at this sample rate, with nothing measured yet.  [main]
  void watch(double sample_rate) {
    if (meters_.empty() || meters_.back()->sample_rate != sample_rate) {
      meters_.push_back(std::make_unique<Meters>(sample_rate));  // the audio thread may be in the one before
    }
    forget();
    watched_.store(meters_.back().get(), std::memory_order_release);
  }
  /// With nobody looking it costs one load per block.  [main]
  void stop() noexcept { watched_.store(nullptr, std::memory_order_relaxed); }
  /// Loudness begins anew.  [any]
  void forget() noexcept { is_to_forget_.store(true, std::memory_order_relaxed); }
  /// Whether the first two outputs are ears: of driver feeds there is no loudness.  [any]
  void hear_ears(bool are_ears) noexcept { are_ears_.store(are_ears, std::memory_order_relaxed); }

  void read_input(ConstAudioBlock in) noexcept {  // [audio]
    auto* meters = watched_.load(std::memory_order_acquire);
    if (meters == nullptr) return;
    if (is_to_forget_.exchange(false, std::memory_order_relaxed)) {
      meters->input.reset();
      meters->ears.reset();
    }
    const ConstAudioBlock stereo{in.lanes, std::min(in.channels, inputs), in.frames};
    if (stereo.channels == inputs) meters->input.push(stereo);
    read_peaks(stereo, input_);
  }
  void read_output(ConstAudioBlock out) noexcept {  // [audio]
    auto* meters = watched_.load(std::memory_order_acquire);
    if (meters == nullptr) return;
    if (are_ears_.load(std::memory_order_relaxed)) meters->ears.push({out.lanes, ears, out.frames});
    read_peaks(out, output_);
  }

  /// Since somebody looks, or has asked to forget; nothing with nobody looking.  [one thread that looks]
  LoudnessReading input_loudness() const noexcept { return reading(&Meters::input); }
  LoudnessReading ears_loudness() const noexcept { return reading(&Meters::ears); }

  /// Largest sample since the last call.  [one thread that looks]
  float take_input(int channel) noexcept { return take(input_, channel); }
  float take_output(int channel) noexcept { return take(output_, channel); }

 private:
  struct Meters {
    explicit Meters(double rate) : sample_rate(rate), input(inputs, rate), ears(LevelTap::ears, rate) {}
    double sample_rate;
    LoudnessMeter input, ears;
  };

  LoudnessReading reading(LoudnessMeter Meters::*meter) const noexcept {
    const auto* meters = watched_.load(std::memory_order_relaxed);
    return meters != nullptr ? (meters->*meter).reading() : LoudnessReading{};
  }

  template <std::size_t size>
  static float take(std::array<std::atomic<float>, size>& peaks, int channel) noexcept {
    return peaks[static_cast<std::size_t>(channel)].exchange(0.0f, std::memory_order_relaxed);
  }

  template <std::size_t size>
  void read_peaks(ConstAudioBlock block, std::array<std::atomic<float>, size>& peaks) noexcept {
    for (int c = 0; c < std::min(block.channels, static_cast<int>(size)); ++c) {
      const float peak = peak_of({block.lanes + c, 1, block.frames});
      auto& kept = peaks[static_cast<std::size_t>(c)];
      if (peak > kept.load(std::memory_order_relaxed)) kept.store(peak, std::memory_order_relaxed);
    }
  }

  std::vector<std::unique_ptr<Meters>> meters_;
  std::atomic<Meters*> watched_{nullptr};
  std::atomic<bool> is_to_forget_{false};
  std::atomic<bool> are_ears_{true};
  std::array<std::atomic<float>, inputs> input_{};
  std::array<std::atomic<float>, outputs> output_{};
};

}  // namespace forestage::plugin
