#include "fir_partitions.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "shared_by_content.hpp"

namespace forestage {
namespace {

constexpr int cell = fir_kernels::cell;

}  // namespace

std::vector<FirPath> cut(std::span<const FirPath> paths, int begin, int end) {
  std::vector<FirPath> result;
  for (const FirPath& path : paths) {
    const auto last = std::min(path.taps.size(), count_of(end));
    const auto first = count_of(begin);
    if (first < last) result.push_back({path.input, path.output, path.taps.subspan(first, last - first)});
  }
  return result;
}

int longest(std::span<const FirPath> paths) noexcept {
  std::size_t taps = 0;
  for (const FirPath& path : paths) taps = std::max(taps, path.taps.size());
  return static_cast<int>(taps);
}

PartitionTransform::Constants::Constants(int frames) : fft(frames), w_re(count_of(frames)), w_im(count_of(frames)) {
  for (int n = 0; n < frames; ++n) {
    const double angle = -std::numbers::pi * n / (2.0 * frames);
    w_re[static_cast<std::size_t>(n)] = static_cast<float>(std::cos(angle));
    w_im[static_cast<std::size_t>(n)] = static_cast<float>(std::sin(angle));
  }
}

std::shared_ptr<const PartitionTransform::Constants> PartitionTransform::constants(int frames) {
  static SharedByContent<Constants> all;
  return all.get(static_cast<std::uint64_t>(frames), [&] { return Constants(frames); });
}

PartitionTransform::PartitionTransform(int partition_frames)
    : frames_(partition_frames), constants_(constants(partition_frames)), folded_(count_of(frames_)) {}

void PartitionTransform::forward(const float* earlier, const float* later, float* bins) noexcept {
  loops_->fold(earlier, later, constants_->w_re.data(), constants_->w_im.data(),
               reinterpret_cast<float*>(folded_.data()), frames_);
  constants_->fft.forward(folded_.data(), reinterpret_cast<std::complex<float>*>(bins));
}

void PartitionTransform::backward(const std::complex<float>* product, float* to) noexcept {
  constants_->fft.backward(product, folded_.data());
  loops_->unfold(reinterpret_cast<const float*>(folded_.data()), constants_->w_re.data(), constants_->w_im.data(), to,
                 frames_);
}

AlignedVector<float>& FirMemory::piece(std::size_t floats) {
  if (next_ == pieces_.size()) pieces_.push_back(std::make_unique<AlignedVector<float>>());
  AlignedVector<float>& piece = *pieces_[next_++];
  if (piece.size() < floats) piece.resize(floats);
  return piece;
}

FirPartitions::FirPartitions(int inputs, int outputs, std::span<const FirPath> paths, PartitionTransform& transform,
                             FirMemory& memory)
    : transform_(&transform),
      inputs_(inputs),
      outputs_(outputs),
      partitions_((longest(paths) + frames() - 1) / frames()),
      filters_(shared_filters(paths)),
      spectra_(&memory.piece(count_of(2 * frames(), partitions_, inputs))),
      products_(&memory.piece(count_of(2 * frames(), std::max(inputs, outputs)))) {}

std::shared_ptr<const AlignedVector<float>> FirPartitions::shared_filters(std::span<const FirPath> paths) const {
  static SharedByContent<AlignedVector<float>> all;
  ContentHash hash;
  hash.add(frames()).add(inputs_).add(outputs_);
  for (const FirPath& path : paths) hash.add(path.input).add(path.output).add(path.taps);
  return all.get(hash.value(), [&] { return design(paths); });
}

AlignedVector<float> FirPartitions::design(std::span<const FirPath> paths) const {
  AlignedVector<float> filters(count_of(2 * frames(), partitions_, inputs_ * outputs_));
  const int size = frames();
  const long chunk = static_cast<long>(partitions_) * inputs_ * outputs_ * cell;
  AlignedVector<float> padded(count_of(2 * size));
  AlignedVector<float> bins(padded.size());
  AlignedVector<float> cells(padded.size());
  for (const FirPath& path : paths) {
    for (int p = 0; p < partitions_; ++p) {
      const auto begin = std::min(count_of(p, size), path.taps.size());
      const auto part = path.taps.subspan(begin, std::min(count_of(size), path.taps.size() - begin));
      std::fill(padded.begin(), padded.end(), 0.0f);
      std::transform(part.begin(), part.end(), padded.begin(),
                     [&](float tap) { return tap / static_cast<float>(size); });
      transform_->forward(padded.data(), padded.data() + size, bins.data());
      transform_->loops().pack(bins.data(), cells.data(), cell, size);
      float* to = filters.data() + ((static_cast<long>(p) * inputs_ + path.input) * outputs_ + path.output) * cell;
      for (int n = 0; n < 2 * size; ++n) to[n / cell * chunk + n % cell] += cells[static_cast<std::size_t>(n)];
    }
  }
  return filters;
}

void FirPartitions::transform(int input, const float* previous, const float* current) noexcept {
  transform_->forward(previous, current, products_->data() + 2L * input * frames());
}

void FirPartitions::store(int first_bin, int last_bin) noexcept {
  const long chunk = static_cast<long>(partitions_) * inputs_ * cell;
  float* cells = spectra_->data() + static_cast<long>(slot_) * inputs_ * cell;
  cells += first_bin / fir_kernels::chunk_bins * chunk;
  for (int i = 0; i < active_inputs_; ++i) {
    const float* bins = products_->data() + 2L * (static_cast<long>(i) * frames() + first_bin);
    transform_->loops().pack(bins, cells + static_cast<long>(i) * cell, chunk, last_bin - first_bin);
  }
}

void FirPartitions::multiply(const Part& part, const Products* start, Products& products) noexcept {
  transform_->loops().multiply({.inputs = spectra_->data(),
                                .filters = filters_->data(),
                                .start = start != nullptr ? start->data() : nullptr,
                                .products = products.data(),
                                .partition_frames = frames(),
                                .first_bin = part.first_bin,
                                .last_bin = part.last_bin,
                                .partitions = partitions_,
                                .slot = slot_,
                                .first = part.first,
                                .last = std::min(part.last, heard_),
                                .input_count = inputs_,
                                .active_inputs = active_inputs_,
                                .output_count = outputs_});
}

void FirPartitions::multiply(int first_bin, int last_bin) noexcept {
  multiply({0, partitions_, first_bin, last_bin}, nullptr, *products_);
}

void FirPartitions::multiply_past(Products& past) noexcept { multiply({1, partitions_, 0, frames()}, nullptr, past); }

void FirPartitions::multiply_newest(const Products& past) noexcept { multiply({0, 1, 0, frames()}, &past, *products_); }

void FirPartitions::take(const Products& products, int output, float* to) noexcept {
  const float* product = products.data() + 2L * output * frames();
  transform_->backward(reinterpret_cast<const std::complex<float>*>(product), to);
}

void FirPartitions::advance() noexcept {
  slot_ = slot_ == 0 ? partitions_ - 1 : slot_ - 1;
  heard_ = std::min(heard_ + 1, partitions_);
}

void FirPartitions::reset() noexcept {
  slot_ = 0;
  heard_ = 1;
}

}  // namespace forestage
