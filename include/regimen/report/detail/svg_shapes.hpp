#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/text_list.hpp"
#include "regimen/report/detail/svg_text.hpp"
#include "regimen/report/pixels.hpp"
#include "regimen/report/style.hpp"

/// Shapes of an SVG picture, each a line of its file.
namespace regimen::inline v0::detail::reports {

struct Point {
  double x = 0;
  double y = 0;
};

/// A rectangle of the picture, in px.
struct Box {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;

  [[nodiscard]] double right() const { return left + width; }
  [[nodiscard]] double bottom() const { return top + height; }
};

/// ` name="value"`
inline std::string attribute(std::string_view name, std::string_view value) {
  return " " + std::string(name) + "=\"" + std::string(value) + "\"";
}

inline std::string attribute(std::string_view name, double value) {
  return attribute(name, px(value));
}

inline std::string line(Point a, Point b, std::string_view colour, double width = 1) {
  return "<line" + attribute("x1", a.x) + attribute("y1", a.y) + attribute("x2", b.x) + attribute("y2", b.y) +
         attribute("stroke", colour) + (width == 1 ? "" : attribute("stroke-width", width)) + "/>\n";
}

/// A filled rectangle, with an edge if `edge` is a colour.
inline std::string rectangle(const Box& box, std::string_view fill, double opacity = 1, std::string_view edge = "") {
  return "<rect" + attribute("x", box.left) + attribute("y", box.top) + attribute("width", box.width) +
         attribute("height", box.height) + attribute("fill", fill) +
         (opacity < 1 ? attribute("fill-opacity", opacity) : "") + (edge.empty() ? "" : attribute("stroke", edge)) +
         "/>\n";
}

inline std::string_view dashes(report::Dash dash) {
  constexpr std::string_view patterns[] = {"", "7 4", "2 3", "8 3 2 3", "12 4"};
  return patterns[static_cast<std::size_t>(dash)];
}

inline std::string coordinates(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) {
    add_item(text, px(point.x) + "," + px(point.y), " ");
  }
  return text;
}

inline std::string polyline(const std::vector<Point>& points, const report::Style& style) {
  const std::string_view pattern = dashes(style.dash.value_or(report::Dash::solid));
  return "<polyline" + attribute("fill", "none") + attribute("stroke", style.colour) +
         attribute("stroke-width", style.width) + attribute("stroke-linejoin", "round") +
         (pattern.empty() ? "" : attribute("stroke-dasharray", pattern)) + attribute("points", coordinates(points)) +
         "/>\n";
}

inline std::string polygon(const std::vector<Point>& points, std::string_view fill, double opacity,
                           std::string_view edge = "", double width = 1) {
  return "<polygon" + attribute("fill", fill) + (opacity < 1 ? attribute("fill-opacity", opacity) : "") +
         (edge.empty() ? "" : attribute("stroke", edge) + attribute("stroke-width", width)) +
         attribute("points", coordinates(points)) + "/>\n";
}

/// The mark of a point. Open marks are filled with white, to stand out from their line.
inline std::string mark_at(Point at, const report::Style& style) {
  using report::Mark;
  const Mark mark = style.mark.value_or(Mark::none);
  const double size = style.size;
  const bool open = mark == Mark::open_square || mark == Mark::open_disc || mark == Mark::open_triangle;
  const std::string_view fill = open ? "#ffffff" : std::string_view(style.colour);
  constexpr double edge = 1.4;
  const auto at_corners = [&](std::vector<Point> corners) {
    for (Point& corner : corners) {
      corner = {at.x + corner.x * size, at.y + corner.y * size};
    }
    return polygon(corners, fill, 1, style.colour, edge);
  };
  switch (mark) {
    case Mark::none:
      return "";
    case Mark::disc:
    case Mark::open_disc:
      return "<circle" + attribute("cx", at.x) + attribute("cy", at.y) + attribute("r", size) +
             attribute("fill", fill) + attribute("stroke", style.colour) + attribute("stroke-width", edge) + "/>\n";
    case Mark::square:
    case Mark::open_square:
      return at_corners({{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}});
    case Mark::triangle:
    case Mark::open_triangle:
      return at_corners({{0, -1.2}, {1.1, 0.8}, {-1.1, 0.8}});
    case Mark::diamond:
      return at_corners({{0, -1.3}, {1.1, 0}, {0, 1.3}, {-1.1, 0}});
    default:
      return line({at.x - size, at.y - size}, {at.x + size, at.y + size}, style.colour, style.width) +
             line({at.x - size, at.y + size}, {at.x + size, at.y - size}, style.colour, style.width);
  }
}

