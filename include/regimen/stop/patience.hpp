#pragma once
// No LibTorch.

#include "regimen/base/integer.hpp"
#include "regimen/record/improvement.hpp"
#include "regimen/stop/concept.hpp"

namespace regimen::inline v0 {

/// A criterion that is met if the last `scorings` scorings have not improved on the best one by more than `by`, or, if
/// `relative`, by more than the share `by` of the best value. The best value is the last one that did improve so, as in
/// PyTorch's ReduceLROnPlateau: several small steps count together once their sum is more than `by`.
///
/// Counts scorings, not epochs. Reads `metric`, which the run must score; it is a validation metric by default, since
/// decisions by the test set would make it a training set. On the loss of the noisy labels, with `relative`, it ends a
/// phase where their first fit levels off, before they are memorized, and needs no clean data:
///     regimen::Patience{.scorings = 5, .metric = regimen::Metric::fit_loss, .by = 0.02, .relative = true}
struct Patience {
  Integer scorings = 10;                    ///< number of scorings, at least 1
  Metric metric = Metric::validation_loss;  ///< metric that is to improve: accuracies rise, losses fall
  double by = 0;                            ///< least improvement, at least 0, in units of the metric
  bool relative = false;                    ///< if true, `by` is a share of the best value

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
