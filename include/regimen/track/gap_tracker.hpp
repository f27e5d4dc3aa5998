#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/observe/event.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

// Trackers follow a training and change nothing. Those of the generalization gap need no tensors and are here. Others
// in this folder are by sample (samples, forgetting, area_under_margin), by part of the data (part_gaps), and for the
// best weights (best). Distances of the weights are measures (measure/distance.hpp).

/// The generalization gap: fit minus test accuracy. Positive is worse.
[[nodiscard]] inline double generalization_gap(const Epoch& epoch) {
  return epoch.fit.accuracy - epoch.test.accuracy;
}

/// The generalization gap of the loss: test minus fit. Positive is worse.
[[nodiscard]] inline double loss_gap(const Epoch& epoch) {
  return epoch.test.loss - epoch.fit.loss;
}

/// The generalization gap of the error, 1 - accuracy: test minus fit. Equals `generalization_gap` up to rounding.
[[nodiscard]] inline double error_gap(const Epoch& epoch) {
  return (1 - epoch.test.accuracy) - (1 - epoch.fit.accuracy);
}

/// The generalization gap of the true labels: clean minus test accuracy. `generalization_gap` = `memorization` +
/// `clean_gap`.
[[nodiscard]] inline double clean_gap(const Epoch& epoch) {
  return epoch.clean.accuracy - epoch.test.accuracy;
}

/// Memorization: fit minus clean accuracy. Positive if damaged labels were fitted, 0 without damage.
[[nodiscard]] inline double memorization(const Epoch& epoch) {
  return epoch.fit.accuracy - epoch.clean.accuracy;
}

/// The accuracy gap of each class, or of other parts of the data (see `by_class`): training minus held-out accuracy.
/// NaN for a part that was not scored. Throws Error if the two lengths differ.
///     const auto gaps = regimen::gaps(scores(net, by_class(train, 10)), scores(net, by_class(test, 10)));
[[nodiscard]] inline std::vector<double> gaps(std::span<const Score> on_training_data,
                                              std::span<const Score> held_out) {
  detail::require(on_training_data.size() == held_out.size(), "gaps: held_out.size()",
                  "on_training_data.size() = " + detail::text(on_training_data.size()), held_out.size());
  std::vector<double> result;
  for (std::size_t i = 0; i < held_out.size(); ++i) {
    result.push_back(on_training_data[i].accuracy - held_out[i].accuracy);
  }
  return result;
}

/// Follows one gap along training. Give it epochs (as an observer of `run`) or numbers of your own.
///
///     regimen::GapTracker gap;                     // or GapTracker(regimen::memorization)
///     regimen::run(net, {phase}, scoring, gap);
///     gap.last();  gap.worst();
///
///     regimen::GapTracker mine;                    // in a loop of your own
///     mine.add(train_accuracy, test_accuracy);
class GapTracker {
 public:
  using Gap = double (*)(const Epoch&);

  explicit GapTracker(Gap gap = generalization_gap) : gap_(gap) {}

  /// Takes the values of a resumed run from its history, as if it had not been stopped.
  void operator()(const RunBegin& begin) {
    if (begin.history.empty()) {
      return;
    }
    values_.clear();
    for (const Epoch& epoch : begin.history) {
      (*this)(epoch);
    }
  }

  /// Adds the epoch's gap; an epoch without a score adds nothing.
  void operator()(const Epoch& epoch) { add(gap_(epoch)); }

  /// Adds `on_training_data` - `held_out`, two accuracies. For losses swap the two, so that positive is worse.
  void add(double on_training_data, double held_out) { add(on_training_data - held_out); }

  [[nodiscard]] const std::vector<double>& values() const { return values_; }
  [[nodiscard]] double last() const { return values_.empty() ? unknown : values_.back(); }
  [[nodiscard]] double worst() const {
    return values_.empty() ? unknown : *std::max_element(values_.begin(), values_.end());
  }

 private:
  void add(double value) {
    if (!std::isnan(value)) {
      values_.push_back(value);
    }
  }

  Gap gap_;
  std::vector<double> values_;
};

}  // namespace regimen::inline v0
