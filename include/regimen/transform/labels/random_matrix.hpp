#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/key/salts.hpp"
#include "regimen/transform/labels/matrix.hpp"

namespace regimen::inline v0 {

/// Properties of a random noise matrix (see `random_noise_matrix`).
struct RandomMatrix {
  Integer classes = 0;
  double trace = 0;             ///< sum of the probabilities that a label stays: classes times their mean
  double zeros = 0;             ///< share of each row's off-diagonal entries that are 0, rounded; at least one is not
  double min_kept = 0;          ///< lower bound of diagonal entries, in [0, 1]
  double max_kept = 1;          ///< upper bound of diagonal entries, in [0, 1]
  double min_flip = 0;          ///< lower bound of off-diagonal entries that are not 0, in [0, 1]
  double max_flip = 1;          ///< upper bound of off-diagonal entries, in [0, 1]
  std::vector<double> prior{};  ///< shares of the true classes in the data; empty: equal
  bool learnable = true;        ///< whether the matrix must be `learnable`
  Integer tries = 1000;         ///< maximum number of draws, at least 1

  /// The number of off-diagonal entries of a row that are not 0.
  [[nodiscard]] std::int64_t flips() const {
    const auto others = static_cast<double>(classes - 1);
    return std::max<std::int64_t>(1, classes - 1 - std::llround(zeros * others));
  }

  /// Bounds of the diagonal, with those that follow from the bounds of the other entries.
  [[nodiscard]] double lowest_kept() const { return std::max(min_kept, 1 - static_cast<double>(flips()) * max_flip); }
  [[nodiscard]] double highest_kept() const { return std::min(max_kept, 1 - static_cast<double>(flips()) * min_flip); }

  /// Resulting bounds of the trace. A trace outside by rounding, 1e-9, is taken as the bound: 2 (1 - 0.32) < 1.36 in
  /// doubles.
  [[nodiscard]] double lowest_trace() const { return static_cast<double>(classes) * lowest_kept(); }
  [[nodiscard]] double highest_trace() const { return static_cast<double>(classes) * highest_kept(); }

  void check() const {
    const auto share = [](double value, const char* field) {
      detail::require(value >= 0 && value <= 1, field, "in [0, 1]", value);
    };
    detail::require(classes >= 2, "RandomMatrix.classes", "at least 2", classes);
    share(zeros, "RandomMatrix.zeros");
    share(min_kept, "RandomMatrix.min_kept");
    share(max_kept, "RandomMatrix.max_kept");
    share(min_flip, "RandomMatrix.min_flip");
    share(max_flip, "RandomMatrix.max_flip");
    detail::require(tries >= 1, "RandomMatrix.tries", "at least 1", tries);
    detail::require(trace >= lowest_trace() - rounding && trace <= highest_trace() + rounding, "RandomMatrix.trace",
                    "in [" + detail::text(lowest_trace()) + ", " + detail::text(highest_trace()) +
                        "], which the bounds of the entries leave",
                    trace);
    detail::require(!learnable || trace > 1, "RandomMatrix.trace", "above 1 to be learnable", trace);
    check_prior();
  }

 private:
  static constexpr double rounding = 1e-9;

  void check_prior() const {
    if (prior.empty()) {
      return;
    }
    detail::require(prior.size() == static_cast<std::size_t>(classes), "RandomMatrix.prior.size()",
                    "classes, " + detail::text(classes.value), prior.size());
    for (const double p : prior) {
      detail::require(p >= 0 && p <= 1, "RandomMatrix.prior", "in [0, 1]", p);
    }
    const double sum = std::accumulate(prior.begin(), prior.end(), 0.0);
    detail::require(std::abs(sum - 1) <= 1e-9, "the sum of RandomMatrix.prior", "1", sum);
  }
};

/// Whether the true class can be inferred from many noisy labels: for every class k that occurs, label k is more
/// frequent among the samples of class k than among all samples. That is p(k) q(k) < p(k, k), with p the shares of the
/// true classes and q those of the labels (the check of cleanlab, where a class that does not occur makes every matrix
/// fail). prior: the shares of the true classes; empty: equal.
[[nodiscard]] inline bool learnable(const NoiseMatrix& noise, const std::vector<double>& prior = {}) {
  const auto rows = matrix_of(noise).rows.elements();
  const std::size_t n = rows.size();
  detail::require(prior.empty() || prior.size() == n, "learnable: prior.size()",
                  "the number of classes, " + detail::text(n), prior.size());
  for (std::size_t k = 0; k < n; ++k) {
    double called_k = 0;
    for (std::size_t i = 0; i < n; ++i) {
      called_k += (prior.empty() ? 1 / static_cast<double>(n) : prior[i]) * rows[i][k];
    }
    const bool occurs = prior.empty() || prior[k] > 0;
    // Labels independent of the class make both sides equal up to rounding: not learnable.
    if (occurs && !(rows[k][k] > called_k + 1e-12)) {
      return false;
    }
  }
  return true;
}

namespace detail {

/// A stream of numbers on the host that is a function of a seed.
class HostNumbers {
 public:
  HostNumbers(std::uint64_t seed, std::uint64_t attempt, std::int64_t n)
      : numbers_(fine_uniform(Key(seed, at::arange(n, at::kLong)).fold(salt::matrix).fold(attempt))) {}

