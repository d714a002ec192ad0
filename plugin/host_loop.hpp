// JUCE's messages on a host's own loop: while there is one of these, JUCE has no thread for them.
#pragma once

#include <memory>

namespace forestage::plugin {

class HostLoop {
 public:
  HostLoop();  // [the host's thread for windows, as all here]
  ~HostLoop();

  /// What has come since the last time.
  void handle_pending();

 private:
  struct Juce;
  std::unique_ptr<Juce> juce_;
};

}  // namespace forestage::plugin
