#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The values by falling size. Throws Error, in the name of `who`, unless there is one and all are finite and at
/// least 0.
inline std::vector<double> sorted_spectrum(std::span<const double> spectrum, const std::string& who) {
  require(!spectrum.empty(), who + ": spectrum.size()", "at least 1", spectrum.size());
  for (std::size_t i = 0; i < spectrum.size(); ++i) {
    require(std::isfinite(spectrum[i]) && spectrum[i] >= 0, who + ": spectrum[" + text(i) + "]",
            "finite and at least 0", spectrum[i]);
  }
  std::vector<double> sorted(spectrum.begin(), spectrum.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  return sorted;
}

/// Sums of a falling spectrum's tail, in units of its largest value: no square over- or underflows.
struct SpectrumTail {
  double sum = 0;
  double squares = 0;
  double first = 0;  ///< the tail's largest value

  SpectrumTail(const std::vector<double>& sorted, std::size_t k) {
    for (std::size_t i = sorted.size(); i > k; --i) {  // small values first
      const double value = sorted[i - 1] / sorted[k];
      sum += value;
      squares += value * value;
    }
    first = sorted[k];
  }
};

/// The tail of a spectrum without its k largest values. Throws Error as `sorted_spectrum` does, and unless k is below
/// the number of values.
inline SpectrumTail spectrum_tail(std::span<const double> spectrum, std::size_t k, const std::string& who) {
  const std::vector<double> sorted = sorted_spectrum(spectrum, who);
  require(k < sorted.size(), who + ": k", "less than spectrum.size() = " + text(sorted.size()), k);
  return {sorted, k};
}

}  // namespace detail

/// The effective rank r_k = (l_{k+1} + l_{k+2} + ...) / l_{k+1} of a covariance's eigenvalues l_1 >= l_2 >= ... without
/// the k largest (Bartlett, Long, Lugosi and Tsigler 2020, definition 3), in [1, number of values - k]; of 4, 2, 1, 1
/// it is 2 for k = 0. r_0 is the trace over the norm. The values may come in any order; the scale does not matter. NaN
/// if all values left are 0. Throws Error for no values, negative or not finite ones, and unless k < their number.
///     regimen::effective_rank(regimen::covariance_spectrum(features));
[[nodiscard]] inline double effective_rank(std::span<const double> spectrum, std::size_t k = 0) {
  const detail::SpectrumTail tail = detail::spectrum_tail(spectrum, k, "effective_rank");
  return tail.first > 0 ? tail.sum : unknown;
}

/// The effective rank R_k = (l_{k+1} + l_{k+2} + ...)^2 / (l_{k+1}^2 + l_{k+2}^2 + ...) of Bartlett et al. (2020,
/// definition 3), in [r_k, r_k^2]; R_0 is also called the participation ratio. Otherwise like `effective_rank`.
[[nodiscard]] inline double squared_effective_rank(std::span<const double> spectrum, std::size_t k = 0) {
  const detail::SpectrumTail tail = detail::spectrum_tail(spectrum, k, "squared_effective_rank");
  return tail.first > 0 ? tail.sum * tail.sum / tail.squares : unknown;
}

/// The k* of Bartlett et al. (2020, theorem 4): the smallest k with r_k >= b n, for n samples. Interpolating n noisy
/// labels is benign if k* / n + n / R_{k*} is small; nullopt, if no k is, means that it is not. The theorem's b > 1 is
/// an unnamed constant.
///
/// The spectrum must be that of the population's covariance, as a model of the data or many more samples than n give
/// it. That of the n samples themselves has at most n values above 0, so r_k is at most n - k, below b n: nullopt,
/// whatever the data are. Values that are rounding count as a tail like any other: set them to 0, as
/// `covariance_spectrum` does. Throws Error as `effective_rank` does, and unless n >= 1 and b > 0.
[[nodiscard]] inline std::optional<std::size_t> benign_split(std::span<const double> spectrum, std::size_t n,
                                                             double b = 1) {
  detail::require(n >= 1, "benign_split: n", "at least 1", n);
  detail::require(b > 0, "benign_split: b", "above 0", b);
  const std::vector<double> sorted = detail::sorted_spectrum(spectrum, "benign_split");
  std::vector<double> sums(sorted);  // of each value and all smaller ones
  for (std::size_t i = sums.size() - 1; i > 0; --i) {
    sums[i - 1] += sums[i];
  }
  for (std::size_t k = 0; k < sorted.size() && sorted[k] > 0; ++k) {
    if (sums[k] / sorted[k] >= b * static_cast<double>(n)) {
      return k;
    }
  }
  return std::nullopt;
}

/// The entropy rank of Roy and Vetterli (2007): the exponential of the entropy of the values over their sum,
/// exp(-sum p log p), in [1, number of values]. The paper's values are a matrix's singular values, which for a
/// covariance are its eigenvalues. NaN if all are 0. Throws Error for no values, negative or not finite ones.
[[nodiscard]] inline double entropy_rank(std::span<const double> spectrum) {
  const detail::SpectrumTail all = detail::spectrum_tail(spectrum, 0, "entropy_rank");
  if (!(all.first > 0)) {
    return unknown;
  }
  double entropy = 0;
  for (const double value : spectrum) {
    const double share = value / all.first / all.sum;
    entropy -= share > 0 ? share * std::log(share) : 0;
  }
  return std::exp(entropy);
}

/// The stable rank of a matrix by its singular values s: ||A||_F^2 / ||A||_2^2 = sum s^2 / max s^2, in [1, rank]. NaN
/// if all are 0. Throws Error for no values, negative or not finite ones.
[[nodiscard]] inline double stable_rank(std::span<const double> singular_values) {
  const detail::SpectrumTail all = detail::spectrum_tail(singular_values, 0, "stable_rank");
  return all.first > 0 ? all.squares : unknown;
}

}  // namespace regimen::inline v0
