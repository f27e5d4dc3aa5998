#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/record.hpp"

namespace regimen::inline v0::detail {

/// Looks at one epoch after another and counts the scorings since the last that improved on the best by more than `by`.
class Improvement {
 public:
  Improvement(Metric metric, double by) : metric_(metric), by_(by), sign_(larger_is_better(metric) ? 1 : -1) {}

  /// Epochs that were not scored do not count.
  void look(const Epoch& epoch) {
    if (!score_of(epoch, metric_).scored()) {
      return;
    }
    const double value = sign_ * value_of(epoch, metric_);
    if (value > best_ + by_) {
      best_ = value;
      waited_ = 0;
    } else {
      ++waited_;
    }
  }

  [[nodiscard]] int waited() const { return waited_; }
  void wait_anew() { waited_ = 0; }

 private:
  Metric metric_;
  double by_;
  double sign_;
  double best_ = -INFINITY;
  int waited_ = 0;
};

}  // namespace regimen::inline v0::detail
