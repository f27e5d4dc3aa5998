#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/statistics/advantage_between.hpp"

namespace regimen::inline v0 {

/// The point x whose membership is asked: all that the laws of `MembershipModel` need of it.
struct AttackedPoint {
  double seen = 0;  ///< squared norm of the p features that the regression sees
  double all = 0;   ///< squared norm of all D features
};

/// The variances of the prediction at a point, which is normal around 0 given the training inputs.
struct PredictionVariances {
  std::vector<double> member{};  ///< where the point is one of the training points
  std::vector<double> other{};   ///< where it is not
};

/// The membership of a point in the training set of a linear regression (Tan, Mason, Javadi and Baraniuk 2022): n
/// points x of D standard normal features, labels y = x . beta + noise, beta ~ N(0, I / D), and least squares on the
/// first p features, of the smallest norm where p > n. The adversary knows all distributions, the point x and the
/// prediction at x.
///
/// Both laws give the advantage TPR - FPR of the best attack for given points. It is 1 where every prediction tells
/// member from other. Where p is far below D it falls to about 0 near p = 2 n, as both predict with one variance.
///     const regimen::MembershipModel model{.n = 100, .p = 300, .D = 10000};
///     double exact = 0;
///     for (const regimen::AttackedPoint& x : model.points(20, /*seed=*/1)) {
///       exact += model.advantage(x, 1000, 2) / 20;   // 0.16
///     }
struct MembershipModel {
  Integer n = 100;    ///< training points, at least 1
  Integer p = 300;    ///< features that the regression sees, in [1, D]
  Integer D = 10000;  ///< features that make the labels
  double noise = 1;   ///< standard deviation of the labels' noise, at least 0

  /// Throws Error for a field out of its range.
  void check() const {
    detail::require(n >= 1, "MembershipModel.n", "at least 1", n);
    detail::require(p >= 1 && p <= D, "MembershipModel.p", "in [1, D = " + detail::text(D.value) + "]", p);
    detail::require(noise >= 0 && std::isfinite(noise), "MembershipModel.noise", "at least 0 and finite", noise);
  }

  /// Throws Error for a field out of its range, also of the point.
  void check(const AttackedPoint& x) const {
    check();
    detail::require(x.seen > 0 && std::isfinite(x.seen), "AttackedPoint.seen", "above 0 and finite", x.seen);
    detail::require(x.all >= x.seen && std::isfinite(x.all), "AttackedPoint.all",
                    "at least seen = " + detail::text(x.seen) + " and finite", x.all);
  }

  /// Points of the model's distribution. Equal seeds give equal numbers with one standard library; also below.
  [[nodiscard]] std::vector<AttackedPoint> points(Integer count, std::uint64_t seed) const {
    check();
    detail::require(count >= 1, "MembershipModel.points: count", "at least 1", count);
    std::mt19937_64 words(seed);
    std::vector<AttackedPoint> result;
    for (std::int64_t i = 0; i < count; ++i) {
      const double seen = chi_squared(p, words);
      result.push_back({.seen = seen, .all = seen + chi_squared(D - p, words)});
    }
    return result;
  }

  /// The variances of the prediction at a point over so many draws of the training inputs, by their exact law: a few
  /// chi squared and normal variables in place of n x D normal ones. A member's is one number where p >= n, that of its
  /// label. Throws Error for a field out of its range.
  [[nodiscard]] PredictionVariances variances(const AttackedPoint& x, Integer draws, std::uint64_t seed) const {
    check(x);
    detail::require(draws >= 1, "MembershipModel.variances: draws", "at least 1", draws);
    std::mt19937_64 words(seed);
    PredictionVariances result;
    if (p >= n) {
      result.member.push_back(label_variance(x));
    }
    for (std::int64_t i = 0; i < draws; ++i) {
      const double unseen = noise * noise + chi_squared(D - p, words) / dimensions();
      if (p <= n) {
        result.other.push_back(x.seen * (1 / dimensions() + unseen / chi_squared(n - p + 1, words)));
      } else {
        const double a = chi_squared(n, words);
        const double s = chi_squared(p - n, words);
        const double u = chi_squared(n - 1, words) / chi_squared(p - n + 1, words);
        result.other.push_back(x.seen * (a / (a + s) / dimensions() + unseen * a * (1 + u) / ((a + s) * (a + s))));
      }
      if (p < n) {
        result.member.push_back(fitted_variance(x, words));
      }
    }
    return result;
  }

  /// The advantage by the exact law, between the mixtures over so many draws of the training inputs, which the
  /// adversary does not know. Errors as `variances`.
  [[nodiscard]] double advantage(const AttackedPoint& x, Integer draws = 1000, std::uint64_t seed = 0) const {
    const PredictionVariances of = variances(x, draws, seed);
    return advantage_between(of.member, of.other);
  }

  /// The closed form of the paper (theorem 3.2), the limit for n, p and D to infinity: one normal distribution each. An
  /// other's variance is the mean over the training inputs, and a member's is its label's. The paper has p > n. For
  /// p < n, where a member's label is not fitted exactly, its variance is that at the limit of the point's leverage, by
  /// the same reasoning. 1 where p is n - 1, n or n + 1, at which an other's mean is infinite, unless the labels are a
  /// function of the p features (p = D without noise). Throws Error for a field out of its range.
  [[nodiscard]] double asymptotic_advantage(const AttackedPoint& x) const {
    check(x);
    const auto samples = static_cast<double>(n.value);
    const auto features = static_cast<double>(p.value);
    const double unseen = noise * noise + 1 - features / dimensions();
    const double freedom = std::abs(features - samples) - 1;
    if (unseen > 0 && freedom <= 0) {
      return 1;
    }
    const double q = unseen > 0 ? x.seen / freedom : 0;
    const double other = (x.seen / dimensions() + unseen * q) * (p > n ? samples / features : 1);
    const double share = q / (1 + q);  // of the point's own label in a member's prediction, for p < n
    const double own = noise * noise + (x.all - x.seen) / dimensions();
    const double member =
        p >= n ? label_variance(x) : x.seen / dimensions() + unseen * share / (1 + q) + own * share * share;
    return advantage_between(std::vector{member}, std::vector{other});
  }

 private:
  [[nodiscard]] double dimensions() const { return static_cast<double>(D.value); }

  /// Of the point's label: what it is predicted as where labels are fitted exactly.
  [[nodiscard]] double label_variance(const AttackedPoint& x) const { return noise * noise + x.all / dimensions(); }

  /// Of the prediction (other + q label) / (1 + q) at a training point for p < n, q = x . (X' X)^-1 x of all other
  /// training points X, for one draw of them. What the regression does not see, D - p features of the point and as many
  /// means of the others' features, adds up before it is squared: `along` is its part in the direction of the point's.
  [[nodiscard]] double fitted_variance(const AttackedPoint& x, std::mt19937_64& words) const {
    const double q = x.seen / chi_squared(n - p, words);
    double unseen = 0;
    if (p < D) {
      const double along = std::sqrt(q) * std::normal_distribution<double>()(words) + q * std::sqrt(x.all - x.seen);
      unseen = along * along + q * chi_squared(D - p - 1, words);
    }
    return x.seen / dimensions() + noise * noise * q / (1 + q) + unseen / dimensions() / ((1 + q) * (1 + q));
  }

  /// 0 without degrees of freedom.
  static double chi_squared(std::int64_t freedom, std::mt19937_64& words) {
    return freedom == 0 ? 0 : std::chi_squared_distribution<double>(static_cast<double>(freedom))(words);
  }
};

}  // namespace regimen::inline v0
