#pragma once
// No LibTorch.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "regimen/report/detail/axis_plan.hpp"
#include "regimen/report/detail/svg_shapes.hpp"
#include "regimen/report/series.hpp"

/// Series as SVG.
namespace regimen::inline v0::detail::reports {

/// A map from a panel's numbers to px.
struct Plane {
  Projection x{};
  Projection y{};

  [[nodiscard]] Point at(double a, double b) const { return {x(a), y(b)}; }
  [[nodiscard]] bool has(double a, double b) const { return x.range.has(a) && y.range.has(b); }
};

/// A drawn series: shapes, which are cut off at the axes, and marks, which are not.
struct Drawn {
  std::string shapes{};
  std::string marks{};
};

/// The points in px, as runs without a gap.
inline std::vector<std::vector<Point>> runs(const Plane& plane, const std::vector<double>& x,
                                            const std::vector<double>& y) {
  std::vector<std::vector<Point>> result{{}};
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(x[i]) && std::isfinite(y[i])) {
      result.back().push_back(plane.at(x[i], y[i]));
    } else if (!result.back().empty()) {
      result.emplace_back();
    }
  }
  return result;
}

inline std::string marks_of(const Plane& plane, const std::vector<double>& x, const std::vector<double>& y,
                            const report::Style& style) {
  std::string result;
  for (std::size_t i = 0; i < x.size(); ++i) {
    result += plane.has(x[i], y[i]) ? mark_at(plane.at(x[i], y[i]), style) : "";
  }
  return result;
}

inline Drawn drawn(const report::Lines& lines, const Plane& plane, const report::Style& style) {
  Drawn result{.marks = marks_of(plane, lines.x, lines.y, style)};
  for (const std::vector<Point>& run : runs(plane, lines.x, lines.y)) {
    if (run.size() > 1) {
      result.shapes += polyline(run, style);
    } else if (run.size() == 1) {  // between two gaps: a line would not be seen
      report::Style dot = style;
      dot.mark = report::Mark::disc;
      dot.size = style.width / 2;
      result.shapes += mark_at(run.front(), dot);
    }
  }
  return result;
}

inline Drawn drawn(const report::Points& points, const Plane& plane, const report::Style& style) {
  return {.marks = marks_of(plane, points.x, points.y, style)};
}

inline Drawn drawn(const report::Band& band, const Plane& plane, const report::Style& style) {
  Drawn result;
  std::vector<Point> above;
  std::vector<Point> below;
  const auto end_run = [&] {
    if (above.size() > 1) {
      above.insert(above.end(), below.rbegin(), below.rend());
      result.shapes += polygon(above, style.colour, style.fill.value_or(0.2));
    }
    above.clear();
    below.clear();
  };
  for (std::size_t i = 0; i < band.x.size(); ++i) {
    if (std::isfinite(band.x[i]) && std::isfinite(band.low[i]) && std::isfinite(band.high[i])) {
      above.push_back(plane.at(band.x[i], band.high[i]));
      below.push_back(plane.at(band.x[i], band.low[i]));
    } else {
      end_run();
    }
  }
  end_run();
  return result;
}

inline std::string whisker_of(double x, const report::Measured& y, const Plane& plane, std::string_view colour,
                              double width) {
  const bool has = std::isfinite(x) && std::isfinite(y.low) && std::isfinite(y.high) && y.low < y.high;
  return has ? whisker(plane.x(x), plane.y(y.low), plane.y(y.high), colour, width) : "";
}

inline Drawn drawn(const report::ErrorBars& bars, const Plane& plane, const report::Style& style) {
  Drawn result;
  for (std::size_t i = 0; i < bars.x.size(); ++i) {
    result.shapes += whisker_of(bars.x[i], bars.y[i], plane, style.colour, style.width);
    result.marks += plane.has(bars.x[i], bars.y[i].value) ? mark_at(plane.at(bars.x[i], bars.y[i].value), style) : "";
  }
  return result;
}

