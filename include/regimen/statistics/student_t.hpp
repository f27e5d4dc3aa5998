#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <numbers>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

namespace detail {

/// P(|T| <= t) of Student's t with `dof` degrees of freedom, by the finite sums of Abramowitz and Stegun, 26.7.3 and
/// 26.7.4.
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

/// The t with P(|T| <= t) = `level`, by bisection up to rounding: 4.3027 for 0.95 and 2 degrees of freedom.
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

}  // namespace regimen::inline v0