  /// The next number, in [0, 1).
  double next() { return numbers_.data_ptr<double>()[next_++]; }

  /// The next number as a whole number in [0, n).
  std::size_t below(std::size_t n) {
    return std::min(n - 1, static_cast<std::size_t>(next() * static_cast<double>(n)));
  }

 private:
  at::Tensor numbers_;
  std::int64_t next_ = 0;
};

inline constexpr std::int64_t slice_sweeps = 20;

/// n numbers in [low, high] with this sum, all such lists equally likely: a Gibbs sampler from the list of equal
/// numbers that redraws pairs with a constant sum, 20 draws per number.
inline std::vector<double> on_slice(std::size_t n, double sum, double low, double high, HostNumbers& numbers) {
  std::vector<double> list(n, sum / static_cast<double>(n));
  for (std::size_t step = 0; n >= 2 && step < static_cast<std::size_t>(slice_sweeps) * n; ++step) {
    const std::size_t i = step % n;
    const std::size_t j = (i + 1 + numbers.below(n - 1)) % n;
    const double both = list[i] + list[j];
    const double least = std::max(low, both - high);
    const double most = std::min(high, both - low);
    list[i] = std::clamp(least + numbers.next() * (most - least), least, std::max(least, most));
    list[j] = both - list[i];
  }
  return list;
}

/// A random permutation of 0 to n - 1.
inline std::vector<std::size_t> shuffled_places(std::size_t n, HostNumbers& numbers) {
  std::vector<std::size_t> places(n);
  std::iota(places.begin(), places.end(), std::size_t{0});
  for (std::size_t k = n; k > 1; --k) {
    std::swap(places[k - 1], places[numbers.below(k)]);
  }
  return places;
}

inline NoiseMatrix draw_matrix(const RandomMatrix& how, std::uint64_t seed, std::uint64_t attempt) {
  const auto n = static_cast<std::size_t>(how.classes);
  const auto flips = static_cast<std::size_t>(how.flips());
  HostNumbers numbers(seed, attempt, (how.classes + 1) * how.classes * (2 * slice_sweeps + 1));
  const double trace = std::min(std::max(how.trace, how.lowest_trace()), how.highest_trace());
  const std::vector<double> kept = on_slice(n, trace, how.lowest_kept(), how.highest_kept(), numbers);
  auto rows = zero_rows(how.classes);
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<double> away = on_slice(flips, 1 - kept[i], how.min_flip, how.max_flip, numbers);
    const std::vector<std::size_t> places = shuffled_places(n - 1, numbers);
    for (std::size_t k = 0; k < flips; ++k) {
      rows[i][(i + 1 + places[k]) % n] = std::clamp(away[k], 0.0, 1.0);  // removes rounding errors
    }
    rows[i][i] = std::clamp(kept[i], 0.0, 1.0);
  }
  return {.rows = std::move(rows)};
}

}  // namespace detail

/// A random noise matrix with this trace and these bounds, a function of the seed: first the diagonal, then each row's
/// other entries, each uniformly within the remaining range; drawn again until it is learnable, if `learnable` asks for
/// that. For many classes and a trace just above 1 hardly any matrix is learnable.
/// Throws Error for fields outside their bounds, and if none of `tries` matrices is learnable.
///     const auto noise = regimen::random_noise_matrix({.classes = 10, .trace = 6}, /*seed=*/3);  // 40 % on average
[[nodiscard]] inline NoiseMatrix random_noise_matrix(const RandomMatrix& how, std::uint64_t seed) {
  how.check();
  for (std::int64_t attempt = 0; attempt < how.tries; ++attempt) {
    NoiseMatrix noise = detail::draw_matrix(how, seed, static_cast<std::uint64_t>(attempt));
    if (!how.learnable || learnable(noise, how.prior)) {
      return noise;
    }
  }
  throw Error("random_noise_matrix: none of " + detail::text(how.tries.value) + " matrices of trace " +
              detail::text(how.trace) + " is learnable: a larger trace, fewer zeros or more tries are needed");
}

}  // namespace regimen::inline v0
