#pragma once
// No LibTorch.

#include <optional>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/stop/detail/streak.hpp"

namespace regimen::inline v0 {

/// The share of the phase's own labels that the network reproduces is at least `accuracy`, in (0, 1], in each of the
/// last `hold` scorings. Reads the accuracy of fit, which the run must score.
///
/// With `accuracy` = 1 - the share of wrong labels, known or estimated, it is a rule for label noise that needs no
/// clean data (Song, Kim, Park and Lee 2019, Prestopping): right labels are fitted first, and then there is nothing but
/// wrong ones left to fit.
struct FitReaches {
  double accuracy = 1;  ///< a share, not per cent
  Integer hold = 1;     ///< scorings in a row, at least 1

  void check() const {
    detail::require(accuracy > 0 && accuracy <= 1, "FitReaches.accuracy", "in (0, 1]", accuracy);
    detail::check_hold("FitReaches.hold", hold);
  }

  bool operator()(const History& history) const {
    return detail::streak(history, hold, [this](const Epoch& epoch) -> std::optional<bool> {
      if (!epoch.fit.scored()) {
        return std::nullopt;
      }
      return epoch.fit.accuracy >= accuracy;
    });
  }

  [[nodiscard]] std::vector<Metric> metrics() const { return {Metric::fit_accuracy}; }
};

}  // namespace regimen::inline v0
