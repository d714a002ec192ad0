#include "fir_tail.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace forestage {
namespace {

constexpr int slice_bins = 16;
// Of the period, that the work takes: at its end, all levels begin anew.
constexpr double busy_share = 0.9;
// How the work is dealt out over the quarters of a partition of the engine's first levels, which have work of their own
// in the first and the last; Low Latency at 192 kHz has all of its own in the last.
constexpr std::array quarter_shares{0.25, 0.375, 0.375, 0.0};

/// Frames after which work is done that would take so many if it were spread evenly.
double frames_for(double even_frames, int cycle_frames) {
  const double cycles = std::floor(even_frames / cycle_frames);
  double left = even_frames / cycle_frames - cycles;
  double quarters = 0.0;
  for (const double share : quarter_shares) {
    if (left <= share) return cycle_frames * (cycles + 0.25 * (quarters + left / share));
    left -= share;
    ++quarters;
  }
  return cycle_frames * (cycles + 1.0);
}

}  // namespace

std::vector<int> partition_levels(int first_frames, int taps) {
  std::vector<int> levels{first_frames};
  for (const int next : {512, 2048}) {
    if (next > first_frames && taps > 2 * FirTail::first_tap(next)) levels.push_back(next);
  }
  return levels;
}

FirTail::FirTail(int inputs, int outputs, std::span<const FirPath> paths, PartitionTransform& transform,
                 FirMemory& memory, int cycle_frames)
    : matrix_(inputs, outputs, paths, transform, memory),
      frames_(transform.frames()),
      plan_(plan(cycle_frames)),
      windows_(count_of(3, inputs, frames_)),
      sums_(count_of(2, outputs, frames_)) {}

std::vector<FirTail::Task> FirTail::plan(int cycle_frames) const {
  // Rough costs in ns, of memory that is out of the cache.
  const double transform_cost = 0.13 * frames_ * std::log2(frames_);
  const double slice_cost = 0.4 * slice_bins * matrix_.partitions() * matrix_.inputs() * matrix_.outputs();
  std::vector<Task> tasks;
  for (int i = 0; i < matrix_.inputs(); ++i) tasks.push_back({Work::transform, i, transform_cost});
  for (int bin = 0; bin < frames_; bin += slice_bins) tasks.push_back({Work::multiply, bin, slice_cost});
  for (int o = 0; o < matrix_.outputs(); ++o) tasks.push_back({Work::take, o, transform_cost});
  double whole = 0.0;
  for (const Task& task : tasks) whole += task.cost;
  double done = 0.0;
  for (Task& task : tasks) {
    done += task.cost;
    task.due_frames = static_cast<int>(std::ceil(frames_for(busy_share * frames_ * done / whole, cycle_frames)));
  }
  return tasks;
}

void FirTail::run(const Task& task) noexcept {
  switch (task.work) {
    case Work::transform:
      if (heard_ == 1) std::fill_n(partition(task.first, 0), frames_, 0.0f);
      matrix_.transform(task.first, partition(task.first, 0), partition(task.first, 1));
      break;
    case Work::multiply:
      matrix_.store(task.first, task.first + slice_bins);
      matrix_.multiply(task.first, task.first + slice_bins);
      break;
    case Work::take:
      matrix_.take(task.first, sums_.data() + sums_at(1 - half_, task.first));
      break;
  }
}

void FirTail::read(int input, const float* from, int frames) noexcept {
  std::copy_n(from, frames, partition(input, 2) + position_);
}

void FirTail::add_to(int output, float* to, int frames) const noexcept {
  if (heard_ < 2) return;
  const float* sums = sums_.data() + sums_at(half_, output) + position_;
  std::transform(to, to + frames, sums, to, std::plus<>());
}

void FirTail::advance(int frames) noexcept {
  position_ += frames;
  while (heard_ > 0 && next_task_ < plan_.size() && plan_[next_task_].due_frames <= position_) {
    run(plan_[next_task_++]);
  }
  if (position_ == frames_) next_period();
}

void FirTail::next_period() noexcept {
  first_ = (first_ + 1) % 3;
  if (heard_ > 0) matrix_.advance();
  heard_ = std::min(heard_ + 1, 2);
  half_ = 1 - half_;
  position_ = 0;
  next_task_ = 0;
}

void FirTail::reset() noexcept {
  matrix_.reset();
  heard_ = 0;
  half_ = 0;
  first_ = 0;
  position_ = 0;
  next_task_ = 0;
}

}  // namespace forestage
