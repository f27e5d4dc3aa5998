#pragma once
// No LibTorch.

#include <functional>
#include <utility>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// A list of undo functions that its destructor calls, the last one first, since a thing may have been changed twice.
/// As a member of a guard it also undoes the changes if the guard's constructor throws half-way.
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

  /// Adds an undo function, which must not throw.
  void add(std::function<void()> undo) { undos_.push_back(std::move(undo)); }

 private:
  std::vector<std::function<void()>> undos_;
};

}  // namespace regimen::inline v0::detail
