#pragma once

#include "regimen/share/data_parallel.hpp"

namespace regimen::inline v0::detail {

/// Says, while it lives, how the run of this thread is shared, to layers that talk in their forward passes.
class ActiveShare {
 public:
  explicit ActiveShare(const DataParallel& share) : before_(current()) { current() = &share; }
  ~ActiveShare() { current() = before_; }
  ActiveShare(const ActiveShare&) = delete;
  ActiveShare& operator=(const ActiveShare&) = delete;

  /// nullptr outside of runs.
  static const DataParallel*& current() {
    static thread_local const DataParallel* share = nullptr;
    return share;
  }

 private:
  const DataParallel* before_;
};

}  // namespace regimen::inline v0::detail
