#include "driver_matrix.hpp"

namespace forestage {

void route(ConstAudioBlock in, const std::vector<std::vector<float>>& gains, AudioBlock out) noexcept {
  for (int o = 0; o < out.channels; ++o) {
    for (int i = 0; i < in.channels; ++i) {
      const float gain = gains[static_cast<std::size_t>(o)][static_cast<std::size_t>(i)];
      if (gain == 0.0f) continue;
      for (int n = 0; n < in.frames; ++n) out[o][n] += gain * in[i][n];
    }
  }
}

DriverMatrix::DriverMatrix(const DriverMatrixSpec& spec, int max_block_frames)
    : plain_gains_(spec.plain_gains),
      align_(spec.inputs, spec.align_frames, max_block_frames),
      plain_delay_(spec.inputs, spec.plain_delay_frames, max_block_frames),
      aligned_(spec.inputs, max_block_frames),
      plain_in_(spec.inputs, max_block_frames),
      filtered_(spec.drivers, max_block_frames) {
  if (!spec.paths.empty()) {
    filters_ = std::make_unique<FirMatrix>(spec.inputs, spec.drivers, spec.paths);
  }
}

void DriverMatrix::process(ConstAudioBlock in, RampBlock designed, AudioBlock out) noexcept {
  const AudioBlock aligned = aligned_.block(in.frames);
  if (filters_) align_.process(in, aligned);
  if (filters_ && designed.is(1.0f)) {
    plain_delay_.keep(in);  // so that it is there when it is wanted
    return filters_->process(aligned, out);
  }
  const AudioBlock plain_in = plain_in_.block(in.frames);
  plain_delay_.process(in, plain_in);
  clear(out);
  route(plain_in, plain_gains_, out);
  if (!filters_) return;
  const AudioBlock filtered = filtered_.block(in.frames);
  filters_->process(aligned, filtered);
  blend(out, filtered, designed);
}

void DriverMatrix::reset() noexcept {
  align_.reset();
  plain_delay_.reset();
  if (filters_) filters_->reset();
}

int DriverMatrix::tail_frames() const noexcept {
  const int filtered = filters_ ? align_.latency_frames() + filters_->tail_frames() : 0;
  return std::max(plain_delay_.latency_frames(), filtered);
}

}  // namespace forestage
