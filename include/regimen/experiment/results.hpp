#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::experiment {

/// The result of a finished job.
struct Result {
  std::string job{};
  Factors factors{};  ///< names and values that distinguish the job
  History history{};
  Score score{};           ///< score of the trained network, if planned (`Job::score`)
  bool has_score = false;  ///< whether the plan includes the score

  /// The value of a factor. Throws Error if the job has no such factor.
  [[nodiscard]] const std::string& factor(const std::string& name) const {
    const auto found =
        std::find_if(factors.begin(), factors.end(), [&](const auto& factor) { return factor.first == name; });
    if (found == factors.end()) {
      throw Error("the job " + job + " has no factor \"" + name + "\": see ExpectedJob::factors of its plan");
    }
    return found->second;
  }

  /// Whether the factors have these values. Throws Error for a factor that the job lacks.
  [[nodiscard]] bool has(const Factors& wanted) const {
    return std::all_of(wanted.begin(), wanted.end(),
                       [&](const auto& wants) { return factor(wants.first) == wants.second; });
  }

  /// The final score if the plan includes it, else the last epoch's on the test set.
  [[nodiscard]] const Score& test() const { return has_score ? score : history.back().test; }

  /// The value of a measure at the last epoch; NaN if it was not taken.
  [[nodiscard]] double measure(const std::string& name) const { return value_of(history.back(), name); }

  /// Whether the training diverged, or the loss of the final score is not finite: weights that become infinite in the
  /// last step leave the training loss finite.
  [[nodiscard]] bool diverged() const {
    return history.ended() == Ended::diverged || (score.scored() && !std::isfinite(score.loss));
  }
};

/// The finished jobs of a results folder.
class Results {
 public:
  Results() = default;
  explicit Results(std::vector<Result> results) : results_(std::move(results)) {}

  Results& add(Result result) {
    results_.push_back(std::move(result));
    return *this;
  }

  /// The results whose factors have these values, in order. Throws Error for a factor that a result lacks.
  ///     results.where({{"start", "random"}, {"regularizers", "vanilla"}})
  [[nodiscard]] Results where(const Factors& wanted) const {
    Results found;
    for (const Result& result : results_) {
      if (result.has(wanted)) {
        found.add(result);
      }
    }
    return found;
  }

  /// The first result of `where`; nullptr if there is none.
  [[nodiscard]] const Result* find(const Factors& wanted) const {
    const auto found =
        std::find_if(results_.begin(), results_.end(), [&](const Result& result) { return result.has(wanted); });
    return found == results_.end() ? nullptr : &*found;
  }

  /// The value of `number(result)` for each result, in order.
  template <class Number>
  [[nodiscard]] std::vector<double> values(Number&& number) const {
    std::vector<double> all;
    for (const Result& result : results_) {
      all.push_back(number(result));
    }
    return all;
  }

  [[nodiscard]] std::vector<std::string> jobs() const {
    std::vector<std::string> names;
    for (const Result& result : results_) {
      names.push_back(result.job);
    }
    return names;
  }

  [[nodiscard]] bool empty() const { return results_.empty(); }
  [[nodiscard]] std::size_t size() const { return results_.size(); }
  [[nodiscard]] auto begin() const { return results_.begin(); }
  [[nodiscard]] auto end() const { return results_.end(); }
  [[nodiscard]] auto begin() { return results_.begin(); }
  [[nodiscard]] auto end() { return results_.end(); }

 private:
  std::vector<Result> results_{};
};

/// The number of units of a plan whose jobs are all among the results.
inline std::size_t complete_units(const Plan& plan, const Results& results) {
  const std::vector<std::string> done = results.jobs();
  return static_cast<std::size_t>(std::count_if(plan.begin(), plan.end(), [&](const Unit& unit) {
    return std::all_of(unit.jobs.begin(), unit.jobs.end(), [&](const ExpectedJob& job) {
      return std::find(done.begin(), done.end(), job.name) != done.end();
    });
  }));
}

}  // namespace regimen::inline v0::experiment
