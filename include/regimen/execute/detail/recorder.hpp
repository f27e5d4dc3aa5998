#pragma once
// No LibTorch.

#include <functional>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// What a device can do with work: record it once, and do it again as it was recorded, at the same addresses.
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// Does the work where it will be recorded. Whether it made the host wait for the device, which no recording can.
  virtual bool warm_up(const std::function<void()>& work) = 0;

  /// Records the work, which is not done. Throws what the work throws, and c10::Error for what cannot be recorded.
  virtual void record(const std::function<void()>& work) = 0;

  /// Does what was recorded.
  virtual void replay() = 0;
};

}  // namespace regimen::inline v0::detail
