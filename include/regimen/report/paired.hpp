#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/series.hpp"
#include "regimen/report/style.hpp"
#include "regimen/report/table.hpp"
#include "regimen/statistics/mean.hpp"

namespace regimen::inline v0::report {

/// A number of two arms that were trained with the same seeds: test accuracy in percent from two starts.
struct Paired {
  std::string name{};
  std::vector<double> a{};  ///< the baseline, of each seed
  std::vector<double> b{};  ///< of the same seeds, in one order
};

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

inline void check(const std::vector<report::Paired>& rows, const std::string& function) {
  require(!rows.empty(), function + ": rows.size()", "at least 1", rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = function + ": " + called("rows[" + text(i) + "]", rows[i].name);
    require(!rows[i].a.empty(), where + ".a.size()", "at least 1, a number for each seed", rows[i].a.size());
    require(rows[i].a.size() == rows[i].b.size(), where + ".b.size()", "a.size() = " + text(rows[i].a.size()),
            rows[i].b.size());
  }
}

/// The place of seed i of n beside the middle of its column, so that equal numbers do not hide each other.
inline double beside(std::size_t i, std::size_t n) {
  return n < 2 ? 0.0 : 0.24 * (static_cast<double>(i) / static_cast<double>(n - 1) - 0.5);
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// A panel of what arm b lacks of arm a, a minus b: a dot for each seed, and beside the dots their mean with its
/// Student-t 95 % interval (`paired_difference`). A line marks 0, where the arms are alike.
/// Throws Error if there is no row, or if a row's arms have no seed or different numbers of seeds.
///     report::Panel lost = report::paired_panel({{"vanilla", {81.6, 82.0}, {75.9, 76.1}}}, "test accuracy lost");
[[nodiscard]] inline Panel paired_panel(const std::vector<Paired>& rows, const std::string& label) {
  detail::reports::check(rows, "paired_panel");
  const double end = static_cast<double>(rows.size()) - 0.5;
  Lines none{.x = {-0.5, end}, .y = {0, 0}, .style = {.colour = colour::black, .dash = Dash::dotted, .width = 1}};
  Points seeds{.name = "one seed", .style = {.colour = colour::blue, .mark = Mark::open_disc}};
  ErrorBars means{.name = "mean, 95 % interval", .style = {.colour = colour::vermillion, .mark = Mark::square}};
  Panel panel{.x = {.from = -0.5, .to = end}, .y = {.label = label}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<double>(i);
    panel.x.ticks.push_back({at, rows[i].name});
    for (std::size_t k = 0; k < rows[i].a.size(); ++k) {
      seeds.x.push_back(at - 0.14 + detail::reports::beside(k, rows[i].a.size()));
      seeds.y.push_back(rows[i].a[k] - rows[i].b[k]);
    }
    means.x.push_back(at + 0.14);
    means.y.emplace_back(paired_difference(rows[i].a, rows[i].b));
  }
  panel.series = {std::move(none), std::move(seeds), std::move(means)};
  return panel;
}

/// The numbers of `paired_panel`: a row for each row and seed, with both arms and what b lacks, and a row with the
/// means. `seeds`: a name for each seed; empty: they are counted from 1. `a`, `b`: heads of columns.
/// Throws Error as `paired_panel`, and if a row has another number of seeds than there are names.
[[nodiscard]] inline Table paired_table(const std::vector<Paired>& rows, const std::string& a, const std::string& b,
                                        const std::vector<std::string>& seeds = {}) {
  detail::reports::check(rows, "paired_table");
  Table table({{.name = "arm"},
               {.name = "seed", .align = Align::right},
               {.name = a, .key = "a", .kind = Kind::interval},
               {.name = b, .key = "b", .kind = Kind::interval},
               {.name = "difference", .kind = Kind::interval}});
  for (const Paired& row : rows) {
    detail::require(seeds.empty() || seeds.size() == row.a.size(), "paired_table: seeds.size()",
                    "0 or that of " + detail::reports::called("Paired", row.name) + ", " + detail::text(row.a.size()),
                    seeds.size());
    for (std::size_t i = 0; i < row.a.size(); ++i) {
      const auto one = [](double value) { return Interval{.mean = value, .n = 1}; };
      table.add({row.name, seeds.empty() ? detail::text(i + 1) : seeds[i], one(row.a[i]), one(row.b[i]),
                 one(row.a[i] - row.b[i])});
    }
    table.add({row.name, "mean", mean_interval(row.a), mean_interval(row.b), paired_difference(row.a, row.b)});
  }
  return table.note("Means with Student-t 95 % intervals; that of the difference is paired by seed.");
}

}  // namespace regimen::inline v0::report
