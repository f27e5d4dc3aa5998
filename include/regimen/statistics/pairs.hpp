#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/statistics/jackknife.hpp"

namespace regimen::inline v0 {

/// The mean of a number of pairs over all pairs among `members`, with its confidence interval and range.
struct PairsMean {
  double mean = unknown;        ///< NaN for fewer than two members
  double half_width = unknown;  ///< half the width of the confidence interval; NaN for fewer than three members
  double least = unknown;       ///< the least and the largest number of any pair
  double largest = unknown;
  std::size_t members = 0;

  [[nodiscard]] double low() const { return mean - half_width; }
  [[nodiscard]] double high() const { return mean + half_width; }
};

/// The mean of a symmetric number of pairs, such as the disagreement of two networks, over all pairs of k members.
/// of_pairs: [k, k] row by row; its diagonal is not read.
///
/// Pairs that share a member are not independent, so k (k - 1) / 2 of them tell less than as many independent numbers.
/// The interval is Student's t with k - 1 degrees of freedom around the jackknife's variance, from leaving out one
/// member, with all its pairs, at a time (Arvesen 1969). It is for the mean over all members that might have been
/// drawn, given the data that the pairs are compared on. For |x - y| with uniform x and y the 95 % interval holds the
/// mean in 92 to 96 % of all cases with 3 to 20 members; it is too wide, 99 %, where pairs differ and members do not.
/// Throws Error unless of_pairs is symmetric with k^2 finite entries and level is in (0, 1).
[[nodiscard]] inline PairsMean mean_over_pairs(std::span<const double> of_pairs, std::size_t k, double level = 0.95) {
  detail::require(of_pairs.size() == k * k, "mean_over_pairs: of_pairs.size()", "k^2 = " + detail::text(k * k),
                  of_pairs.size());
  detail::require(level > 0 && level < 1, "mean_over_pairs: level", "in (0, 1)", level);
  PairsMean result{.members = k};
  if (k < 2) {
    return result;
  }
  std::vector<double> of_member(k, 0.0);  // sums over the pairs of each
  double sum = 0;                         // over ordered pairs
  result.least = result.largest = of_pairs[1];
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      if (i == j) {
        continue;
      }
      const double value = of_pairs[i * k + j];
      const std::string name = "mean_over_pairs: of_pairs[" + detail::text(i) + ", " + detail::text(j) + "]";
      detail::require(std::isfinite(value), name, "finite", value);
      detail::require(value == of_pairs[j * k + i], name, "that of the same pair, " + detail::text(of_pairs[j * k + i]),
                      value);
      of_member[i] += value;
      result.least = std::min(result.least, value);
      result.largest = std::max(result.largest, value);
    }
    sum += of_member[i];
  }
  const auto n = static_cast<double>(k);
  result.mean = sum / (n * (n - 1));
  if (k < 3) {
    return result;
  }
  std::vector<double> without;  // one of the members
  for (const double of_one : of_member) {
    without.push_back((sum - 2 * of_one) / ((n - 1) * (n - 2)));
  }
  result.half_width = jackknife_interval(result.mean, without, level).half_width;
  return result;
}

}  // namespace regimen::inline v0
