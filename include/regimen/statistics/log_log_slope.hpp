#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

/// The exponent a of the power law y = c x^a that is closest to the points in least squares of the logarithms: the
/// slope of a straight line on two logarithmic axes. Throws Error for other than two equally long columns of at least
/// two points, numbers that are not above 0 and finite, and for equal x.
///     regimen::log_log_slope(widths, distances);   // -0.5 for widths 32, 64, 128 and distances 0.3, 0.212, 0.15
[[nodiscard]] inline double log_log_slope(std::span<const double> x, std::span<const double> y) {
  detail::require(x.size() >= 2, "log_log_slope: x.size()", "at least 2", x.size());
  detail::require(y.size() == x.size(), "log_log_slope: y.size()", "x.size() = " + detail::text(x.size()), y.size());
  const auto n = static_cast<double>(x.size());
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::string at = "[" + detail::text(i) + "]";
    detail::require(x[i] > 0 && std::isfinite(x[i]), "log_log_slope: x" + at, "above 0 and finite", x[i]);
    detail::require(y[i] > 0 && std::isfinite(y[i]), "log_log_slope: y" + at, "above 0 and finite", y[i]);
    mean_x += std::log(x[i]) / n;
    mean_y += std::log(y[i]) / n;
  }
  double squares = 0;
  double products = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    squares += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
    products += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
  }
  const bool differ = std::any_of(x.begin(), x.end(), [&](double value) { return value != x.front(); });
  detail::require(differ, "log_log_slope: x", "of at least two different numbers", x.front());
  return products / squares;
}

}  // namespace regimen::inline v0