inline Drawn drawn(const report::Bars& bars, const Plane& plane, const report::Style& style) {
  Drawn result;
  for (std::size_t i = 0; i < bars.x.size(); ++i) {
    if (!std::isfinite(bars.x[i]) || !std::isfinite(bars.y[i].value)) {
      continue;
    }
    const double left = plane.x(bars.x[i] - bars.width / 2);
    const double right = plane.x(bars.x[i] + bars.width / 2);
    const double foot = plane.y(0);
    const double head = plane.y(bars.y[i].value);
    result.shapes += rectangle({left, std::min(foot, head), right - left, std::abs(foot - head)}, style.colour,
                               style.fill.value_or(0.35), style.colour);
    result.shapes += whisker_of(bars.x[i], bars.y[i], plane, text_colour, 1.6);
  }
  return result;
}

/// The colour of "#ff8000".
inline report::Rgb rgb_of(std::string_view colour) {
  report::Rgb result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    std::from_chars(colour.data() + 1 + 2 * i, colour.data() + 3 + 2 * i, result[i], 16);
  }
  return result;
}

/// The colour at a share in [0, 1] of the way along the given colours; white for NaN.
inline report::Rgb colour_at(const std::vector<std::string>& colours, double share) {
  if (std::isnan(share)) {
    return {255, 255, 255};
  }
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(colours.size() - 1);
  const auto before = std::min(static_cast<std::size_t>(place), colours.size() - 2);
  const double part = place - static_cast<double>(before);
  const report::Rgb a = rgb_of(colours[before]);
  const report::Rgb b = rgb_of(colours[before + 1]);
  report::Rgb result{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<std::uint8_t>(std::lround((1 - part) * a[i] + part * b[i]));
  }
  return result;
}

/// The numbers for the first and the last colour.
inline Range heat_of(const report::HeatGrid& grid) {
  Range range;
  for (const double value : grid.values) {
    range.add(value);
  }
  return {std::isnan(grid.from) ? range.from : grid.from, std::isnan(grid.to) ? range.to : grid.to};
}

inline Drawn drawn(const report::HeatGrid& grid, const Plane& plane, const report::Style&) {
  const Range range = heat_of(grid);
  report::Pixels pixels{.height = grid.rows, .width = grid.columns};
  for (std::size_t row = grid.rows; row-- > 0;) {
    for (std::size_t column = 0; column < grid.columns; ++column) {
      const double value = grid.values[row * grid.columns + column];
      const double size = range.to - range.from;
      pixels.colours.push_back(colour_at(grid.colours, size > 0 ? (value - range.from) / size : value - value));
    }
  }
  const Point corner = plane.at(grid.left, grid.top);
  const Point opposite = plane.at(grid.right, grid.bottom);
  return {.shapes = image({corner.x, corner.y, opposite.x - corner.x, opposite.y - corner.y}, pixels)};
}

/// Whether a part of the series lies outside of the axes.
inline bool goes_beyond(const report::Series& series, const Plane& plane) {
  bool beyond = false;
  see_x(series, [&](double value, const char*, std::size_t) {
    beyond = beyond || (std::isfinite(value) && !plane.x.range.has(value));
  });
  see_y(series, [&](double value, const char*, std::size_t) {
    beyond = beyond || (std::isfinite(value) && !plane.y.range.has(value));
  });
  return beyond;
}

/// The SVG of a series, cut off at the axes.
inline std::string drawn(const report::Series& series, const Plane& plane, const Box& box, const report::Style& style) {
  Drawn result = std::visit([&](const auto& each) { return drawn(each, plane, style); }, series);
  if (!result.shapes.empty() && goes_beyond(series, plane)) {
    constexpr double edge = 1;  // half a line may lie on the axis
    const Box all{box.left - edge, box.top - edge, box.width + 2 * edge, box.height + 2 * edge};
    result.shapes =
        "<svg" + attribute("x", all.left) + attribute("y", all.top) + attribute("width", all.width) +
        attribute("height", all.height) +
        attribute("viewBox", px(all.left) + " " + px(all.top) + " " + px(all.width) + " " + px(all.height)) + ">\n" +
        result.shapes + "</svg>\n";
  }
  return result.shapes + result.marks;
}

}  // namespace regimen::inline v0::detail::reports
