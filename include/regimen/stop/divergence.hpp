#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/stop.hpp"

namespace regimen::inline v0 {

/// In each of the last `hold` scorings the loss was more than `times` its least before, plus `by`; or was not finite.
///
/// A training loss that is no longer finite ends a run by itself (`Ended::diverged`). This ends a phase sooner, and
/// goes on with the next one. Reads `metric`, a loss, which the run must score.
///     regimen::LossDiverges{.times = 2}
struct LossDiverges {
  double times = 2;
  double by = 0;
  Metric metric = Metric::fit_loss;
  int hold = 1;

  void check() const {
    detail::require(times >= 1 && std::isfinite(times), "LossDiverges.times", "at least 1 and finite", times);
    detail::require(by >= 0 && std::isfinite(by), "LossDiverges.by", "at least 0 and finite", by);
    detail::require(!larger_is_better(metric), "LossDiverges.metric", "a loss", name_of(metric));
    detail::require(hold >= 1, "LossDiverges.hold", "at least 1", hold);
  }

  bool operator()(const History& history) const {
    double least = INFINITY;
    int held = 0;
    for (const Epoch& epoch : history) {
      if (score_of(epoch, metric).scored()) {
        const double loss = value_of(epoch, metric);
        // As far above as `times` says: times the loss where losses are positive.
        const double most = least + (times - 1) * std::abs(least) + by;
        held = (least == INFINITY || loss <= most) && std::isfinite(loss) ? 0 : held + 1;
        least = std::fmin(least, loss);
      }
    }
    return held >= hold;
  }
};

}  // namespace regimen::inline v0
