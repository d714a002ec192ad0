#include "flac.hpp"

#include <FLAC/stream_decoder.h>
#include <FLAC/stream_encoder.h>

#include <algorithm>
#include <memory>
#include <new>

#include "preset.hpp"

namespace forestage::preset_detail {

namespace {

using Bytes = std::vector<std::uint8_t>;

FLAC__StreamEncoderWriteStatus append(const FLAC__StreamEncoder*, const FLAC__byte* bytes, std::size_t count,
                                      std::uint32_t, std::uint32_t, void* to) {
  auto& stream = *static_cast<Bytes*>(to);
  stream.insert(stream.end(), bytes, bytes + count);
  return FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
}

struct Decoding {
  std::span<const std::uint8_t> left;
  std::size_t max_samples;
  std::size_t told_samples = 0;  // by the header
  bool is_right = true;
  std::vector<std::int32_t> samples = {};
};

FLAC__StreamDecoderReadStatus take(const FLAC__StreamDecoder*, FLAC__byte* to, std::size_t* count, void* from) {
  auto& decoding = *static_cast<Decoding*>(from);
  if (!decoding.is_right) return FLAC__STREAM_DECODER_READ_STATUS_ABORT;
  *count = std::min(*count, decoding.left.size());
  std::ranges::copy(decoding.left.first(*count), to);
  decoding.left = decoding.left.subspan(*count);
  return *count > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
}

bool is_ours(std::uint32_t channels, std::uint32_t bits) { return channels == 1 && bits == flac_bits; }

void read_header(const FLAC__StreamDecoder*, const FLAC__StreamMetadata* metadata, void* to) {
  auto& decoding = *static_cast<Decoding*>(to);
  const auto& header = metadata->data.stream_info;  // no other kind is asked for
  decoding.is_right = decoding.is_right && is_ours(header.channels, header.bits_per_sample) &&
                      header.total_samples <= decoding.max_samples;
  decoding.told_samples = static_cast<std::size_t>(header.total_samples);
}

FLAC__StreamDecoderWriteStatus read_frame(const FLAC__StreamDecoder*, const FLAC__Frame* frame,
                                          const FLAC__int32* const* channels, void* to) {
  auto& decoding = *static_cast<Decoding*>(to);
  const std::size_t count = frame->header.blocksize;
  decoding.is_right = decoding.is_right && is_ours(frame->header.channels, frame->header.bits_per_sample) &&
                      decoding.samples.size() + count <= decoding.told_samples;
  if (!decoding.is_right) return FLAC__STREAM_DECODER_WRITE_STATUS_ABORT;
  decoding.samples.insert(decoding.samples.end(), channels[0], channels[0] + count);
  return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}

void note_error(const FLAC__StreamDecoder*, FLAC__StreamDecoderErrorStatus, void* to) {
  static_cast<Decoding*>(to)->is_right = false;
}

}  // namespace

std::vector<std::uint8_t> encode_flac(std::span<const std::int32_t> samples) {
  constexpr int level = 5;          // 8 takes twice the time for a thousandth
  constexpr int predictor = 12;     // of its order, as many as players need to know at 48 kHz
  constexpr std::size_t head = 42;  // "fLaC" and STREAMINFO
  constexpr std::uint8_t last = 0x80;
  Bytes stream;
  stream.reserve(4 * samples.size() + 4096);  // ahead, as nothing may be thrown through libFLAC
  const std::unique_ptr<FLAC__StreamEncoder, void (*)(FLAC__StreamEncoder*)> encoder(FLAC__stream_encoder_new(),
                                                                                     &FLAC__stream_encoder_delete);
  if (!encoder) throw std::bad_alloc();
  FLAC__stream_encoder_set_channels(encoder.get(), 1);
  FLAC__stream_encoder_set_bits_per_sample(encoder.get(), flac_bits);
  FLAC__stream_encoder_set_sample_rate(encoder.get(), 48000);
  FLAC__stream_encoder_set_compression_level(encoder.get(), level);
  FLAC__stream_encoder_set_max_lpc_order(encoder.get(), predictor);
  FLAC__stream_encoder_set_blocksize(encoder.get(), room_block_taps);
  FLAC__stream_encoder_set_total_samples_estimate(encoder.get(), samples.size());
  if (FLAC__stream_encoder_init_stream(encoder.get(), append, nullptr, nullptr, nullptr, &stream) !=
      FLAC__STREAM_ENCODER_INIT_STATUS_OK) {
    throw std::bad_alloc();
  }
  stream.resize(head);  // what would follow names the version of libFLAC
  stream[4] |= last;
  if (!FLAC__stream_encoder_process_interleaved(encoder.get(), samples.data(),
                                                static_cast<std::uint32_t>(samples.size())) ||
      !FLAC__stream_encoder_finish(encoder.get())) {
    throw std::bad_alloc();
  }
  return stream;
}

std::optional<std::vector<std::int32_t>> decode_flac(std::span<const std::uint8_t> bytes, std::size_t max_samples) {
  Decoding decoding{bytes, max_samples};
  decoding.samples.reserve(max_samples);  // ahead, as nothing may be thrown through libFLAC
  const std::unique_ptr<FLAC__StreamDecoder, void (*)(FLAC__StreamDecoder*)> decoder(FLAC__stream_decoder_new(),
                                                                                     &FLAC__stream_decoder_delete);
  if (!decoder ||
      FLAC__stream_decoder_init_stream(decoder.get(), take, nullptr, nullptr, nullptr, nullptr, read_frame, read_header,
                                       note_error, &decoding) != FLAC__STREAM_DECODER_INIT_STATUS_OK) {
    throw std::bad_alloc();
  }
  const bool is_read = FLAC__stream_decoder_process_until_end_of_stream(decoder.get());
  if (!is_read || !decoding.is_right || decoding.samples.empty() || decoding.samples.size() != decoding.told_samples) {
    return std::nullopt;
  }
  return std::move(decoding.samples);
}

}  // namespace forestage::preset_detail
