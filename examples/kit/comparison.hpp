#pragma once
// No LibTorch.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/over_seeds.hpp>
#include <regimen/report/picture.hpp>
#include <regimen/report/table.hpp>

namespace kit {

/// Two arms that are alike but for what is compared, over the seeds that both have: a row of a table.
struct Comparison {
  std::string name;                    ///< of the row
  regimen::experiment::OverSeeds a{};  ///< the baseline
  regimen::experiment::OverSeeds b{};  ///< what is compared with it
  regimen::Interval lost{};            ///< test accuracy, a minus b, paired by seed, in points

  [[nodiscard]] bool diverged() const { return !a.diverged.empty() || !b.diverged.empty(); }
};

/// Compares two arms. Throws regimen::Error if their seeds are not the same.
Comparison compare(const std::string& name, const regimen::experiment::Results& a,
                   const regimen::experiment::Results& b);

/// Comparisons that belong into one table.
struct Comparisons {
  regimen::experiment::Factors factors{};  ///< what tells this table from the others
  std::vector<std::string> seeds{};        ///< that every arm has: all numbers are of these
  std::vector<Comparison> rows{};
  bool says_lost = true;  ///< whether the difference means anything; else it is not reported
};

/// Compares the arms of `a` with those of `b` that have the same value of this factor: a row for each of `rows`. Only
/// seeds count that every arm has, and each of `others`. Without such a seed there are no rows.
Comparisons comparisons_of(const regimen::experiment::Results& a, const regimen::experiment::Results& b,
                           const std::string& factor, const std::vector<std::string>& rows,
                           const std::vector<regimen::experiment::Results>& others = {});

/// " (95 % interval 1.2 to 3.4)"; empty for a single seed.
std::string interval_in_words(const regimen::Interval& value);

/// The names of the two arms in tables and pictures.
struct Words {
  std::string rows = "arm";  ///< the key of the rows' names in a CSV file
  std::string a = "a";       ///< as the head of a column, and before the keys of a CSV file
  std::string b = "b";
  std::string both = "arm";         ///< what each of them is: "from the random start"
  std::string lost = "difference";  ///< in a CSV file; in a table with "(points)" behind it
};

/// A column of a program's own, with its cells.
using MoreColumn = std::pair<regimen::report::Column, std::function<regimen::report::Cell(const Comparison&)>>;

/// The table for a terminal: test accuracies with their intervals in percent, what is lost, the least share of the
/// training labels that any seed fits, and columns of the program's own.
regimen::report::Table table_of(const Comparisons& group, const Words& words, const std::string& title,
                                const std::vector<MoreColumn>& more = {});

/// The rows of several such tables for a CSV file, each behind its factors, with the means of these measures. A cell is
/// empty where an arm diverged: a mean without it would be of the lucky seeds.
regimen::report::Table summary_of(const std::vector<Comparisons>& groups, const Words& words,
                                  const std::vector<std::string>& measures);

/// "Diverged: vanilla from the random start with seed 1, 2." A line for each arm of which seeds diverged.
std::string diverged_arms(const Comparisons& group, const Words& words);

/// Test accuracy of both arms and what is lost, with intervals, without rows of which an arm diverged. `a`, `b`: what
/// the legend calls the arms. No panels if no row is left.
regimen::report::Picture picture_of(const Comparisons& group, const std::string& a, const std::string& b);

}  // namespace kit
