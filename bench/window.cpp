// What the plugin's window costs, the audio thread while it is closed and open, and its own thread, in processor
// time. Prints one JSON object a line.
#include <juce_audio_processors/juce_audio_processors.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "editor.hpp"
#include "layout.hpp"
#include "processor.hpp"
#include "processor_clock.hpp"

namespace {

using namespace forestage;
using namespace forestage::plugin;

constexpr double sample_rate = 48000.0;
constexpr int block_frames = 128;
constexpr int blocks = 375;  // one second
constexpr int looks = 30;    // one second
constexpr int looks_a_second = 30;
constexpr int repeats = 15;

class Player {
 public:
  Player() {
    processor_.setPlayConfigDetails(2, 2, sample_rate, block_frames);
    processor_.prepareToPlay(sample_rate, block_frames);
    std::normal_distribution<float> noise(0.0f, 0.1f);
    for (auto& x : noise_) x = noise(random_);
  }

  plugin::Processor& processor() { return processor_; }

  /// Noise that swells and falls, so that meters move.
  void play() {
    const float gain = 0.1f + 0.9f * static_cast<float>(block_++ % 64) / 64.0f;
    for (int c = 0; c < 2; ++c) {
      for (int n = 0; n < block_frames; ++n)
        buffer_.setSample(c, n, gain * noise_[static_cast<std::size_t>(random_() % noise_.size())]);
    }
    const double start = thread_s();
    processor_.processBlock(buffer_, midi_);
    spent_s_ += thread_s() - start;
  }

  /// What a block does for a window.
  void tap() {
    const AudioBlock io{buffer_.getArrayOfWritePointers(), 2, block_frames};
    processor_.levels().read_input(io);
    processor_.levels().read_output(io);
    processor_.sound().write(io);
  }

  /// Of a second of sound.
  double second_s() {
    spent_s_ = 0.0;
    for (int block = 0; block < blocks; ++block) play();
    return spent_s_;
  }

 private:
  plugin::Processor processor_;
  juce::AudioBuffer<float> buffer_{2, block_frames};
  juce::MidiBuffer midi_;
  std::minstd_rand random_{1};
  std::vector<float> noise_ = std::vector<float>(8191);
  int block_ = 0;
  double spent_s_ = 0.0;
};

/// The window as a host shows it: what is new is drawn, and nothing else.
class Shown {
 public:
  explicit Shown(plugin::Processor& processor) : editor_(processor, processor) {
    editor_.setSize(picture_.getWidth(), picture_.getHeight());
    editor_.setVisible(true);
    auto seen = std::make_unique<Seen>();
    seen_ = seen.get();
    editor_.setCachedComponentImage(seen.release());  // the editor's
    editor_.repaint();
    draw();
  }

  plugin::Window& window() { return editor_.window(); }

  void draw() {
    window().refresh();
    if (seen_->fresh.isEmpty()) return;
    juce::Graphics graphics(picture_);
    graphics.reduceClipRegion(seen_->fresh);
    seen_->fresh.clear();
    editor_.paintEntireComponent(graphics, true);
  }

 private:
  /// Notes what has to be drawn.
  struct Seen final : juce::CachedComponentImage {
    void paint(juce::Graphics&) override {}
    bool invalidateAll() override { return invalidate({layout::width, layout::height}); }
    bool invalidate(const juce::Rectangle<int>& area) override {
      fresh.add(area);
      return false;
    }
    void releaseResources() override {}
    juce::RectangleList<int> fresh;
  };

  juce::Image picture_{juce::Image::RGB, layout::width, layout::height, true};
  plugin::Editor editor_;
  Seen* seen_ = nullptr;
};

void print(const char* name, double percent) { std::printf("{\"name\": \"%s\", \"percent\": %.3f}\n", name, percent); }

/// The fastest of many, as a busy machine only ever adds.
double fastest_s(const std::function<double()>& work_s) {
  double fastest = 1e9;
  for (int repeat = 0; repeat < repeats; ++repeat) fastest = std::min(fastest, work_s());
  return fastest;
}

/// What the audio thread does for a window, of what it does for the sound.
void bench_taps() {
  Player player;
  LevelTap& levels = player.processor().levels();
  SoundTap& sound = player.processor().sound();
  const double chain_s = fastest_s([&] { return player.second_s(); });
  const auto taps_s = [&] {
    const double start = thread_s();
    for (int block = 0; block < blocks; ++block) player.tap();
    return thread_s() - start;
  };
  print("audio thread for a closed window, of its chain", 100.0 * fastest_s(taps_s) / chain_s);
  levels.watch(sample_rate);
  print("audio thread for the meters of an open window, of its chain", 100.0 * fastest_s(taps_s) / chain_s);
  sound.listen(2, 8192);
  print("audio thread for meters and spectrum, of its chain", 100.0 * fastest_s(taps_s) / chain_s);
}

/// Share of a core that the window's thread takes.
double percent_of_core(Player& player, Shown& shown, const std::function<void(int)>& act) {
  const auto drawing_s = [&] {
    double spent_s = 0.0;
    for (int look = 0; look < looks; ++look) {
      for (int block = 0; block < blocks / looks_a_second; ++block) player.play();
      act(look);
      const double start = thread_s();
      shown.draw();
      spent_s += thread_s() - start;
    }
    return spent_s;
  };
  return 100.0 * fastest_s(drawing_s) / looks * looks_a_second;
}

void bench_window() {
  Player player;
  Shown shown(player.processor());
  player.second_s();
  const auto nothing = [](int) {};
  print("window at 100 %, sound playing, of a core", percent_of_core(player, shown, nothing));
  shown.window().curves().show_spectrum(true);
  print("window at 100 %, sound playing, with its spectrum, of a core", percent_of_core(player, shown, nothing));
  shown.window().curves().show_spectrum(false);
  print("window at 100 %, a knob in motion, of a core", percent_of_core(player, shown, [&](int look) {
          shown.window().desk().change(Param::stage_width_deg, static_cast<float>(3 * look));
        }));
}

}  // namespace

int main() {
  const juce::ScopedJuceInitialiser_GUI gui;
  bench_taps();
  bench_window();
  return 0;
}
