#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/experiment/csv_table.hpp"
#include "regimen/experiment/files.hpp"
#include "regimen/experiment/plan.hpp"
#include "regimen/experiment/results.hpp"
#include "regimen/observe/read_log.hpp"
#include "regimen/record/history.hpp"

namespace regimen::inline v0::experiment {

namespace detail {

/// The values of a job's factors, its key among the rows.
inline std::vector<std::string> values_of(const Factors& factors) {
  std::vector<std::string> values;
  for (const auto& [name, value] : factors) {
    values.push_back(value);
  }
  return values;
}

/// The histories in epochs.csv, by the values of the factors. Without the file there are none.
inline std::map<std::vector<std::string>, History> published_histories(const std::string& path,
                                                                       const Factors& factors) {
  std::map<std::vector<std::string>, History> histories;
  if (!std::filesystem::exists(path)) {
    return histories;
  }
  const CsvTable table = read_csv(path);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    regimen::detail::require(
        i < table.heads.size() && table.heads[i] == factors[i].first, path + ": column " + regimen::detail::text(i + 1),
        "the factor \"" + factors[i].first + "\"", i < table.heads.size() ? table.heads[i] : "none");
  }
  const auto begin = static_cast<std::ptrdiff_t>(factors.size());
  const std::vector<std::string> columns(table.heads.begin() + begin, table.heads.end());
  for (const std::vector<std::string>& row : table.rows) {
    histories[{row.begin(), row.begin() + begin}].epochs.push_back(
        regimen::detail::epoch_of_csv({row.begin() + begin, row.end()}, columns));
  }
  for (auto& [values, history] : histories) {
    regimen::detail::number_phases(history);
  }
  return histories;
}

inline Ended ended_of(const std::string& path, const std::string& name) {
  for (const Ended ended : {Ended::running, Ended::epochs, Ended::criterion, Ended::stopped, Ended::diverged}) {
    if (name_of(ended) == name) {
      return ended;
    }
  }
  throw Error(path + ": ended must be epochs, criterion, stopped or diverged, but is \"" + name + "\"");
}

/// Puts into a result what its row of results.csv has: how it ended, accuracies and measures.
inline void add_row(Result& result, const std::string& path, const CsvTable& table,
                    const std::vector<std::string>& row) {
  const auto field = [&](const std::string& name) { return row[table.column(path, name)]; };
  if (result.history.empty()) {  // a folder without epochs.csv: the last epoch alone
    Epoch& last = result.history.epochs.emplace_back();
    last.clock.epoch = regimen::detail::csv_count(field("epochs"), "epochs");
    last.clock.step = regimen::detail::csv_count(field("steps"), "steps");
    last.fit.accuracy = regimen::detail::csv_value(field("fit_accuracy"), "fit_accuracy");
    last.clean.accuracy = regimen::detail::csv_value(field("clean_accuracy"), "clean_accuracy");
    last.test.accuracy = regimen::detail::csv_value(field("test_accuracy"), "test_accuracy");
    regimen::detail::mark_scores(last);
  }
  Epoch& last = result.history.epochs.back();
  for (std::size_t i = table.column(path, "test_accuracy") + 1; i < row.size(); ++i) {
    if (!row[i].empty()) {
      last.measures[table.heads[i]] = regimen::detail::csv_value(row[i], table.heads[i]);
    }
  }
  result.history.outcomes = {{last.phase, ended_of(path, field("ended")), last.clock}};
  if (result.has_score) {
    // Its loss is in no table, and none is made up: whether the network diverged says `ended`.
    result.score.accuracy = regimen::detail::csv_value(field("test_accuracy"), "test_accuracy");
  }
}

/// The jobs of a plan by the values of their factors.
using JobsByValues = std::map<std::vector<std::string>, const ExpectedJob*>;

inline JobsByValues jobs_of(const Plan& plan) {
  JobsByValues jobs;
  for (const Unit& unit : plan) {
    for (const ExpectedJob& job : unit.jobs) {
      jobs[values_of(job.factors)] = &job;
    }
  }
  return jobs;
}

/// "seed = 6, start = random".
inline std::string said(const Factors& names, const std::vector<std::string>& values) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    regimen::detail::add_item(text, names[i].first + " = " + values[i]);
  }
  return text;
}

/// Throws Error for a row of a table that no job of the plan has: a page of the others would pass for all of it.
inline void check_planned(const std::string& path, const Factors& names, const std::vector<std::string>& values,
                          const JobsByValues& jobs) {
  if (jobs.count(values) == 0) {
    throw Error(path + " has a row of " + said(names, values) +
                ", which is not in the plan of these options: give the options that the results were made with");
  }
}

/// The rows of results.csv by the values of the factors.
inline std::map<std::vector<std::string>, std::vector<std::string>> published_rows(const std::string& path,
                                                                                   const CsvTable& table,
                                                                                   const Factors& factors) {
  std::map<std::vector<std::string>, std::vector<std::string>> rows;
  for (const std::vector<std::string>& row : table.rows) {
    std::vector<std::string> values;
    for (const auto& [name, value] : factors) {
      values.push_back(row[table.column(path, name)]);
    }
    if (!rows.emplace(values, row).second) {
      throw Error(path + " has two rows of " + said(factors, values) + ": one of them must be taken out");
    }
  }
  return rows;
}

}  // namespace detail

/// The results of a plan's jobs as the tables tell that every experiment writes, results.csv and, if it is there,
/// epochs.csv: what is kept of a run whose checkpoints are gone. Measures and final accuracies have the four decimals
/// of results.csv. The loss of a final score is in no table: it is NaN, its samples are 0. Without epochs.csv each
/// history is the last epoch alone. Jobs that the tables do not have are left out.
/// Throws Error, with the file, if a table is not of this experiment, or has a row of a job that is not in the plan.
///     const ex::Results results = ex::read_published("docs/results/bad-minima-default", experiment.plan({}));
inline Results read_published(const std::string& folder, const Plan& plan) {
  const std::string path = folder + "/results.csv";
  if (!std::filesystem::exists(path)) {
    throw Error("there is no " + path + ": name a folder of results that this program wrote");
  }
  const detail::JobsByValues jobs = detail::jobs_of(plan);
  if (jobs.empty()) {
    throw Error("read_published: the plan has no job, so it finds none in " + path);
  }
  const Factors& names = jobs.begin()->second->factors;
  const CsvTable table = read_csv(path);
  const auto rows = detail::published_rows(path, table, names);
  const auto histories = detail::published_histories(folder + "/epochs.csv", names);
  for (const auto& [values, row] : rows) {
    detail::check_planned(path, names, values, jobs);
  }
  for (const auto& [values, history] : histories) {
    detail::check_planned(folder + "/epochs.csv", names, values, jobs);
  }
  Results results;
  for (const Unit& unit : plan) {
    for (const ExpectedJob& job : unit.jobs) {
      const std::vector<std::string> values = detail::values_of(job.factors);
      Result result{.job = job.name, .factors = job.factors, .has_score = job.scored};
      if (const auto history = histories.find(values); history != histories.end()) {
        result.history = history->second;
      }
      const auto row = rows.find(values);
      if (row != rows.end()) {
        detail::add_row(result, path, table, row->second);
      }
      if (!result.history.empty() && (row != rows.end() || !job.scored)) {
        results.add(std::move(result));
      }
    }
  }
  if (results.empty()) {
    throw Error(path + " has no row of any job of the plan: name a folder of results that this program wrote");
  }
  return results;
}

}  // namespace regimen::inline v0::experiment
