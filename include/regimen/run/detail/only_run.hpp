#pragma once
// No LibTorch.

#include <atomic>

#include "regimen/base/error.hpp"

namespace regimen::inline v0::detail {

/// A guard for one run at a time in a process: forward passes draw from LibTorch's global generators, which are shared.
class OnlyRun {
 public:
  OnlyRun() {
    if (running().exchange(true)) {
      throw Error("run: another run is in progress in this process; both would draw from LibTorch's global generators");
    }
  }
  ~OnlyRun() { running() = false; }
  OnlyRun(const OnlyRun&) = delete;
  OnlyRun& operator=(const OnlyRun&) = delete;

 private:
  static std::atomic<bool>& running() {
    static std::atomic<bool> flag{false};
    return flag;
  }
};

}  // namespace regimen::inline v0::detail
