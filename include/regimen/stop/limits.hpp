#pragma once
// No LibTorch.

#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// A criterion that is met once the phase has taken at least `seconds` of wall time, earlier epochs' scoring included
/// and summed over resumed runs. It is the only criterion that runs with equal random seeds do not repeat.
struct TimeLimit {
  double seconds = 0;  ///< wall time in seconds, above 0

  void check() const { detail::require(seconds > 0, "TimeLimit.seconds", "above 0", seconds); }

  bool operator()(const Epoch& epoch) const { return epoch.seconds >= seconds; }
};

/// A criterion that is met once the phase has taken at least `steps` optimizer steps. Asked between epochs; to end
/// within an epoch, `limit` the phase's source.
struct StepLimit {
  Integer steps = 0;  ///< number of optimizer steps, above 0

  void check() const { detail::require(steps > 0, "StepLimit.steps", "above 0", steps); }

  bool operator()(const Epoch& epoch) const { return epoch.clock.step >= steps; }
};

}  // namespace regimen::inline v0
