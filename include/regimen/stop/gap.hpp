#pragma once
// No LibTorch.

#include <cmath>
#include <optional>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/stop/detail/streak.hpp"

namespace regimen::inline v0 {

/// A criterion that is met if a generalization gap exceeds `bound` in each of the last `hold` scorings. The gap is the
/// accuracy `of` minus the accuracy `over`, or the loss `over` minus the loss `of`, so that larger is worse for both.
///
/// Reads both metrics, which the run must score. By default `over` is a validation metric: decisions by the test set
/// would make it a training set.
///     regimen::GapExceeds{.bound = 0.05}
///     regimen::GapExceeds{.bound = 0.3, .of = regimen::Metric::fit_loss, .over = regimen::Metric::validation_loss}
struct GapExceeds {
  double bound = 0;  ///< bound on the gap, finite, in accuracy (a share, not per cent) or in loss
  Metric of = Metric::fit_accuracy;
  Metric over = Metric::validation_accuracy;  ///< of the same kind as `of`: an accuracy or a loss
  Integer hold = 1;                           ///< scorings in a row, at least 1

  void check() const {
    detail::require(std::isfinite(bound), "GapExceeds.bound", "finite", bound);
    detail::require(larger_is_better(of) == larger_is_better(over), "GapExceeds.over",
                    larger_is_better(of) ? "an accuracy, as GapExceeds.of is" : "a loss, as GapExceeds.of is",
                    name_of(over));
    detail::check_hold("GapExceeds.hold", hold);
  }

  bool operator()(const History& history) const {
    return detail::streak(history, hold, [this](const Epoch& epoch) -> std::optional<bool> {
      if (!score_of(epoch, of).scored() || !score_of(epoch, over).scored()) {
        return std::nullopt;
      }
      return gap(epoch) > bound;
    });
  }

 private:
  [[nodiscard]] double gap(const Epoch& epoch) const {
    const double difference = value_of(epoch, of) - value_of(epoch, over);
    return larger_is_better(of) ? difference : -difference;
  }
};

}  // namespace regimen::inline v0
