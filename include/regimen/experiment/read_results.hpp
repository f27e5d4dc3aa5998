#pragma once

#include <optional>
#include <string>
#include <utility>

#include "regimen/experiment/files.hpp"
#include "regimen/experiment/job_files.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/results.hpp"
#include "regimen/experiment/results_table.hpp"
#include "regimen/report/csv.hpp"

namespace regimen::inline v0::experiment {

/// Reads a job's result; nullopt until the job, and its score if planned, is finished. Throws Error for a damaged file.
inline std::optional<Result> read_result(const std::string& folder, const ExpectedJob& job) {
  const JobFiles files{folder, job.name};
  const std::optional<Score> score = job.scored ? read_score(files.score()) : Score{};
  std::optional<History> history = score ? files.history() : std::nullopt;
  if (!history) {
    return std::nullopt;
  }
  return Result{.job = job.name,
                .factors = job.factors,
                .history = std::move(*history),
                .score = *score,
                .has_score = job.scored};
}

/// Reads the results of all finished jobs of a plan, in the plan's order.
inline Results read_results(const std::string& folder, const Plan& plan) {
  Results results;
  for (const Unit& unit : plan) {
    for (const ExpectedJob& job : unit.jobs) {
      if (std::optional<Result> result = read_result(folder, job)) {
        results.add(std::move(*result));
      }
    }
  }
  return results;
}

/// Writes results.csv, epochs.csv and manifest.json into a results folder. `settings`: JSON.
inline void write_result_files(const std::string& folder, const std::string& settings, const Results& results) {
  write_file(folder + "/results.csv", report::csv(table_of(results)));
  write_file(folder + "/epochs.csv", epochs_csv(results));
  write_manifest(folder, settings, results.jobs());
}

}  // namespace regimen::inline v0::experiment
