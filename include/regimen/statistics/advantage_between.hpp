#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {

namespace detail {

/// A mean of normal distributions around 0.
class CentredMixture {
 public:
  CentredMixture(std::span<const double> variances, const std::string& name) {
    require(!variances.empty(), name + ".size()", "at least 1", variances.size());
    for (std::size_t i = 0; i < variances.size(); ++i) {
      require(variances[i] > 0 && std::isfinite(variances[i]), name + "[" + text(i) + "]", "above 0 and finite",
              variances[i]);
      deviations_.push_back(std::sqrt(variances[i]));
    }
  }

  [[nodiscard]] double least() const { return *std::min_element(deviations_.begin(), deviations_.end()); }
  [[nodiscard]] double largest() const { return *std::max_element(deviations_.begin(), deviations_.end()); }

  /// The density at x, up to a factor that all mixtures share.
  [[nodiscard]] double density(double x) const {
    return mean([x](double s) { return std::exp(-(x / s) * (x / s) / 2) / s; });
  }

  /// The share of magnitudes up to x.
  [[nodiscard]] double share_within(double x) const {
    return mean([x](double s) { return std::erf(x / s / std::sqrt(2.0)); });
  }

 private:
  template <class Number>
  [[nodiscard]] double mean(const Number& of) const {
    double sum = 0;
    for (const double each : deviations_) {
      sum += of(each);
    }
    return sum / static_cast<double>(deviations_.size());
  }

  std::vector<double> deviations_{};
};

}  // namespace detail

/// The advantage TPR - FPR of the best test that tells one random number from another, each a mean of normal
/// distributions around 0 with these variances: half the integral of the densities' difference, which is their total
/// variation distance, in [0, 1]. For one variance each it is 2 |Phi(x / s) - Phi(x / t)| with the x at which the
/// densities cross. Up to rounding, but for two crossings within 2 % of x, which it may not see: 2e-6 for each such
/// pair. Takes for each variance some 350 exponentials, and 120 more for each power of ten that the standard deviations
/// span. Throws Error for an empty list, and for variances that are not above 0 and finite.
///     regimen::advantage_between(std::vector{1.0}, std::vector{4.0});   // 0.3227
[[nodiscard]] inline double advantage_between(std::span<const double> variances, std::span<const double> others) {
  const detail::CentredMixture p(variances, "advantage_between: variances");
  const detail::CentredMixture q(others, "advantage_between: others");
  const auto above = [&](double x) { return p.density(x) - q.density(x); };
  // Between two crossings the integral of |p - q| is that of p - q, which is a difference of shares.
  double sum = 0;
  double share = 0;
  bool is_above = above(0) > 0;
  const double first = 0.01 * std::min(p.least(), q.least());
  const double last = 10 * std::max(p.largest(), q.largest());
  for (double x = first; x < last; x *= 1.02) {
    const double next = above(x);
    if (next != 0 && (next > 0) != is_above) {
      double low = x / 1.02;
      double high = x;
      for (int i = 0; i < 50; ++i) {
        const double middle = (low + high) / 2;
        ((above(middle) > 0) == is_above ? low : high) = middle;
      }
      const double here = p.share_within(low) - q.share_within(low);
      sum += std::abs(here - share);
      share = here;
      is_above = next > 0;
    }
  }
  return std::min((sum + std::abs(share)) / 2, 1.0);
}

}  // namespace regimen::inline v0
