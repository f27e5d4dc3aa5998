#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/statistics/detail/incomplete_beta.hpp"
#include "regimen/statistics/detail/normal.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Throws Error, in the name of `who`, unless 0 <= hits <= trials and level is in (0, 1).
inline void check_share(std::int64_t hits, std::int64_t trials, double level, const std::string& who) {
  require(trials >= 0, who + ": trials", "at least 0", trials);
  require(hits >= 0 && hits <= trials, who + ": hits", "in [0, " + text(trials) + "]", hits);
  require(level > 0 && level < 1, who + ": level", "in (0, 1)", level);
}

}  // namespace detail

/// A share hits / trials with a confidence interval for the probability behind it.
struct Proportion {
  double share = unknown;  ///< hits / trials; NaN without trials
  double low = unknown;    ///< ends of the confidence interval, in [0, 1]
  double high = unknown;
  std::int64_t trials = 0;
};

/// The share of hits with Wilson's score interval (1927): all probabilities that the count does not reject at this
/// level.
///
/// The simpler interval share +- z * deviation is empty for 0 hits; this one is not. Its coverage is `level` on average
/// and a little below it for some probabilities. The trials must be independent and equally likely to hit.
/// Throws Error unless 0 <= hits <= trials and level is in (0, 1).
///     const auto rate = regimen::wilson_interval(81, 263);  // 0.308, 0.255 to 0.366
[[nodiscard]] inline Proportion wilson_interval(std::int64_t hits, std::int64_t trials, double level = 0.95) {
  detail::check_share(hits, trials, level, "wilson_interval");
  Proportion result{.trials = trials};
  if (trials == 0) {
    return result;
  }
  const auto n = static_cast<double>(trials);
  const double z = detail::normal_two_sided_quantile(level);
  const double share = static_cast<double>(hits) / n;
  const double shrink = 1 + z * z / n;
  const double middle = (share + z * z / (2 * n)) / shrink;
  const double half = z / shrink * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  result.share = share;
  result.low = hits == 0 ? 0 : std::max(0.0, middle - half);
  result.high = hits == trials ? 1 : std::min(1.0, middle + half);
  return result;
}

/// The share of hits with the interval of Clopper and Pearson (1934): its coverage is at least `level` for every
/// probability, also for the few hits behind a rate of 0.1 %, where Wilson's may fall short. It is wider for that: 95 %
/// intervals of 100 trials hold the probability in 96 % of all cases on average.
/// The trials must be independent and equally likely to hit. Throws Error as `wilson_interval` does.
///     const auto rate = regimen::clopper_pearson_interval(7, 1000);  // 0.007, 0.0028 to 0.0144
[[nodiscard]] inline Proportion clopper_pearson_interval(std::int64_t hits, std::int64_t trials, double level = 0.95) {
  detail::check_share(hits, trials, level, "clopper_pearson_interval");
  Proportion result{.trials = trials};
  if (trials == 0) {
    return result;
  }
  const auto k = static_cast<double>(hits);
  const auto n = static_cast<double>(trials);
  const double tail = (1 - level) / 2;
  result.share = k / n;
  result.low = hits == 0 ? 0 : detail::beta_quantile(tail, k, n - k + 1);
  result.high =
      hits == trials ? 1 : 1 - detail::beta_quantile(tail, n - k, k + 1);  // of 1 - x: a tail keeps its digits
  return result;
}

}  // namespace regimen::inline v0
