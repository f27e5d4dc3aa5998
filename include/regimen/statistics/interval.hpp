#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// A mean and how well n values tell it.
struct Interval {
  double mean = unknown;
  double half_width = unknown;  ///< of the confidence interval; NaN for fewer than two values
  std::size_t n = 0;

  [[nodiscard]] double low() const { return mean - half_width; }
  [[nodiscard]] double high() const { return mean + half_width; }
};

namespace detail {

/// P(|T| <= t) of Student's t with a whole number of degrees of freedom: the finite sums of Abramowitz and Stegun,
/// 26.7.3 and 26.7.4.
inline double student_t_two_sided(double t, std::size_t dof) {
  const double angle = std::atan(t / std::sqrt(static_cast<double>(dof)));
  const double cos2 = std::cos(angle) * std::cos(angle);
  const bool odd = dof % 2 == 1;
  double term = odd ? std::cos(angle) : 1;
  double sum = dof == 1 ? 0 : term;
  for (std::size_t k = odd ? 3 : 2; k + 2 <= dof; k += 2) {
    term *= cos2 * static_cast<double>(k - 1) / static_cast<double>(k);
    sum += term;
  }
  return odd ? 2 / std::numbers::pi * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

}  // namespace detail

/// The t with P(|T| <= t) = `level`, by bisection to rounding: 4.3027 for 0.95 and 2 degrees of freedom.
/// Throws Error unless dof >= 1 and level is in (0, 1).
[[nodiscard]] inline double student_t_quantile(std::size_t dof, double level = 0.95) {
  detail::require(dof >= 1, "student_t_quantile: dof", "at least 1", dof);
  detail::require(level > 0 && level < 1, "student_t_quantile: level", "in (0, 1)", level);
  double low = 0;
  double high = 1;
  while (detail::student_t_two_sided(high, dof) < level) {
    high *= 2;
  }
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (detail::student_t_two_sided(middle, dof) < level ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// Mean of the values with its Student-t confidence interval.
[[nodiscard]] inline Interval mean_interval(std::span<const double> values, double level = 0.95) {
  Interval result{.n = values.size()};
  if (values.empty()) {
    return result;
  }
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) {
    sum += value;
  }
  result.mean = sum / n;
  if (values.size() < 2) {
    return result;
  }
  double squares = 0;
  for (const double value : values) {
    squares += (value - result.mean) * (value - result.mean);
  }
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  result.half_width = student_t_quantile(values.size() - 1, level) * standard_error;
  return result;
}

/// Mean of a[i] - b[i] with its paired Student-t confidence interval: what two arms differ by when the i-th run of
/// each shares its data. Throws Error where the two have different lengths.
///     const auto hole = regimen::paired_difference(test_from_random, test_from_adversarial);
[[nodiscard]] inline Interval paired_difference(std::span<const double> a, std::span<const double> b,
                                                double level = 0.95) {
  detail::require(a.size() == b.size(), "paired_difference: b.size()", "a.size() = " + detail::text(a.size()),
                  b.size());
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(a[i] - b[i]);
  }
  return mean_interval(differences, level);
}

}  // namespace regimen::inline v0
