#include "history.hpp"

#include <utility>

namespace forestage::plugin {

void History::add(Step step) {
  undone_.clear();
  done_.push_back(std::move(step));
  if (done_.size() > most_steps) done_.pop_front();
}

const Step* History::undo() {
  if (done_.empty()) return nullptr;
  undone_.push_back(std::move(done_.back()));
  done_.pop_back();
  return &undone_.back();
}

const Step* History::redo() {
  if (undone_.empty()) return nullptr;
  done_.push_back(std::move(undone_.back()));
  undone_.pop_back();
  return &done_.back();
}

}  // namespace forestage::plugin
