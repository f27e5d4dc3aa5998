#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "regimen/event.hpp"
#include "regimen/record.hpp"

namespace regimen::inline v0 {

/// What was learned and did not carry over: fit minus test accuracy. Positive is worse.
[[nodiscard]] inline double generalization_gap(const Epoch& epoch) {
  return epoch.fit.accuracy - epoch.test.accuracy;
}

/// The same of the loss: test minus fit. Positive is worse here too.
[[nodiscard]] inline double loss_gap(const Epoch& epoch) {
  return epoch.test.loss - epoch.fit.loss;
}

/// What was learned by heart: fit minus clean accuracy. Positive where damaged labels were fitted, 0 without damage.
[[nodiscard]] inline double memorization(const Epoch& epoch) {
  return epoch.fit.accuracy - epoch.clean.accuracy;
}

/// Follows one gap along training. Feed it epochs (it is an observer for `run`) or plain numbers of your own.
///
///     regimen::GapTracker gap;                     // or GapTracker(regimen::memorization)
///     regimen::run(net, {phase}, splits, gap);
///     gap.last();  gap.worst();
///
///     regimen::GapTracker mine;                    // in a loop of your own
///     mine.add(train_accuracy, test_accuracy);
class GapTracker {
 public:
  using Gap = double (*)(const Epoch&);

  explicit GapTracker(Gap gap = generalization_gap) : gap_(gap) {}

  /// A run that goes on: the values are those of its history, as if it had never been interrupted.
  void operator()(const RunBegin& begin) {
    if (begin.history.empty()) {
      return;
    }
    values_.clear();
    for (const Epoch& epoch : begin.history) {
      (*this)(epoch);
    }
  }

  /// Adds the epoch's gap; an epoch in which it was not scored adds nothing.
  void operator()(const Epoch& epoch) { add(gap_(epoch)); }

  /// Adds `on_training_data` - `held_out`, both accuracies. For losses swap the two: positive is worse.
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
