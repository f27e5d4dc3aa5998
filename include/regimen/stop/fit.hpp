#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/stop/detail/streak.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Whether says(score) of the phase's own data held in each of the last `hold` scorings.
template <class Says>
bool fit_streak(const History& history, std::int64_t hold, const Says& says) {
  return streak(history, hold, [&](const Epoch& epoch) -> std::optional<bool> {
    return epoch.fit.scored() ? std::optional(says(epoch.fit)) : std::nullopt;
  });
}

}  // namespace detail

/// A criterion that is met if the network predicts at least the share `accuracy` of the phase's own labels in each of
/// the last `hold` scorings. Reads `Metric::fit_accuracy`, which the run must score.
///
/// With `accuracy` = 1 - the share of wrong labels, known or estimated, it is a rule against label noise that needs no
/// clean data (Song, Kim, Park and Lee 2019, Prestopping): right labels are fitted first, and after them only wrong
/// ones are left to fit.
struct FitReaches {
  double accuracy = 1;  ///< a share in (0, 1], not per cent
  Integer hold = 1;     ///< scorings in a row, at least 1

  void check() const {
    detail::require(accuracy > 0 && accuracy <= 1, "FitReaches.accuracy", "in (0, 1]", accuracy);
    detail::check_hold("FitReaches.hold", hold);
  }

  bool operator()(const History& history) const {
    return detail::fit_streak(history, hold, [this](const Score& score) { return score.accuracy >= accuracy; });
  }

  [[nodiscard]] std::vector<Metric> metrics() const { return {Metric::fit_accuracy}; }
};

/// A criterion that is met if the loss on the phase's own data is at most `loss` in each of the last `hold` scorings.
/// Networks that end by it fit their labels alike, whatever their starts. Reads `Metric::fit_loss`, which the run must
/// score.
///     phase.until = regimen::FitReaches{1} && regimen::FitLossReaches{0.01};
struct FitLossReaches {
  double loss = 0.01;  ///< in the loss's unit, finite
  Integer hold = 1;    ///< scorings in a row, at least 1

  void check() const {
    detail::require(std::isfinite(loss), "FitLossReaches.loss", "finite", loss);
    detail::check_hold("FitLossReaches.hold", hold);
  }

  bool operator()(const History& history) const {
    return detail::fit_streak(history, hold, [this](const Score& score) { return score.loss <= loss; });
  }

  [[nodiscard]] std::vector<Metric> metrics() const { return {Metric::fit_loss}; }
};

}  // namespace regimen::inline v0
