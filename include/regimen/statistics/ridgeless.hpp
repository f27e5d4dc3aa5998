#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/record/history.hpp"
#include "regimen/statistics/effective_rank.hpp"

namespace regimen::inline v0 {

/// The expected excess risk E (x . w - x . theta)^2 of an estimate w of theta, over new points x and label noise, in
/// its two parts.
struct RidgelessRisk {
  double bias = unknown;      ///< what is left of theta without noise
  double variance = unknown;  ///< what the labels' noise adds

  [[nodiscard]] double total() const { return bias + variance; }
};

namespace detail {

inline void check_ridgeless(const char* signal, double squared_norm, const char* noise, double noise_variance) {
  require(squared_norm >= 0 && std::isfinite(squared_norm), signal, "at least 0 and finite", squared_norm);
  require(noise_variance >= 0 && std::isfinite(noise_variance), noise, "at least 0 and finite", noise_variance);
}

/// noise_variance * numerator / denominator; infinite for a denominator of 0 or less, unless there is no noise.
inline double ridgeless_variance(double noise_variance, double numerator, double denominator) {
  if (noise_variance == 0) {
    return 0;
  }
  return denominator > 0 ? noise_variance * numerator / denominator : std::numeric_limits<double>::infinity();
}

}  // namespace detail

/// The risk of the least squares solution of the smallest norm (`minimum_norm_solution`) on n points of p standard
/// normal features, exactly, as the mean over designs: for p < n variance s^2 p / (n - p - 1) and no bias; for p > n
/// bias r^2 (1 - n / p) and variance s^2 n / (p - n - 1), with r^2 = `squared_norm` of theta and s^2 = `noise_variance`
/// of the labels. Both peak at p = n, the double descent; where p is n - 1, n or n + 1 the mean is infinite. From the
/// mean of an inverse Wishart matrix, of which Hastie, Montanari, Rosset and Tibshirani (2022) give the limit.
///
/// Single designs scatter around the mean: within 10 % of p = n so widely that even averages over many tell little.
/// Throws Error unless n and p are at least 1 and the others at least 0 and finite.
///     const double peak = regimen::isotropic_ridgeless_risk(100, 110).total();   // 11.2
[[nodiscard]] inline RidgelessRisk isotropic_ridgeless_risk(Integer n, Integer p, double squared_norm = 1,
                                                            double noise_variance = 1) {
  detail::require(n >= 1, "isotropic_ridgeless_risk: n", "at least 1", n);
  detail::require(p >= 1, "isotropic_ridgeless_risk: p", "at least 1", p);
  detail::check_ridgeless("isotropic_ridgeless_risk: squared_norm", squared_norm,
                          "isotropic_ridgeless_risk: noise_variance", noise_variance);
  const auto points = static_cast<double>(n.value);
  const auto features = static_cast<double>(p.value);
  if (features <= points) {
    return {.bias = 0, .variance = detail::ridgeless_variance(noise_variance, features, points - features - 1)};
  }
  return {.bias = squared_norm * (1 - points / features),
          .variance = detail::ridgeless_variance(noise_variance, points, features - points - 1)};
}

/// The limit of `isotropic_ridgeless_risk` for n, p to infinity with p / n = `aspect` (Hastie et al. 2022, theorem 1):
/// variance s^2 aspect / (1 - aspect) below 1; bias r^2 (1 - 1 / aspect) and variance s^2 / (aspect - 1) above. At n =
/// 100 it is 5 % too small at 0.8, and 20 % at 0.95. Throws Error unless aspect is above 0 and finite, and as above.
[[nodiscard]] inline RidgelessRisk isotropic_ridgeless_limit(double aspect, double squared_norm = 1,
                                                             double noise_variance = 1) {
  detail::require(aspect > 0 && std::isfinite(aspect), "isotropic_ridgeless_limit: aspect", "above 0 and finite",
                  aspect);
  detail::check_ridgeless("isotropic_ridgeless_limit: squared_norm", squared_norm,
                          "isotropic_ridgeless_limit: noise_variance", noise_variance);
  if (aspect <= 1) {
    return {.bias = 0, .variance = detail::ridgeless_variance(noise_variance, aspect, 1 - aspect)};
  }
  return {.bias = squared_norm * (1 - 1 / aspect),
          .variance = detail::ridgeless_variance(noise_variance, 1, aspect - 1)};
}

/// The expression k* / n + n / R_{k*} of Bartlett, Long, Lugosi and Tsigler (2020, theorem 4), infinite if there is no
/// k*. In units of the noise's variance and up to a constant it bounds the variance of the minimum norm interpolator of
/// n points, as long as k* is below n over another constant; for a larger k* the theorem promises a variance of the
/// order of the noise's. For Gaussian features of a benign spectrum the constant was 1.0 to 1.1
/// (`examples/210-benign-overfitting`). The spectrum is that of the population's covariance, as for `benign_split`,
/// whose errors it throws.
///     regimen::benign_variance_bound(regimen::spiked_spectrum(5, 2000, 2), 100);   // 0.10
[[nodiscard]] inline double benign_variance_bound(std::span<const double> spectrum, std::size_t n, double b = 1) {
  const auto split = benign_split(spectrum, n, b);
  if (!split) {
    return std::numeric_limits<double>::infinity();
  }
  const auto points = static_cast<double>(n);
  return static_cast<double>(*split) / points + points / squared_effective_rank(spectrum, *split);
}

}  // namespace regimen::inline v0
