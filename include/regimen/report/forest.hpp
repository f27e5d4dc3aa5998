#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/series.hpp"
#include "regimen/report/style.hpp"

namespace regimen::inline v0::report {

/// A panel of numbers with their intervals, a line each below the other, their names on the left: a forest plot. The
/// first is the highest. Throws Error if there is none.
///     report::Panel taus = report::forest_panel({{"path norm", regimen::kendall_tau(norms, errors)}}, "Kendall's
///     tau");
[[nodiscard]] inline Panel forest_panel(const std::vector<std::pair<std::string, Measured>>& rows,
                                        const std::string& label) {
  detail::require(!rows.empty(), "forest_panel: rows.size()", "at least 1", rows.size());
  const auto n = static_cast<double>(rows.size());
  Panel panel{.x = {.label = label}, .y = {.from = -0.5, .to = n - 0.5}, .height = 17 * n + 14};
  Lines intervals{.name = "95 % interval", .style = {.colour = colour::sky, .dash = Dash::solid, .width = 3}};
  Points numbers{.name = label, .style = {.colour = colour::black, .mark = Mark::disc, .size = 3}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [name, number] = rows[i];
    const double at = n - 1 - static_cast<double>(i);
    panel.y.ticks.push_back({at, name});
    intervals.x.insert(intervals.x.end(), {number.low, number.high, unknown});
    intervals.y.insert(intervals.y.end(), {at, at, unknown});
    numbers.x.push_back(number.value);
    numbers.y.push_back(at);
  }
  panel.series = {std::move(intervals), std::move(numbers)};
  return panel;
}

}  // namespace regimen::inline v0::report
