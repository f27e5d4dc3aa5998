#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/statistics/proportion.hpp"

namespace regimen::inline v0 {

/// What a test finds that calls "member" whoever scores `threshold` or more.
struct RocPoint {
  double threshold = unknown;        ///< infinite for the first point of a curve, where no one is called a member
  std::int64_t true_positives = 0;   ///< members that are called members
  std::int64_t false_positives = 0;  ///< others that are called members
};

/// A receiver operating characteristic: what every threshold of a score finds, for a score that is larger for members.
/// Members are the positives, everywhere in regimen. All numbers depend on the order of the scores alone.
struct Roc {
  std::vector<RocPoint> points{};  ///< by falling threshold, from nobody to everybody; one for each different score
  std::int64_t members = 0;
  std::int64_t others = 0;

  /// The share of the members that is found, in [0, 1].
  [[nodiscard]] double true_positive_rate(const RocPoint& point) const {
    return static_cast<double>(point.true_positives) / static_cast<double>(members);
  }

  /// The share of the others that is taken for members, in [0, 1].
  [[nodiscard]] double false_positive_rate(const RocPoint& point) const {
    return static_cast<double>(point.false_positives) / static_cast<double>(others);
  }

  /// The area under the curve: P(a member's score > another's) + P(equal) / 2, in [0, 1]; 0.5 is chance.
  [[nodiscard]] double area() const {
    double doubled = 0;  // twice the pairs that are ordered right: whole numbers, exact up to 2^53
    for (std::size_t i = 1; i < points.size(); ++i) {
      const std::int64_t step = points[i].false_positives - points[i - 1].false_positives;
      doubled +=
          static_cast<double>(step) * static_cast<double>(points[i].true_positives + points[i - 1].true_positives);
    }
    return doubled / 2 / static_cast<double>(members) / static_cast<double>(others);
  }

  /// The point of the largest true positive rate - false positive rate, the highest threshold among equals.
  [[nodiscard]] RocPoint best() const {
    return *std::max_element(points.begin(), points.end(),
                             [&](const RocPoint& a, const RocPoint& b) { return lift(a) < lift(b); });
  }

  /// The membership advantage (Yeom et al. 2018) of the best threshold, max(TPR - FPR), in [0, 1]; 0 is chance. It is
  /// too large on average, as the threshold is chosen on the scores that it is judged by: by 0.03 for 200 members, 200
  /// others and a true advantage of 0.38. `advantage_interval` allows for it.
  [[nodiscard]] double advantage() const { return lift(best()); }

  /// The point of the most true positives among those with a false positive rate of at most `rate`, a share in [0, 1]:
  /// no randomized threshold, no interpolation. With n others, rates below 1 / n are a rate of 0. Throws Error for
  /// another rate.
  [[nodiscard]] RocPoint at(double rate) const {
    detail::require(rate >= 0 && rate <= 1, "Roc.at: rate", "in [0, 1]", rate);
    RocPoint found = points.front();
    for (const RocPoint& point : points) {
      found = false_positive_rate(point) <= rate ? point : found;
    }
    return found;
  }

 private:
  [[nodiscard]] double lift(const RocPoint& point) const {
    return true_positive_rate(point) - false_positive_rate(point);
  }
};

namespace detail {

/// Throws Error, in the name of `who`, unless both lists of scores have at least one entry and no NaN.
inline void check_scores(std::span<const double> members, std::span<const double> others, const std::string& who) {
  const auto check = [&](std::span<const double> scores, const std::string& name) {
    require(!scores.empty(), who + ": " + name + ".size()", "at least 1", scores.size());
    for (std::size_t i = 0; i < scores.size(); ++i) {
      require(!std::isnan(scores[i]), who + ": " + name + "[" + text(i) + "]", "a number", scores[i]);
    }
  };
  check(members, "members");
  check(others, "others");
}

}  // namespace detail

/// The curve of a score's thresholds. members, others: the scores of each, larger for members; infinite ones are
/// allowed. Equal scores are one point. Sorts both: O(n log n). Throws Error for an empty list and for NaN.
///     const regimen::Roc curve = regimen::roc(scores_of_members, scores_of_others);
///     curve.area();
[[nodiscard]] inline Roc roc(std::span<const double> members, std::span<const double> others) {
  detail::check_scores(members, others, "roc");
  std::vector<double> of_members(members.begin(), members.end());
  std::vector<double> of_others(others.begin(), others.end());
  std::sort(of_members.begin(), of_members.end(), std::greater<>());
  std::sort(of_others.begin(), of_others.end(), std::greater<>());
  Roc result{.points = {RocPoint{.threshold = std::numeric_limits<double>::infinity()}},
             .members = static_cast<std::int64_t>(members.size()),
             .others = static_cast<std::int64_t>(others.size())};
  std::size_t found = 0;
  std::size_t taken = 0;
  while (found < of_members.size() || taken < of_others.size()) {
    const double next = found == of_members.size()  ? of_others[taken]
                        : taken == of_others.size() ? of_members[found]
                                                    : std::max(of_members[found], of_others[taken]);
    for (; found < of_members.size() && of_members[found] == next; ++found) {}
    for (; taken < of_others.size() && of_others[taken] == next; ++taken) {}
    result.points.push_back({.threshold = next,
                             .true_positives = static_cast<std::int64_t>(found),
                             .false_positives = static_cast<std::int64_t>(taken)});
  }
  return result;
}

/// What a threshold finds at a low false positive rate, with an interval for each of both rates.
struct OperatingPoint {
  double threshold = unknown;
  Proportion true_positive_rate{};
  Proportion false_positive_rate{};
};

/// The true positive rate at a false positive rate of at most `rate`, with the intervals of Clopper and Pearson: how an
/// attack on membership is to be judged (Carlini et al. 2022, section III).
///
/// The intervals are for the rates that this threshold has for all data. That of the false positive rate holds although
/// the threshold is chosen by the same scores: its ends are those of the order statistics next to it. Throws Error
/// unless rate is in [0, 1] and level in (0, 1).
///     const auto at_1_percent = regimen::operating_point(regimen::roc(members, others), 0.01);
[[nodiscard]] inline OperatingPoint operating_point(const Roc& curve, double rate, double level = 0.95) {
  const RocPoint point = curve.at(rate);
  return {.threshold = point.threshold,
          .true_positive_rate = clopper_pearson_interval(point.true_positives, curve.members, level),
          .false_positive_rate = clopper_pearson_interval(point.false_positives, curve.others, level)};
}

}  // namespace regimen::inline v0
