#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <span>

#include "regimen/record/history.hpp"
#include "regimen/statistics/detail/differences.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/student_t.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The mean of values, and the standard error of it; NaN for too few of them.
struct MeanAndError {
  double mean = unknown;
  double error = unknown;

  explicit MeanAndError(std::span<const double> values) {
    if (values.empty()) {
      return;
    }
    const auto n = static_cast<double>(values.size());
    double sum = 0;
    for (const double value : values) {
      sum += value;
    }
    mean = sum / n;
    if (values.size() < 2) {
      return;
    }
    double squares = 0;
    for (const double value : values) {
      squares += (value - mean) * (value - mean);
    }
    error = std::sqrt(squares / (n - 1) / n);
  }
};

}  // namespace detail

/// Mean of the values with its Student-t confidence interval.
[[nodiscard]] inline Interval mean_interval(std::span<const double> values, double level = 0.95) {
  const detail::MeanAndError of(values);
  Interval result{.mean = of.mean, .n = values.size()};
  if (values.size() >= 2) {
    result.half_width = student_t_quantile(values.size() - 1, level) * of.error;
  }
  return result;
}

/// How many standard errors the values' mean lies above an expected one: (mean - expected) / (deviation / sqrt(n)). For
/// values whose mean is the expected one it has Student's t distribution with n - 1 degrees of freedom, if they are
/// normal: beyond 2 in 4.6 % of cases for many values, in 5.5 % for 30. NaN for fewer than two values, or equal ones.
///     regimen::z_score(risks, regimen::isotropic_ridgeless_risk(100, 50).total());
[[nodiscard]] inline double z_score(std::span<const double> values, double expected) {
  const detail::MeanAndError of(values);
  // Equal values may have a mean that is rounded, and a deviation of rounding.
  const bool differ = std::any_of(values.begin(), values.end(), [&](double value) { return value != values.front(); });
  return differ && of.error > 0 ? (of.mean - expected) / of.error : unknown;
}

/// Mean of a[i] - b[i] with its paired Student-t confidence interval: compares two arms whose i-th runs share their
/// data. Throws Error if the two lengths differ.
///     const auto hole = regimen::paired_difference(test_from_random, test_from_adversarial);
[[nodiscard]] inline Interval paired_difference(std::span<const double> a, std::span<const double> b,
                                                double level = 0.95) {
  return mean_interval(detail::differences(a, b, "paired_difference"), level);
}

}  // namespace regimen::inline v0
