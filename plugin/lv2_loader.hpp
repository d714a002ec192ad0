// What the audio thread asks for and must not do itself: presets and files are loaded by a thread of the plugin's own.
// LV2 hosts may lend a worker, but the simplest ones have none, and one way serves all.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <semaphore>
#include <string_view>
#include <thread>

namespace forestage::plugin {

/// A file that a host has chosen.
struct FileRequest {
  static constexpr std::size_t max_path = 4096;
  enum class Kind { preset, headphone_eq } kind = Kind::preset;
  std::array<char, max_path> path{};  // ends with 0
};

/// From the audio thread to the loader, in order; one that finds no place is refused.
class FileRequests {
 public:
  bool push(FileRequest::Kind kind, std::string_view path) noexcept;  // [audio]
  bool pop(FileRequest& to) noexcept;                                 // [loader, one at a time]

 private:
  static constexpr std::size_t places = 8;
  std::array<FileRequest, places> ring_;
  std::atomic<std::size_t> pushed_{0};
  std::atomic<std::size_t> popped_{0};
};

/// Runs `serve` on its own thread each time it is woken.
class Loader {
 public:
  explicit Loader(std::function<void()> serve);
  ~Loader();

  void wake() noexcept { bell_.release(); }  // [audio] a system call that does not wait

 private:
  std::function<void()> serve_;
  std::counting_semaphore<> bell_{0};
  std::atomic<bool> is_ending_{false};
  std::thread thread_;  // the last one: it uses the others
};

}  // namespace forestage::plugin
