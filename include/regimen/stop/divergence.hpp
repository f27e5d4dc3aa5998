#pragma once
// No LibTorch.

#include <cmath>
#include <optional>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/stop/detail/streak.hpp"

namespace regimen::inline v0 {

/// A criterion that is met if in each of the last `hold` scorings the loss was not finite or was more than `times` its
/// least value before, plus `by`.
///
/// A training loss that is no longer finite ends the whole run by itself (`Ended::diverged`); this criterion ends a
/// phase sooner, and the next phase follows. Reads `metric`, a loss, which the run must score. `by` is the least rise
/// that counts, in units of the loss: near 0 `times` alone is not enough, as the loss of a network that has fitted its
/// data flickers, from 1e-6 to 3e-6 and back. The default suits cross-entropy: 0.1 nats, where guessing among ten
/// classes has 2.3. Losses of another scale, such as a squared error in square metres, need another `by`.
///     regimen::LossDiverges{.times = 2}
struct LossDiverges {
  double times = 2;                  ///< at least 1 and finite
  double by = 0.1;                   ///< at least 0 and finite, in units of the loss
  Metric metric = Metric::fit_loss;  ///< a loss
  Integer hold = 1;                  ///< scorings in a row, at least 1

  void check() const {
    detail::require(times >= 1 && std::isfinite(times), "LossDiverges.times", "at least 1 and finite", times);
    detail::require(by >= 0 && std::isfinite(by), "LossDiverges.by", "at least 0 and finite", by);
    detail::require(!larger_is_better(metric), "LossDiverges.metric", "a loss", name_of(metric));
    detail::check_hold("LossDiverges.hold", hold);
  }

  bool operator()(const History& history) const {
    double least = INFINITY;
    return detail::streak(history, hold, [&](const Epoch& epoch) -> std::optional<bool> {
      if (!score_of(epoch, metric).scored()) {
        return std::nullopt;
      }
      const double loss = value_of(epoch, metric);
      // For positive losses this is times * least + by; the absolute value makes it right for negative ones.
      const double most = least + (times - 1) * std::abs(least) + by;
      const bool near = (least == INFINITY || loss <= most) && std::isfinite(loss);
      least = std::fmin(least, loss);
      return !near;
    });
  }
};

}  // namespace regimen::inline v0
