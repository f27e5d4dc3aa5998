#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/detail/cell_text.hpp"
#include "regimen/report/table.hpp"
#include "regimen/statistics/jackknife.hpp"
#include "regimen/statistics/kendall.hpp"
#include "regimen/statistics/mean.hpp"

namespace regimen::inline v0::report {

/// A measure of some minima.
struct MeasureOfMinima {
  std::string name{};
  std::vector<double> values{};  ///< of each minimum; NaN where it was not taken
  int digits = 3;                ///< decimals of its means
};

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// Kendall's tau of a measure with the error, over the minima that have both, without those of one cluster; nullopt for
/// fewer than two.
inline std::optional<Estimate> tau_without(const report::MeasureOfMinima& measure, const std::vector<double>& error,
                                           const std::vector<std::string>& clusters, const std::string* left_out) {
  std::vector<double> x;
  std::vector<double> y;
  for (std::size_t i = 0; i < error.size(); ++i) {
    const bool is_in = left_out == nullptr || clusters[i] != *left_out;
    if (is_in && !std::isnan(measure.values[i]) && !std::isnan(error[i])) {
      x.push_back(measure.values[i]);
      y.push_back(error[i]);
    }
  }
  return x.size() < 2 ? std::nullopt : std::optional(kendall_tau(x, y));
}

/// Tau over all minima; its interval by the jackknife over the clusters, if there are any, else as if all minima were
/// independent.
inline report::Cell tau_of(const report::MeasureOfMinima& measure, const std::vector<double>& error,
                           const std::vector<std::string>& clusters) {
  const std::optional<Estimate> all = tau_without(measure, error, clusters, nullptr);
  if (!all) {
    return report::Missing{};
  }
  if (clusters.empty()) {
    return *all;
  }
  std::vector<double> without;
  for (const std::string& cluster : std::set<std::string>(clusters.begin(), clusters.end())) {
    if (const std::optional<Estimate> others = tau_without(measure, error, clusters, &cluster)) {
      without.push_back(others->value);
    }
  }
  const Interval interval = jackknife_interval(all->value, without);
  return Estimate{interval.mean, std::max(interval.low(), -1.0), std::min(interval.high(), 1.0), without.size()};
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// What measures say of minima: their means in each arm, and how far they agree in order with the test error over all
/// minima, by Kendall's tau with its 95 % interval (`kendall_tau`; entries that are NaN are left out).
/// `error`: of each minimum, the larger the worse. `arms`: the arm of each minimum; a column for each, in the order in
/// which they come. `clusters`: what is independent of the others, for each minimum its random seed, say; the interval
/// is then by the jackknife over them. Without it all minima count as independent: minima of one seed share images and
/// start, and the interval is too narrow. Throws Error if a list has another length than `error`.
///     report::Table table = report::measure_table({{"path norm", norms}}, errors, arms);
[[nodiscard]] inline Table measure_table(const std::vector<MeasureOfMinima>& measures, const std::vector<double>& error,
                                         const std::vector<std::string>& arms,
                                         const std::vector<std::string>& clusters = {}) {
  detail::require(arms.size() == error.size(), "measure_table: arms.size()",
                  "error.size() = " + detail::text(error.size()), arms.size());
  detail::require(clusters.empty() || clusters.size() == error.size(), "measure_table: clusters.size()",
                  "0 or error.size() = " + detail::text(error.size()), clusters.size());
  std::vector<std::string> names;
  for (const std::string& arm : arms) {
    if (std::find(names.begin(), names.end(), arm) == names.end()) {
      names.push_back(arm);
    }
  }
  std::vector<Column> columns{{.name = "measure"}, {.name = "tau", .kind = Kind::estimate}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    columns.push_back({.name = names[i], .key = "arm_" + detail::text(i), .align = Align::right});
  }
  Table table(columns);
  for (const MeasureOfMinima& measure : measures) {
    detail::require(measure.values.size() == error.size(), "measure_table: values.size() of \"" + measure.name + "\"",
                    "error.size() = " + detail::text(error.size()), measure.values.size());
    std::vector<Cell> cells{measure.name, detail::reports::tau_of(measure, error, clusters)};
    for (const std::string& name : names) {
      std::vector<double> of_arm;
      for (std::size_t i = 0; i < arms.size(); ++i) {
        if (arms[i] == name && !std::isnan(measure.values[i])) {
          of_arm.push_back(measure.values[i]);
        }
      }
      cells.emplace_back(detail::reports::fixed(mean_interval(of_arm).mean, measure.digits));
    }
    table.add(std::move(cells));
  }
  return table.note("Tau: Kendall's, of the measure with the test error, over all minima, with its 95 % interval, " +
                    std::string(clusters.empty() ? "as if all were independent." : "by the jackknife over clusters."));
}

}  // namespace regimen::inline v0::report
