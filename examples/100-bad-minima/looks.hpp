#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <regimen/report/table.hpp>

#include "kit/comparison.hpp"
#include "kit/format.hpp"
#include "kit/told.hpp"

/// A number of a minimum that the table shows beside its test accuracy.
struct Look {
  std::string measure;  ///< its name in the record
  std::string title;
  int digits = 2;
  bool tells = false;  ///< whether a larger one is said to be worse
};

namespace ex = regimen::experiment;

/// How far the weights have gone, and two measures that tell every bad minimum of vanilla SGD in
/// examples/120-which-minimum: a norm and a sharpness that cost little.
inline std::vector<Look> looks() {
  return {{"start_cosine", "start left"},
          {"log_frobenius", "log norms", 1, true},
          {"adaptive_sharpness_value", "adaptive sharpness", 3, true}};
}

inline std::vector<std::string> look_names() {
  std::vector<std::string> names;
  for (const Look& look : looks()) {
    names.push_back(look.measure);
  }
  return names;
}

/// In how many seeds the measure is larger from the adversarial start. Both arms have the same seeds, in one order.
inline kit::Told told_by(const Look& look, const kit::Comparison& row) {
  const auto value = [&](const ex::Result& each) { return each.measure(look.measure); };
  const std::vector<double> random = row.a.results.values(value);
  const std::vector<double> adversarial = row.b.results.values(value);
  kit::Told told;
  for (std::size_t i = 0; i < random.size(); ++i) {
    told.add(adversarial.at(i) - random[i]);
  }
  return told;
}

/// What the minima look like without a test set: means over the seeds, from the random start and from the adversarial
/// one.
inline regimen::report::Table looks_table(const kit::Comparisons& group) {
  std::vector<regimen::report::Column> columns{{.key = "regularizers", .width = 28}};
  for (const Look& look : looks()) {
    columns.push_back({.name = look.title, .width = look.tells ? 24U : 17U});
  }
  regimen::report::Table table(columns);
  for (const kit::Comparison& row : group.rows) {
    std::vector<regimen::report::Cell> cells{row.name};
    for (const Look& look : looks()) {
      const auto mean = [&](const ex::OverSeeds& arm) {
        const double value = arm.mean_measure(look.measure);
        return std::isnan(value) ? std::string("-") : kit::format("%.*f", look.digits, value);
      };
      cells.emplace_back(mean(row.a) + " " + mean(row.b) + (look.tells ? "  " + told_by(look, row).text() : ""));
    }
    table.add(std::move(cells));
  }
  return table;
}
