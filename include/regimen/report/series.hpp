#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/report/pixels.hpp"
#include "regimen/report/style.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/proportion.hpp"

/// Series between a panel's axes. Coordinates are numbers of the axes; NaN and infinity leave a gap. A series with a
/// name has an entry in the picture's legend.
namespace regimen::inline v0::report {

/// A number with or without an interval around it. Converts from numbers, `regimen::Interval`, `Estimate` and
/// `Proportion`.
struct Measured {
  Measured() = default;
  Measured(double number) : value(number) {}
  Measured(const Interval& mean) : value(mean.mean) {
    if (mean.n >= 2) {
      low = mean.low();
      high = mean.high();
    }
  }
  Measured(const Estimate& estimate) : value(estimate.value), low(estimate.low), high(estimate.high) {}
  Measured(const Proportion& counted) : value(counted.share), low(counted.low), high(counted.high) {}

  double value = unknown;
  double low = unknown;   ///< NaN: no interval
  double high = unknown;  ///< NaN: no interval
};

/// Points joined by a line, with marks on them if `style.mark` is given.
struct Lines {
  std::string name{};
  std::vector<double> x{};
  std::vector<double> y{};  ///< as many as x
  Style style{};
};

/// Points as marks alone.
struct Points {
  std::string name{};
  std::vector<double> x{};
  std::vector<double> y{};  ///< as many as x
  Style style{};
};

/// The area between two curves.
struct Band {
  std::string name{};
  std::vector<double> x{};
  std::vector<double> low{};   ///< as many as x
  std::vector<double> high{};  ///< as many as x
  Style style{};
};

/// Numbers as marks, with their intervals as whiskers.
struct ErrorBars {
  std::string name{};
  std::vector<double> x{};
  std::vector<Measured> y{};  ///< as many as x
  Style style{};
};

/// Numbers as bars from 0, with their intervals as whiskers.
struct Bars {
  std::string name{};
  std::vector<double> x{};    ///< middles of the bars
  std::vector<Measured> y{};  ///< as many as x
  double width = 0.6;         ///< of a bar, in units of the axis x, above 0
  Style style{};
};

/// A grid of numbers as colours, interpolated between those of `from` and `to`, which stand in the legend if the grid
/// has a name. NaN is white.
struct HeatGrid {
  std::string name{};
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values{};  ///< rows x columns, row by row from below
  double left = 0;               ///< edges of the grid on the axes, which have to be linear
  double right = 1;
  double bottom = 0;
  double top = 1;
  double from = unknown;                                              ///< NaN: the least of the values
  double to = unknown;                                                ///< NaN: the largest
  std::vector<std::string> colours{"#ffffff", "#9ecae1", "#08306b"};  ///< "#rrggbb", from `from` to `to`; at least two
};

using Series = std::variant<Lines, Points, Band, ErrorBars, Bars, HeatGrid>;

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// The name of a series in error messages, such as Lines "test".
inline std::string called(std::string_view type, std::string_view name) {
  return name.empty() ? std::string(type) : std::string(type) + " \"" + std::string(name) + "\"";
}

inline void check_sizes(const std::string& where, std::size_t x, std::string_view field, std::size_t y) {
  require(x > 0, where + ".x.size()", "at least 1 (leave out a series that has nothing to show)", x);
  require(y == x, where + "." + std::string(field) + ".size()", "x.size() = " + text(x), y);
}

inline void check(const report::Lines& lines) {
  const std::string where = called("Lines", lines.name);
  check_sizes(where, lines.x.size(), "y", lines.y.size());
  check(where, lines.style);
}

inline void check(const report::Points& points) {
  const std::string where = called("Points", points.name);
  check_sizes(where, points.x.size(), "y", points.y.size());
  check(where, points.style);
}

inline void check(const report::Band& band) {
  const std::string where = called("Band", band.name);
  check_sizes(where, band.x.size(), "low", band.low.size());
  check_sizes(where, band.x.size(), "high", band.high.size());
  check(where, band.style);
}

inline void check(const report::ErrorBars& bars) {
  const std::string where = called("ErrorBars", bars.name);
  check_sizes(where, bars.x.size(), "y", bars.y.size());
  check(where, bars.style);
}

inline void check(const report::Bars& bars) {
  const std::string where = called("Bars", bars.name);
  check_sizes(where, bars.x.size(), "y", bars.y.size());
  require(bars.width > 0, where + ".width", "above 0", bars.width);
  check(where, bars.style);
}

inline void check(const report::HeatGrid& grid) {
  require(grid.rows >= 1, "HeatGrid.rows", "at least 1", grid.rows);
  require(grid.columns >= 1, "HeatGrid.columns", "at least 1", grid.columns);
  require(grid.values.size() == grid.rows * grid.columns, "HeatGrid.values.size()",
          "rows * columns = " + text(grid.rows * grid.columns), grid.values.size());
  require(grid.left < grid.right, "HeatGrid.right", "above left = " + text(grid.left), grid.right);
  require(grid.bottom < grid.top, "HeatGrid.top", "above bottom = " + text(grid.bottom), grid.top);
  require(!(grid.from >= grid.to), "HeatGrid.to", "above from = " + text(grid.from), grid.to);
  require(grid.colours.size() >= 2, "HeatGrid.colours.size()", "at least 2", grid.colours.size());
  for (const std::string& colour : grid.colours) {
    require_colour("HeatGrid.colours", colour);
  }
}

/// Calls `see(value, name of the field, index)` for each number of a series that must fit on the x axis.
template <class See>
void see_x(const report::Series& series, See&& see) {
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.x; }) {
          for (std::size_t i = 0; i < each.x.size(); ++i) {
            see(each.x[i], "x", i);
            if constexpr (requires { each.width; }) {
              see(each.x[i] - each.width / 2, "x - width / 2", i);
              see(each.x[i] + each.width / 2, "x + width / 2", i);
            }
          }
        } else {
          see(each.left, "left", std::size_t{0});
          see(each.right, "right", std::size_t{0});
        }
      },
      series);
}

template <class See>
void see_y(const report::Series& series, See&& see) {
  const auto all = [&](const std::vector<double>& values, const char* field) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      see(values[i], field, i);
    }
  };
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.low; }) {
          all(each.low, "low");
          all(each.high, "high");
        } else if constexpr (requires { each.bottom; }) {
          see(each.bottom, "bottom", std::size_t{0});
          see(each.top, "top", std::size_t{0});
        } else if constexpr (requires { each.y.front().value; }) {
          for (std::size_t i = 0; i < each.y.size(); ++i) {
            for (const double number : {each.y[i].value, each.y[i].low, each.y[i].high}) {
              see(number, "y", i);
            }
            if constexpr (requires { each.width; }) {
              see(0.0, "the foot of the bar", i);
            }
          }
        } else {
          all(each.y, "y");
        }
      },
      series);
}

inline std::string called(const report::Series& series) {
  constexpr std::string_view types[] = {"Lines", "Points", "Band", "ErrorBars", "Bars", "HeatGrid"};
  return std::visit([&](const auto& each) { return called(types[series.index()], each.name); }, series);
}

}  // namespace regimen::inline v0::detail::reports
