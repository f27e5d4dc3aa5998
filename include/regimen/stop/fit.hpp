#pragma once
// No LibTorch.

#include <vector>

#include "regimen/stop.hpp"

namespace regimen::inline v0 {

/// The share of the phase's own labels that the network reproduces is at least `accuracy`, in (0, 1], in each of the
/// last `hold` scorings.
///
/// With `accuracy` = 1 - the share of wrong labels, known or estimated, it is a rule for label noise that needs no
/// clean data (Song, Kim, Park and Lee 2019, Prestopping): right labels are fitted first, and then there is nothing but
/// wrong ones left to fit.
struct FitReaches {
  double accuracy = 1;
  int hold = 1;

  void check() const {
    detail::require(accuracy > 0 && accuracy <= 1, "FitReaches.accuracy", "in (0, 1]", accuracy);
    detail::require(hold >= 1, "FitReaches.hold", "at least 1", hold);
  }

  bool operator()(const History& history) const {
    int held = 0;
    for (const Epoch& epoch : history) {
      if (epoch.fit.scored()) {
        held = epoch.fit.accuracy >= accuracy ? held + 1 : 0;
      }
    }
    return held >= hold;
  }

  [[nodiscard]] std::vector<Metric> metrics() const { return {Metric::fit_accuracy}; }
};

}  // namespace regimen::inline v0
