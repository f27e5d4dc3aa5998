#pragma once
// No LibTorch.

#include <array>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <regimen/report/picture.hpp>

namespace kit {

/// A point of the plane: x to the right, y upwards.
using Point2d = std::array<double, 2>;

/// A box of the plane under a grid of equal cells. A list of numbers on the grid has one for each cell, row by row from
/// below, each row from the left.
struct Plane {
  std::size_t columns = 1;
  std::size_t rows = 1;
  double left = 0;  ///< edges of the box, in units of the data
  double right = 1;
  double bottom = 0;
  double top = 1;

  /// The middles of all cells, in the order of the grid.
  [[nodiscard]] std::vector<Point2d> centres() const {
    std::vector<Point2d> points;
    for (std::size_t row = 0; row < rows; ++row) {
      const double y = bottom + (top - bottom) * (static_cast<double>(row) + 0.5) / static_cast<double>(rows);
      for (std::size_t column = 0; column < columns; ++column) {
        points.push_back(
            {left + (right - left) * (static_cast<double>(column) + 0.5) / static_cast<double>(columns), y});
      }
    }
    return points;
  }

  /// The grid in words: "20 x 10 grid on [-1, 1] x [0, 0.5]", the numbers with up to six digits.
  [[nodiscard]] std::string text() const {
    char text[160];
    std::snprintf(text, sizeof text, "%zu x %zu grid on [%g, %g] x [%g, %g]", columns, rows, left, right, bottom, top);
    return text;
  }
};

/// Whether a network of one logit says class 1: above 0; else it says class 0.
inline bool says_one(double logit) {
  return logit > 0;
}

/// The points to the right of a vertical boundary at this x, as a predicate for `share_on_wrong_side`.
inline std::function<bool(const Point2d&)> right_of(double boundary) {
  return [boundary](const Point2d& point) { return point[0] > boundary; };
}

/// The share of the grid, in [0, 1], where a network's logits say another class than a given boundary has there.
/// `is_one`: whether a point lies on the side of class 1.
///     share_on_wrong_side(plane, logits, right_of(0.2))
inline double share_on_wrong_side(const Plane& plane, const std::vector<double>& logits,
                                  const std::function<bool(const Point2d&)>& is_one) {
  const std::vector<Point2d> centres = plane.centres();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < centres.size(); ++i) {
    wrong += says_one(logits.at(i)) != is_one(centres[i]) ? 1 : 0;
  }
  return static_cast<double>(wrong) / static_cast<double>(centres.size());
}

/// Points of one of the two classes.
struct PlaneClass {
  std::string name{};  ///< for the legend
  std::vector<Point2d> points{};
};

/// The panel of a decision boundary: the two classes that a network's logits say as pale colours, and the data's points
/// upon them. `classes`: of targets 0 and 1; one without points is left out.
inline regimen::report::Panel boundary_panel(const std::string& title, const Plane& plane,
                                             const std::vector<double>& logits,
                                             const std::array<PlaneClass, 2>& classes) {
  regimen::report::HeatGrid said{.rows = plane.rows,
                                 .columns = plane.columns,
                                 .left = plane.left,
                                 .right = plane.right,
                                 .bottom = plane.bottom,
                                 .top = plane.top,
                                 .from = 0,
                                 .to = 1,
                                 .colours = {"#f1f6fb", "#efc9a2"}};
  for (const double logit : logits) {
    said.values.push_back(says_one(logit) ? 1 : 0);
  }
  const std::array<regimen::report::Style, 2> styles{{{.colour = regimen::report::colour::blue, .size = 2},
                                                      {.colour = regimen::report::colour::vermillion, .size = 2.4}}};
  regimen::report::Panel panel{
      .title = title, .x = {.label = "x₁"}, .y = {.label = "x₂"}, .series = {std::move(said)}, .height = 150};
  for (const std::size_t target : {0U, 1U}) {
    regimen::report::Points shown{.name = classes[target].name, .style = styles[target]};
    for (const auto& [x, y] : classes[target].points) {
      shown.x.push_back(x);
      shown.y.push_back(y);
    }
    if (!shown.x.empty()) {
      panel.series.emplace_back(std::move(shown));
    }
  }
  return panel;
}

/// A picture of panels side by side, which share the axis y of the first. `description`: for who cannot see it.
inline regimen::report::Picture side_by_side(std::vector<regimen::report::Panel> panels, std::string description) {
  for (std::size_t i = 1; i < panels.size(); ++i) {
    panels[i].y.label = "";
    panels[i].y.has_ticks = false;
  }
  const std::size_t columns = panels.size();
  return {.description = std::move(description), .panels = std::move(panels), .columns = columns};
}

}  // namespace kit
