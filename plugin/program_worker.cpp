#include "program_worker.hpp"

#include <utility>

namespace forestage::plugin {

ProgramWorker::ProgramWorker(std::function<void(int)> load) : load_(std::move(load)), thread_([this] { run(); }) {}

ProgramWorker::~ProgramWorker() {
  request(quit);
  thread_.join();
}

void ProgramWorker::request(int program) noexcept {
  requested_.store(program, std::memory_order_release);
  requested_.notify_one();
}

void ProgramWorker::run() {
  for (;;) {
    requested_.wait(nothing, std::memory_order_acquire);
    const int program = requested_.exchange(nothing, std::memory_order_acquire);
    if (program == quit) return;
    if (program != nothing) load_(program);
  }
}

}  // namespace forestage::plugin
