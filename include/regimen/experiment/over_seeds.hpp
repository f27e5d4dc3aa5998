#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/experiment/results.hpp"
#include "regimen/report/table.hpp"
#include "regimen/statistics/mean.hpp"

namespace regimen::inline v0::experiment {

/// The fit accuracy of a job's last epoch, in [0, 1]; 0 if the job diverged before it was scored.
inline double fit_of(const Result& result) {
  const double fit = result.history.back().fit.accuracy;
  return std::isnan(fit) ? 0 : fit;
}

/// The results of jobs that differ in their seed alone.
struct OverSeeds {
  std::vector<std::string> seeds{};     ///< in the order of the jobs
  std::vector<double> accuracy{};       ///< final accuracy by seed, in percent
  Interval mean_accuracy{};             ///< in percent, Student-t
  double least_fit = 1;                 ///< smallest fit accuracy of the jobs (`fit_of`), in [0, 1]
  double epochs = 0;                    ///< mean number of epochs
  std::vector<std::string> diverged{};  ///< seeds of diverged jobs, which count in the means
  Results results{};

  /// The mean accuracy for a table; missing if a seed diverged.
  [[nodiscard]] report::Cell accuracy_cell() const {
    return diverged.empty() ? report::Cell(mean_accuracy) : report::Missing{"diverged"};
  }

  /// The mean fit of the jobs' own labels in percent; a diverged job fits nothing.
  [[nodiscard]] double mean_fit() const { return 100 * mean_interval(results.values(fit_of)).mean; }

  /// The mean of a measure at the last epoch; NaN if one of the jobs did not take it.
  [[nodiscard]] double mean_measure(const std::string& name) const {
    return mean_interval(results.values([&](const Result& each) { return each.measure(name); })).mean;
  }
};

/// Summarizes jobs that differ only in factor "seed". Accuracy: the final score, else the last epoch's on the test set.
/// Throws Error for two jobs of one seed.
inline OverSeeds over_seeds(const Results& results) {
  OverSeeds all{.results = results};
  for (const Result& result : results) {
    const std::string& seed = result.factor("seed");
    if (std::find(all.seeds.begin(), all.seeds.end(), seed) != all.seeds.end()) {
      throw Error("over_seeds: " + result.job + " is the second job with seed " + seed +
                  ": the jobs differ in more than their seed; say which by Results::where");
    }
    all.seeds.push_back(seed);
    all.accuracy.push_back(100 * result.test().accuracy);
    all.least_fit = std::min(all.least_fit, fit_of(result));
    if (result.diverged()) {
      all.diverged.push_back(seed);
    }
  }
  all.mean_accuracy = mean_interval(all.accuracy);
  all.epochs = mean_interval(results.values([](const Result& each) {
                 return static_cast<double>(each.history.back().clock.epoch);
               })).mean;
  return all;
}

/// The difference of two arms' accuracies in percentage points, a minus b, paired by seed, with its Student-t interval.
/// Throws Error unless both have the same seeds in the same order.
inline Interval paired_by_seed(const OverSeeds& a, const OverSeeds& b) {
  if (a.seeds != b.seeds) {
    throw Error("paired_by_seed: the two arms have different seeds; take those that both have by `seeds_of_all`");
  }
  return paired_difference(a.accuracy, b.accuracy);
}

/// The seeds for which every arm has a result, in the order of the first arm: only results of the same seeds are
/// comparable.
inline std::vector<std::string> seeds_of_all(const std::vector<Results>& arms) {
  std::vector<std::string> seeds;
  for (const Result& result : arms.empty() ? Results() : arms.front()) {
    const std::string& seed = result.factor("seed");
    if (std::all_of(arms.begin(), arms.end(),
                    [&](const Results& arm) { return arm.find({{"seed", seed}}) != nullptr; })) {
      seeds.push_back(seed);
    }
  }
  return seeds;
}

/// The results whose seed is in `seeds`, in the order of `results`.
inline Results of_seeds(const Results& results, const std::vector<std::string>& seeds) {
  Results some;
  for (const Result& result : results) {
    if (std::find(seeds.begin(), seeds.end(), result.factor("seed")) != seeds.end()) {
      some.add(result);
    }
  }
  return some;
}

}  // namespace regimen::inline v0::experiment
