#pragma once
// No LibTorch.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "regimen/base/csv_field.hpp"
#include "regimen/experiment/results.hpp"
#include "regimen/observe/log.hpp"
#include "regimen/report/table.hpp"

namespace regimen::inline v0::experiment {

namespace detail {

/// The names of the factors, which all results share. Throws Error if they differ.
inline std::vector<std::string> factor_names(const Results& results) {
  const auto names_of = [](const Result& result) {
    std::vector<std::string> names;
    for (const auto& [name, value] : result.factors) {
      names.push_back(name);
    }
    return names;
  };
  std::vector<std::string> names;
  for (const Result& result : results) {
    const std::vector<std::string> own = names_of(result);
    names = names.empty() ? own : names;
    if (own != names) {
      throw Error("the jobs " + results.begin()->job + " and " + result.job +
                  " have different factors: ExpectedJob::factors must name the same, in one order, for all jobs");
    }
  }
  return names;
}

}  // namespace detail

/// A table of the finished jobs, a row each: factors, epochs, steps, how the training ended, accuracies, and every
/// measure that any job took. If some jobs have a final score, the table holds only those: the others prepare them.
/// `test_accuracy` is that of the final score, else that of the last epoch.
inline report::Table table_of(const Results& results) {
  const bool some_scored =
      std::any_of(results.begin(), results.end(), [](const Result& each) { return each.has_score; });
  std::vector<const Result*> shown;
  std::set<std::string> measures;
  for (const Result& result : results) {
    if (result.has_score || !some_scored) {
      shown.push_back(&result);
      for (const auto& [name, value] : result.history.back().measures) {
        measures.insert(name);
      }
    }
  }
  std::vector<report::Column> columns;
  for (const std::string& name : detail::factor_names(results)) {
    columns.push_back({.name = name});
  }
  columns.insert(columns.end(), {{.name = "epochs", .kind = report::Kind::whole},
                                 {.name = "steps", .kind = report::Kind::whole},
                                 {.name = "ended"}});
  std::vector<std::string> numbers{"fit_accuracy", "clean_accuracy", "test_accuracy"};
  numbers.insert(numbers.end(), measures.begin(), measures.end());
  for (const std::string& name : numbers) {
    columns.push_back({.name = name, .key = name, .kind = report::Kind::number, .csv_digits = 4});
  }
  report::Table table(columns);
  for (const Result* const result : shown) {
    const Epoch& last = result->history.back();
    std::vector<report::Cell> row;
    for (const auto& [name, value] : result->factors) {
      row.emplace_back(value);
    }
    // Weights that became infinite in the last step are told by the final score alone.
    const Ended ended = result->diverged() ? Ended::diverged : result->history.ended();
    row.insert(row.end(), {last.clock.epoch, last.clock.step, name_of(ended), last.fit.accuracy, last.clean.accuracy,
                           result->test().accuracy});
    for (const std::string& name : measures) {
      row.emplace_back(result->measure(name));
    }
    table.add(std::move(row));
  }
  return table;
}

/// All epochs of all jobs as comma-separated values: the factors, then the columns of `CsvLog` without measures. Jobs
/// without a final score come first.
inline std::string epochs_csv(const Results& results) {
  const CsvLog lines("");
  std::string text;
  for (const std::string& name : detail::factor_names(results)) {
    text += regimen::detail::csv_field(name) + ",";
  }
  text += lines.header();
  for (const bool scored : {false, true}) {
    for (const Result& result : results) {
      std::string factors;
      for (const auto& [name, value] : result.factors) {
        factors += regimen::detail::csv_field(value) + ",";
      }
      for (const Epoch& epoch : result.has_score == scored ? result.history : History{}) {
        text += factors + lines.line(epoch) + "\n";
      }
    }
  }
  return text;
}

}  // namespace regimen::inline v0::experiment
