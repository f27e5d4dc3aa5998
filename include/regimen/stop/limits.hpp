#pragma once
// No LibTorch.

#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// The phase has taken at least `seconds` of wall time, the scoring of earlier epochs included; resumed runs add up.
/// The one criterion that equal seeds do not repeat.
struct TimeLimit {
  double seconds = 0;  ///< above 0

  void check() const { detail::require(seconds > 0, "TimeLimit.seconds", "above 0", seconds); }

  bool operator()(const Epoch& epoch) const { return epoch.seconds >= seconds; }
};

/// The phase has taken at least `steps` optimizer steps. Asked between epochs: to cut an epoch, `limit` its source.
struct StepLimit {
  Integer steps = 0;  ///< above 0

  void check() const { detail::require(steps > 0, "StepLimit.steps", "above 0", steps); }

  bool operator()(const Epoch& epoch) const { return epoch.clock.step >= steps; }
};

}  // namespace regimen::inline v0
