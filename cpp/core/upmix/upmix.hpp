// Stereo -> left, centre, right by short-time spectra; both qualities are this one class with other frame lengths.
//
//     (L + R)/2, (L - R)/2 ─ window ─ FFT ─ averages of powers ─ gain (center_gain.hpp) ─ inverse FFT ─ window ─ + ─ C
//     L' = L - C,  R' = R - C,  all late by latency_frames(): the three always sum back to the input.
//
// The analysis window is long, which tells sources apart, and lopsided: it falls within less than the last part of the
// frame, and only that part is synthesised, so that the latency is short (Mauler & Martin 2007). Their product is a
// squared Hann window, whose copies a hop apart sum to one. In high quality the work on a frame is cut into pieces of
// about the same cost, which are spread over the next hop, so that no block carries it all.
#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <vector>

#include "blocks.hpp"
#include "center_gain.hpp"
#include "fft.hpp"
#include "params.hpp"
#include "upmix_kernels.hpp"

namespace forestage {

/// Frame lengths, in frames at one sample rate.
struct UpmixFrames {
  int hop;
  int analysis;  // a power of two
  int synthesis;
  int spread;  // of the next hop, over which the work on a frame is spread
};

/// Those at 48 kHz times the power of two that is nearest to sample_rate / 48 kHz.  [pure, any thread]
UpmixFrames upmix_frames(double sample_rate, UpmixQuality quality) noexcept;
int latency_frames(const UpmixFrames& frames) noexcept;

class Upmix {
 public:
  Upmix(double sample_rate, UpmixQuality quality, GainRule rule = GainRule::principal_axis);

  /// in = L, R;  out = L', R', C;  `amount` (0..1 per frame) scales what is extracted. out may share lanes 0-1 with in.
  void process(ConstAudioBlock in, const float* amount, AudioBlock out) noexcept;
  void reset() noexcept;
  /// The same in so many calls, from part 0 on; nothing may be played in between.
  static constexpr int reset_parts = 32;
  void reset_part(int part) noexcept;
  int latency_frames() const noexcept { return forestage::latency_frames(frames_); }
  /// A frame that the last sound is the first of still sounds to its end.
  int tail_frames() const noexcept { return latency_frames() + frames_.analysis; }
  /// How long past sound goes on to matter.
  int memory_frames() const noexcept { return memory_frames_; }

 private:
  /// What all upmixes of a quality and length read: factors as upmix_kernels takes them.
  struct Tables {
    Tables(const UpmixFrames& frames, int fall_frames, int parts);

    ComplexFft fft;
    AlignedVector<float> turns, analysis, synthesis;
  };
  static std::shared_ptr<const Tables> shared_tables(const UpmixFrames& frames, int fall_frames, int parts);

  using Spectra = AlignedVector<std::complex<float>>;  // parts of a transform, and room for one more

  enum class Stage { fold, transform_mid, transform_side, estimate, transform_back, unfold };
  /// Of the work on a frame.
  struct Piece {
    Stage stage;
    int first, last;  // [first, last) of a part's frames, of bins or of parts
    int due;          // frames of the next hop after which it is done
  };
  std::vector<Piece> make_pieces() const;

  void touch(int frames) const noexcept;
  void exchange(ConstAudioBlock in, const float* amount, AudioBlock out, int start, int count) noexcept;
  void begin_frame() noexcept;
  void run(const Piece& piece) noexcept;
  void fold(int first, int last) noexcept;
  void transform(Spectra& spectra, int from) const noexcept;
  void estimate(int first_bin, int last_bin) noexcept;
  void unfold(int first, int last) noexcept;
  std::complex<float>* part(Spectra& spectra, int index) const noexcept;
  float* floats(Spectra& spectra, int index) const noexcept;

  UpmixFrames frames_;
  GainRule rule_;
  CenterModel model_;
  float tile_share_;  // of the tile itself in the averages
  int weight_turns_;
  int slow_turns_;
  float average_coefficient_;  // of the averages, per turn
  float fall_coefficient_;     // of gains that fall, per hop
  float leak_coefficient_;     // of what the centre has in common with the side, per slow turn
  float pan_coefficient_;      // of the pans' averages, per slow turn
  int memory_frames_;
  int bins_;
  int heard_bins_;
  const upmix_kernels::Loops* loops_;
  std::shared_ptr<const Tables> tables_;

  std::vector<Piece> pieces_;
  std::size_t piece_;  // the next one
  int ring_frames_;    // a frame, and the hop that comes in while it is worked on
  int position_ = 0;   // in the rings: where the last frame ends, and the hop begins that comes in
  int filled_ = 0;     // frames of it
  int turn_ = 0;
  bool has_frame_ = false;  // of sound since the reset
  bool has_weights_ = false;
  AlignedVector<float> left_, right_;  // rings, twice one after the other: any frame lies in one piece
  AlignedVector<float> center_;        // ring

  Spectra mid_, side_;  // the mid's become the centre's
  AlignedVector<upmix_kernels::KnownBins> known_;
};

}  // namespace forestage
