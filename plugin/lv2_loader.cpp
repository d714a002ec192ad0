#include "lv2_loader.hpp"

#include <algorithm>
#include <utility>

namespace forestage::plugin {

bool FileRequests::push(FileRequest::Kind kind, std::string_view path) noexcept {
  const std::size_t at = pushed_.load(std::memory_order_relaxed);
  if (at - popped_.load(std::memory_order_acquire) == places || path.size() >= FileRequest::max_path) return false;
  FileRequest& request = ring_[at % places];
  request.kind = kind;
  *std::copy(path.begin(), path.end(), request.path.begin()) = '\0';
  pushed_.store(at + 1, std::memory_order_release);
  return true;
}

bool FileRequests::pop(FileRequest& to) noexcept {
  const std::size_t at = popped_.load(std::memory_order_relaxed);
  if (at == pushed_.load(std::memory_order_acquire)) return false;
  to = ring_[at % places];
  popped_.store(at + 1, std::memory_order_release);
  return true;
}

Loader::Loader(std::function<void()> serve)
    : serve_(std::move(serve)), thread_([this] {
        while (true) {
          bell_.acquire();
          if (is_ending_.load(std::memory_order_acquire)) return;
          serve_();
        }
      }) {}

Loader::~Loader() {
  is_ending_.store(true, std::memory_order_release);
  bell_.release();
  thread_.join();
}

}  // namespace forestage::plugin
