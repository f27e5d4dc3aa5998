#pragma once
// No LibTorch.

#include "regimen/base/integer.hpp"
#include "regimen/record/improvement.hpp"
#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// The last `scorings` scorings have not improved on the best one by more than `by`; by more than the share `by` of it,
/// if `relative`. The best one is the last that did so improve, as in PyTorch's ReduceLROnPlateau: several steps that
/// are each too small add up, and count once together they are more than `by`.
///
/// Counts scorings, not epochs. Reads `metric`, which the run must score; a metric of the test set makes the test set
/// a training set, hence the default. On the loss of the noisy labels themselves, relatively, it ends a phase where
/// their first fit levels off, before they are learned by heart, and needs no clean data:
///     regimen::Patience{.scorings = 5, .metric = regimen::Metric::fit_loss, .by = 0.02, .relative = true}
struct Patience {
  Integer scorings = 10;                    ///< at least 1
  Metric metric = Metric::validation_loss;  ///< whose direction is known: accuracies are to rise, losses to fall
  double by = 0;                            ///< at least 0, in units of the metric
  bool relative = false;                    ///< `by` is a share of the best

  void check() const {
    detail::require(scorings >= 1, "Patience.scorings", "at least 1", scorings);
    detail::require(by >= 0, "Patience.by", "at least 0", by);
  }

  bool operator()(const History& history) const {
    detail::Improvement improvement(metric, by, relative);
    for (const Epoch& epoch : history) {
      improvement.look(epoch);
    }
    return improvement.waited() >= scorings;
  }
};

}  // namespace regimen::inline v0
