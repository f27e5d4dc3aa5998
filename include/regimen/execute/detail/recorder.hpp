#pragma once
// No LibTorch.

#include <functional>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// An interface of devices that can record work once and replay it at the same addresses.
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// Does the work where it will be recorded. Returns whether the host waited for the device, which a recording cannot
  /// do.
  virtual bool warm_up(const std::function<void()>& work) = 0;

  /// Records the work without doing it. Throws what the work throws, and c10::Error if it cannot be recorded.
  virtual void record(const std::function<void()>& work) = 0;

  /// Does the recorded work.
  virtual void replay() = 0;
};

}  // namespace regimen::inline v0::detail
