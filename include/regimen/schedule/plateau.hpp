#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>

#include "regimen/base/integer.hpp"
#include "regimen/record/improvement.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// 1 at first, times `factor` whenever more than `patience` scorings in a row have not improved on the best one by
/// `by`.
///
/// The count begins anew after each decay, and only after `cooldown` further scorings. PyTorch's ReduceLROnPlateau,
/// whose threshold is relative unless it is told otherwise. Everything is counted in scorings, not in epochs (see
/// `Scoring::every`). Reads `metric`, which the run must score: `run` throws Error before the first step otherwise.
/// Each read looks through all scores so far: O(scorings).
struct PlateauDecay {
  double factor = 0.1;               ///< in (0, 1)
  Integer patience = 10;             ///< scorings, at least 0
  Metric metric = Metric::fit_loss;  ///< whose direction is known: accuracies are to rise, losses to fall
  double by = 1e-4;                  ///< at least 0, in units of the metric
  double floor = 0;                  ///< of the value: in [0, 1]
  bool relative = false;             ///< `by` is a share of the best
  Integer cooldown = 0;              ///< scorings after a decay that do not count, at least 0

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
