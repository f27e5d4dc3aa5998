#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// How many finite values lie in each of a row of buckets of equal width.
struct Buckets {
  double min = 0;
  double max = 0;
  double sum = 0;
  double sum_of_squares = 0;
  std::vector<double> limits{};  ///< right end of each bucket, ascending; the last is `max`
  std::vector<double>
      counts{};  ///< values in [limit before, limit); the first begins at `min`, the last has its end too
  std::int64_t finite = 0;
  std::int64_t not_finite = 0;  ///< NaN and infinite values, which are in no bucket
};

/// The values in `buckets` buckets from the least to the largest; in one bucket if all are equal. No buckets if no
/// value is finite.
inline Buckets buckets_of(std::span<const double> values, std::size_t buckets) {
  Buckets result;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      ++result.not_finite;
      continue;
    }
    // Both ends are set by the first value: ascending values must set `min`, descending ones `max`.
    result.min = result.finite == 0 ? value : std::min(result.min, value);
    result.max = result.finite == 0 ? value : std::max(result.max, value);
    result.sum += value;
    result.sum_of_squares += value * value;
    ++result.finite;
  }
  if (result.finite == 0) {
    return result;
  }
  const std::size_t n = result.min == result.max ? 1 : buckets;
  for (std::size_t i = 1; i < n; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(n);
    result.limits.push_back(
        std::lerp(result.min, result.max, share));  // ascending also where min and max are ulps apart
  }
  result.limits.push_back(result.max);
  result.counts.assign(n, 0);
  for (const double value : values) {
    if (std::isfinite(value)) {
      const auto right = std::upper_bound(result.limits.begin(), result.limits.end() - 1, value);
      result.counts[static_cast<std::size_t>(right - result.limits.begin())] += 1;
    }
  }
  return result;
}

}  // namespace regimen::inline v0::detail
