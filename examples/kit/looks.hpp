#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <regimen/report/table.hpp>

#include "comparison.hpp"
#include "format.hpp"
#include "told.hpp"

namespace kit {

/// A measure that a table shows of both arms' minima.
struct Look {
  std::string measure;  ///< its name in the record
  std::string title;
  int digits = 2;
  bool tells = false;  ///< whether a larger one is said to be worse
};

/// Their names in the record, for `summary_of`.
inline std::vector<std::string> measures_of(const std::vector<Look>& looks) {
  std::vector<std::string> names;
  for (const Look& look : looks) {
    names.push_back(look.measure);
  }
  return names;
}

/// In how many seeds the measure is larger in arm b than in a. Both arms have the same seeds, in one order.
inline Told told_by(const Look& look, const Comparison& row) {
  const auto value = [&](const regimen::experiment::Result& each) { return each.measure(look.measure); };
  const std::vector<double> a = row.a.results.values(value);
  const std::vector<double> b = row.b.results.values(value);
  Told told;
  for (std::size_t i = 0; i < a.size(); ++i) {
    told.add(b.at(i) - a[i]);
  }
  return told;
}

/// The means over the seeds of these measures, of arm a and of arm b; of those that tell also in how many seeds.
/// `words` as in `table_of`.
inline regimen::report::Table looks_table(const Comparisons& group, const Words& words,
                                          const std::vector<Look>& looks) {
  std::vector<regimen::report::Column> columns{{.key = words.rows, .width = 28}};
  for (const Look& look : looks) {
    columns.push_back({.name = look.title, .width = look.tells ? 24U : 17U});
  }
  regimen::report::Table table(columns);
  for (const Comparison& row : group.rows) {
    std::vector<regimen::report::Cell> cells{row.name};
    for (const Look& look : looks) {
      const auto mean = [&](const regimen::experiment::OverSeeds& arm) {
        const double value = arm.mean_measure(look.measure);
        return std::isnan(value) ? std::string("-") : format("%.*f", look.digits, value);
      };
      cells.emplace_back(mean(row.a) + " " + mean(row.b) + (look.tells ? "  " + told_by(look, row).text() : ""));
    }
    table.add(std::move(cells));
  }
  return table;
}

}  // namespace kit
