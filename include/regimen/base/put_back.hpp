#pragma once
// No LibTorch.

#include <functional>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// What a guard has moved, to be put back when it goes: the last first, since a thing may be moved twice. As a member
/// of the guard it does so as well where the guard's constructor throws half-way.
class PutBack {
 public:
  PutBack() = default;
  ~PutBack() {
    for (auto undo = undos_.rbegin(); undo != undos_.rend(); ++undo) {
      (*undo)();
    }
  }
  PutBack(const PutBack&) = delete;
  PutBack& operator=(const PutBack&) = delete;

  /// `undo` must not throw.
  void add(std::function<void()> undo) { undos_.push_back(std::move(undo)); }

 private:
  std::vector<std::function<void()>> undos_;
};

}  // namespace regimen::inline v0::detail
