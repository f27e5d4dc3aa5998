#pragma once
// No LibTorch.

#include <span>

#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/mean.hpp"

namespace regimen::inline v0 {

/// The confidence interval of a statistic by the jackknife (Quenouille 1956; Tukey 1958): `value` is the statistic of
/// all n groups, such as seeds, random vectors or networks, and without[i] that of all but group i. Student's t with
/// n - 1 degrees of freedom around the variance (n - 1) / n times the sum of the squared distances of `without` from
/// their mean. For a mean it is `mean_interval`. The half width is NaN for fewer than two groups.
///     const regimen::Interval tau = regimen::jackknife_interval(tau_of(all), taus_without_one_seed);
[[nodiscard]] inline Interval jackknife_interval(double value, std::span<const double> without, double level = 0.95) {
  // These are n - 1 times as near to each other as the groups' own values would be.
  const Interval spread = mean_interval(without, level);
  return {
      .mean = value, .half_width = (static_cast<double>(without.size()) - 1) * spread.half_width, .n = without.size()};
}

}  // namespace regimen::inline v0