/// A whisker from `y1` to `y2`, with ends.
inline std::string whisker(double x, double y1, double y2, std::string_view colour, double width) {
  constexpr double half = 4;
  return line({x, y1}, {x, y2}, colour, width) + line({x - half, y1}, {x + half, y1}, colour, width) +
         line({x - half, y2}, {x + half, y2}, colour, width);
}

/// Neighbouring pixels of one colour in a row.
struct Run {
  report::Rgb colour{};
  std::size_t y = 0;
  std::size_t x = 0;
  std::size_t length = 0;
};

/// The runs of an image, sorted by colour.
inline std::vector<Run> runs_of(const report::Pixels& pixels) {
  std::vector<Run> runs;
  for (std::size_t y = 0; y < pixels.height; ++y) {
    for (std::size_t x = 0; x < pixels.width; ++x) {
      const report::Rgb& colour = pixels.colours[y * pixels.width + x];
      if (x > 0 && runs.back().colour == colour) {
        ++runs.back().length;
      } else {
        runs.push_back({colour, y, x, 1});
      }
    }
  }
  std::stable_sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.colour < b.colour; });
  return runs;
}

inline std::string hexadecimal(const report::Rgb& colour) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result = "#";
  for (const unsigned value : colour) {
    result += digits[value / 16];
    result += digits[value % 16];
  }
  return result;
}

/// The runs as rectangles, a path for each colour.
inline std::string paths(const Box& box, const report::Pixels& pixels, const std::vector<Run>& runs) {
  std::string result = "<g shape-rendering=\"crispEdges\" transform=\"translate(" + px(box.left) + " " + px(box.top) +
                       ") scale(" + text(box.width / static_cast<double>(pixels.width)) + " " +
                       text(box.height / static_cast<double>(pixels.height)) + ")\">\n";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    if (i == 0 || runs[i - 1].colour != run.colour) {
      result += "<path fill=\"" + hexadecimal(run.colour) + "\" d=\"";
    }
    result += "M" + text(run.x) + " " + text(run.y) + "h" + text(run.length) + "v1h-" + text(run.length) + "z";
    if (i + 1 == runs.size() || runs[i + 1].colour != run.colour) {
      result += "\"/>\n";
    }
  }
  return result + "</g>\n";
}

/// An image whose pixels stay squares when it is enlarged. Small images and those of few colours become rectangles,
/// which are sharp in every SVG viewer; all others would be too many rectangles, and become a PNG, which most viewers
/// keep sharp.
inline std::string image(const Box& box, const report::Pixels& pixels) {
  const std::vector<Run> runs = runs_of(pixels);
  std::size_t colours = 1;
  for (std::size_t i = 1; i < runs.size(); ++i) {
    colours += runs[i].colour != runs[i - 1].colour ? 1U : 0U;
  }
  if (pixels.height * pixels.width <= 256 || (colours <= 4 && runs.size() <= 4000)) {
    return paths(box, pixels, runs);
  }
  return "<image" + attribute("x", box.left) + attribute("y", box.top) + attribute("width", box.width) +
         attribute("height", box.height) + attribute("preserveAspectRatio", "none") +
         attribute("image-rendering", "optimizeSpeed") + attribute("style", "image-rendering:pixelated") +
         attribute("xlink:href", "data:image/png;base64," + base64(png(pixels))) + "/>\n";
}

}  // namespace regimen::inline v0::detail::reports
