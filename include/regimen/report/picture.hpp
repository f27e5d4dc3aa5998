#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/record/history.hpp"
#include "regimen/report/pixels.hpp"
#include "regimen/report/series.hpp"
#include "regimen/report/style.hpp"
#include "regimen/report/ticks.hpp"

namespace regimen::inline v0::report {

enum class Scale { linear, log };

/// One of a panel's two axes.
struct Axis {
  std::string label{};
  double from = unknown;  ///< NaN: chosen, so that all series fit
  double to = unknown;    ///< above `from`; NaN: chosen
  Scale scale = Scale::linear;
  std::vector<Tick> ticks{};  ///< empty: chosen. Texts that lack room are broken between words, or turned
  bool has_ticks = true;      ///< false: neither ticks nor numbers
};

/// A vertical line across a panel, with a text above it.
struct VerticalMark {
  double at = 0;
  std::string text{};
};

/// A part of the x axis, shaded over the height of the panel, with a text above its left end.
struct Stretch {
  double from = 0;
  double to = 0;
  std::string text{};
  std::string colour = colour::light_grey;  ///< "#rrggbb"; "": no shading
};

/// An image with a line of text below.
struct Tile {
  Pixels image{};
  std::string text{};
  bool stands_out = false;  ///< the text is bold and of another colour
};

/// A row of images with its name.
struct TileRow {
  std::string name{};  ///< text left of the images; "\n" breaks the line
  std::vector<Tile> tiles{};
};

/// A group of neighbouring columns of tiles, with a common head and a gap before it.
struct TileGroup {
  std::size_t column = 0;  ///< first one of the group, from 0
  std::string name{};
};

/// Images in rows and columns, which a panel may hold instead of axes.
struct Tiles {
  std::vector<TileRow> rows{};
  std::vector<TileGroup> groups{};  ///< by column; empty: one group without a head
  bool code = false;                ///< whether names of rows are in a monospace font
};

/// Axes with series between them, or tiles.
struct Panel {
  std::string title{};
  std::string subtitle{};  ///< smaller, below the title
  Axis x{};
  Axis y{};
  std::vector<Series> series{};       ///< drawn one over another, the first lowest
  std::vector<Stretch> stretches{};   ///< below all series
  std::vector<VerticalMark> marks{};  ///< above all series
  double height = 200;                ///< height of the plot in px, in [20, 100000]; not used for tiles
  Tiles tiles{};                      ///< if there are rows, the panel has no axes
};

/// Panels in a grid, row by row, with one legend for all of them below. A picture is data only: `svg` draws it.
///     report::Picture picture{.title = "Training loss"};
///     picture.panels.push_back({.x = {.label = "epoch"}, .y = {.label = "loss", .scale = report::Scale::log},
///                               .series = {report::Lines{.name = "SGD", .x = {1, 2, 3}, .y = {1, 0.1, 0.02}}}});
struct Picture {
  std::string title{};        ///< text above all panels, also for screen readers
  std::string caption{};      ///< text below everything, wrapped; "\n" breaks a line
  std::string description{};  ///< text for screen readers; not drawn
  std::vector<Panel> panels{};
  std::size_t columns = 1;  ///< panels side by side, at least 1
  double width = 720;       ///< in px. On a page 17.5 cm wide 720 px make its letters 7 to 8 points high
  bool has_legend = true;
};

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// The name of a panel in error messages: "Picture.panels[0]", and its title if it has one.
inline std::string called(const report::Panel& panel, std::size_t i) {
  const std::string place = "Picture.panels[" + text(i) + "]";
  return panel.title.empty() ? place : place + " \"" + panel.title + "\"";
}

inline void check(const std::string& where, const report::Axis& axis) {
  const bool both = !std::isnan(axis.from) && !std::isnan(axis.to);
  require(!both || axis.from < axis.to, where + ".to", "above from = " + text(axis.from), axis.to);
  if (axis.scale == report::Scale::log) {
    require(!(axis.from <= 0), where + ".from", "above 0 on a logarithmic scale", axis.from);
    require(!(axis.to <= 0), where + ".to", "above 0 on a logarithmic scale", axis.to);
  }
}

/// Throws Error if a number of a series cannot be shown on an axis.
inline void check_on(const std::string& where, const report::Axis& axis, bool is_x, const report::Series& series) {
  if (axis.scale == report::Scale::linear) {
    return;
  }
  require(!std::holds_alternative<report::HeatGrid>(series), where + ".scale", "linear below a HeatGrid", "log");
  const auto see = [&](double value, const std::string& field, std::size_t i) {
    require(!(value <= 0), called(series) + "." + field + "[" + text(i) + "]",
            "above 0, for " + where + " is logarithmic (leave the point out by NaN, or take Scale::linear)", value);
  };
  if (is_x) {
    see_x(series, see);
  } else {
    see_y(series, see);
  }
}

inline void check(const std::string& where, const report::Tiles& tiles) {
  for (std::size_t row = 0; row < tiles.rows.size(); ++row) {
    for (std::size_t i = 0; i < tiles.rows[row].tiles.size(); ++i) {
      check(where + ".tiles.rows[" + text(row) + "].tiles[" + text(i) + "].image", tiles.rows[row].tiles[i].image);
    }
  }
}

/// Throws Error if a part of the picture cannot be drawn.
inline void check(const report::Picture& picture) {
  require(!picture.panels.empty(), "Picture.panels", "at least one", 0);
  require(picture.columns >= 1, "Picture.columns", "at least 1", picture.columns);
  require(picture.width >= 100 && picture.width <= 1e5, "Picture.width", "in [100, 100000] px", picture.width);
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    const report::Panel& panel = picture.panels[i];
    const std::string where = called(panel, i);
    require(panel.height >= 20 && panel.height <= 1e5, where + ".height", "in [20, 100000] px", panel.height);
    require(panel.tiles.rows.empty() || panel.series.empty(), where + ".series.size()",
            "0 in a panel of tiles (a panel has axes or tiles)", panel.series.size());
    check(where + ".x", panel.x);
    check(where + ".y", panel.y);
    check(where, panel.tiles);
    for (const report::Stretch& stretch : panel.stretches) {
      require(stretch.from < stretch.to, where + ".stretches: to", "above from = " + text(stretch.from), stretch.to);
      if (!stretch.colour.empty()) {
        require_colour(where + ".stretches: colour", stretch.colour);
      }
    }
    for (const report::Series& series : panel.series) {
      std::visit([](const auto& each) { check(each); }, series);
      check_on(where + ".x", panel.x, true, series);
      check_on(where + ".y", panel.y, false, series);
    }
  }
}

}  // namespace regimen::inline v0::detail::reports
