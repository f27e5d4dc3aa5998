#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/record/improvement.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// A scale that begins at 1 and is multiplied by `factor` once more than `patience` scorings in a row have not improved
/// on the best one by more than `by`.
///
/// After each decay the count begins anew, behind `cooldown` further scorings. PyTorch's ReduceLROnPlateau, except that
/// that one's threshold is relative by default. Everything is counted in scorings, not in epochs (see
/// `Scoring::every`). Reads `metric`: `run` throws Error before the first step if it is never scored. Each read looks
/// through all scores so far: O(scorings).
struct PlateauDecay {
  double factor = 0.1;               ///< in (0, 1)
  Integer patience = 10;             ///< number of scorings, at least 0
  Metric metric = Metric::fit_loss;  ///< metric that is to improve: accuracies rise, losses fall
  double by = 1e-4;                  ///< least improvement, at least 0, in units of the metric
  double floor = 0;                  ///< least value of the scale, in [0, 1]
  bool relative = false;             ///< if true, `by` is a share of the best value
  Integer cooldown = 0;              ///< scorings that are not counted after a decay, at least 0

  void check() const {
    detail::require(factor > 0 && factor < 1, "PlateauDecay.factor", "in (0, 1)", factor);
    detail::require(patience >= 0, "PlateauDecay.patience", "at least 0", patience);
    detail::require(by >= 0, "PlateauDecay.by", "at least 0", by);
    detail::require(floor >= 0 && floor <= 1, "PlateauDecay.floor", "in [0, 1]", floor);
    detail::require(cooldown >= 0, "PlateauDecay.cooldown", "at least 0", cooldown);
  }

  double operator()(const Clock& /*clock*/, const HistoryView& scores) const {
    detail::Improvement improvement(metric, by, relative);
    double scale = 1;
    std::int64_t cooling = 0;
    for (const Epoch& epoch : scores) {
      if (!improvement.look(epoch)) {
        continue;
      }
      if (cooling > 0) {
        --cooling;
        improvement.wait_anew();
      }
      if (improvement.waited() > patience) {
        scale = std::fmax(scale * factor, floor);
        cooling = cooldown;
        improvement.wait_anew();
      }
    }
    return scale;
  }
};

}  // namespace regimen::inline v0
