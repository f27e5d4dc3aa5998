#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/record/history.hpp"

namespace regimen::inline v0::detail {

/// Counter of the scorings since a metric last improved on its best value by more than `by`; with `relative`, by more
/// than the share `by` of the best value.
class Improvement {
 public:
  Improvement(Metric metric, double by, bool relative = false)
      : metric_(metric), by_(by), relative_(relative), sign_(larger_is_better(metric) ? 1 : -1) {}

  /// Takes the next epoch. Returns false, and counts nothing, if the epoch was not scored.
  bool look(const Epoch& epoch) {
    if (!score_of(epoch, metric_).scored()) {
      return false;
    }
    const double value = sign_ * value_of(epoch, metric_);
    const double by = relative_ && std::isfinite(best_) ? by_ * std::abs(best_) : by_;
    if (value > best_ + by) {
      best_ = value;
      waited_ = 0;
    } else {
      ++waited_;
    }
    return true;
  }

  [[nodiscard]] int waited() const { return waited_; }
  void wait_anew() { waited_ = 0; }

 private:
  Metric metric_;
  double by_;
  bool relative_;
  double sign_;
  double best_ = -INFINITY;
  int waited_ = 0;
};

}  // namespace regimen::inline v0::detail
