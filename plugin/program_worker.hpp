// Runs a program change that arrived on the audio thread, where nothing may be built. The newest request wins.
// A thread of our own, because not every host runs a message loop.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace forestage::plugin {

class ProgramWorker {
 public:
  explicit ProgramWorker(std::function<void(int)> load);
  ~ProgramWorker();
  ProgramWorker(const ProgramWorker&) = delete;
  ProgramWorker& operator=(const ProgramWorker&) = delete;

  void request(int program) noexcept;  // [any] one atomic store and a wake-up

 private:
  void run();

  static constexpr int nothing = -1;
  static constexpr int quit = -2;

  std::function<void(int)> load_;
  std::atomic<int> requested_{nothing};
  std::thread thread_;  // last, so that it finds the rest made
};

}  // namespace forestage::plugin
