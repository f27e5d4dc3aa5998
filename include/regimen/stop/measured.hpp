#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/stop/concept.hpp"
#include "regimen/stop/detail/streak.hpp"

/// Criteria that read, by name, the values of `Scoring::measures`. `run` refuses a phase that reads a measure which is
/// not there. They count scorings; a value that is NaN does not count.
namespace regimen::inline v0 {

namespace detail {

/// All values of a measure that are not NaN, in order.
inline std::vector<double> values_of(const History& history, const std::string& measure) {
  std::vector<double> values;
  for (const Epoch& epoch : history) {
    if (const double value = value_of(epoch, measure); !std::isnan(value)) {
      values.push_back(value);
    }
  }
  return values;
}

}  // namespace detail

/// A criterion that is met if a measure exceeds `bound` in each of the last `hold` scorings. With the distance of the
/// weights from where training began it is a distance budget: weights stay near the start as long as wrong labels are
/// not fitted, and must go far to fit them (Li, Soltanolkotabi and Oymak 2020). It needs no clean data, only a bound.
///     scoring.measures["distance"] = regimen::DistanceFrom{regimen::Snapshot(net)};
///     phase.until = regimen::MeasureExceeds{.measure = "distance", .bound = 12};
struct MeasureExceeds {
  std::string measure;  ///< name of the measure in `Scoring::measures`
  double bound = 0;     ///< bound in units of the measure, not NaN
  Integer hold = 1;     ///< scorings in a row, at least 1

  void check() const {
    detail::require(!measure.empty(), "MeasureExceeds.measure", "a name", measure);
    detail::require(!std::isnan(bound), "MeasureExceeds.bound", "a number", bound);
    detail::check_hold("MeasureExceeds.hold", hold);
  }

  bool operator()(const History& history) const {
    return detail::streak(history, hold, [this](const Epoch& epoch) -> std::optional<bool> {
      const double value = value_of(epoch, measure);
      if (std::isnan(value)) {
        return std::nullopt;
      }
      return value > bound;
    });
  }

  [[nodiscard]] std::vector<std::string> measures() const { return {measure}; }
};

/// A criterion that is met if a measure that falls at first is past its minimum: for `scorings` scorings its mean over
/// the last `window` values has not been below the least such mean. With `PredictionChanges` it is Label Wave (Yuan,
/// Feng and Liu 2025), which ends a phase before wrong labels are memorized, and needs no clean data.
///     scoring.measures["changes"] = regimen::PredictionChanges(noisy);
///     phase.until = regimen::MeasureRises{.measure = "changes", .window = 3, .scorings = 2};
struct MeasureRises {
  std::string measure;   ///< name of the measure in `Scoring::measures`
  Integer window = 1;    ///< number of values in a mean, at least 1
  Integer scorings = 1;  ///< number of scorings without a new minimum, at least 1

  void check() const {
    detail::require(!measure.empty(), "MeasureRises.measure", "a name", measure);
    detail::require(window >= 1, "MeasureRises.window", "at least 1", window);
    detail::require(scorings >= 1, "MeasureRises.scorings", "at least 1", scorings);
  }

  bool operator()(const History& history) const {
    const std::vector<double> values = detail::values_of(history, measure);
    const auto length = static_cast<std::size_t>(window);
    double least = INFINITY;
    int waited = 0;
    for (std::size_t end = length; end <= values.size(); ++end) {
      double mean = 0;
      for (std::size_t i = end - length; i < end; ++i) {
        mean += values[i] / static_cast<double>(window.value);
      }
      waited = mean < least ? 0 : waited + 1;
      least = std::min(least, mean);
    }
    return waited >= scorings;
  }

  [[nodiscard]] std::vector<std::string> measures() const { return {measure}; }
};

}  // namespace regimen::inline v0
