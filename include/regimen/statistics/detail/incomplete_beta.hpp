#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 1964, 26.5.8), evaluated by the method
/// of Lentz (1976). Takes about sqrt(max(a, b)) terms for x below (a + 1) / (a + b + 2).
inline double incomplete_beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (double m = 1; m < 1e6; m += 1) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-15) {
      break;
    }
  }
  return fraction;
}

/// P(X <= x) of the beta distribution with parameters a > 0 and b > 0, the regularized incomplete beta function. Its
/// relative error is about that of std::lgamma(a + b) in absolute terms: 1e-9 for a million.
inline double beta_share_below(double x, double a, double b) {
  if (x <= 0 || x >= 1) {
    return x <= 0 ? 0 : 1;
  }
  const double scale =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? scale * incomplete_beta_fraction(a, b, x) / a
                                   : 1 - scale * incomplete_beta_fraction(b, a, 1 - x) / b;
}

/// The x with P(X <= x) = share of the beta distribution, by bisection.
inline double beta_quantile(double share, double a, double b) {
  double low = 0;
  double high = 1;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) {
      break;
    }
    (beta_share_below(middle, a, b) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace regimen::inline v0::detail
