#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/utf8.hpp"
#include "regimen/report/detail/panel_columns.hpp"
#include "regimen/report/detail/panel_places.hpp"
#include "regimen/report/detail/svg_legend.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/table.hpp"

/// The numbers that a panel draws, as a table.
namespace regimen::inline v0::detail::reports {

/// `count` numbers out of `all`, from 0 on, evenly: the first and the last among them.
inline std::vector<std::size_t> thinned(std::size_t all, std::size_t count) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < std::min(all, count); ++i) {
    kept.push_back(all <= count ? i : i * (all - 1) / (count - 1));
  }
  return kept;
}

/// Columns of text under these heads, the first of rows' names.
inline report::Table text_table(const std::vector<std::string>& heads, const std::string& title) {
  std::vector<report::Column> columns;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    columns.push_back(
        {.name = heads[i], .key = "column_" + text(i), .align = i == 0 ? report::Align::left : report::Align::right});
  }
  return report::Table(columns, title);
}

/// The numbers of all series but heat grids: a row for each x.
inline report::Table series_numbers(const report::Panel& panel, const std::string& title, std::size_t most_rows) {
  const Places places(panel);
  const std::vector<NumberColumn> columns = number_columns(panel, places);
  const std::string& along = places.sideways() ? panel.y.label : panel.x.label;
  std::vector<std::string> heads{!along.empty() ? along : places.named() ? "name" : "at"};
  std::map<double, std::size_t> all;  // how many series have a number in each row
  for (const NumberColumn& column : columns) {
    heads.push_back(column.head);
    for (const auto& [row, said] : column.rows) {
      ++all[row];
    }
  }
  report::Table table = text_table(heads, title);
  std::vector<double> shown = shown_rows(all, places, most_rows);
  if (places.sideways()) {
    std::reverse(shown.begin(), shown.end());  // as they are drawn
  }
  for (const double row : shown) {
    std::vector<report::Cell> cells{places.text_of(row)};
    for (const NumberColumn& column : columns) {
      const auto found = column.rows.find(row);
      cells.emplace_back(found == column.rows.end() ? "" : found->second);
    }
    table.add(std::move(cells));
  }
  if (all.size() > shown.size()) {
    table.note(text(shown.size()) + " of " + text(all.size()) + " rows.");
  }
  for (const report::Series& series : panel.series) {
    if (const std::string mark = marked_by(series); !mark.empty()) {
      table.note(mark);
    }
  }
  return table;
}

/// Some of a heat grid's numbers, at most eight in each direction, the highest row first as it is drawn.
inline report::Table grid_numbers(const report::HeatGrid& grid, const report::Panel& panel, const std::string& title) {
  constexpr std::size_t most = 8;
  const auto middle = [](double from, double to, std::size_t i, std::size_t n) {
    return from + (to - from) * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
  };
  const auto place = [](const report::Axis& axis, double at, double cell) {
    const AxisTexts texts(axis);
    const report::Tick* const tick = texts.named() ? texts.nearest(at) : nullptr;
    return tick != nullptr && std::abs(tick->at - at) < cell / 2 ? on_one_line(tick->text) : three_digits(at);
  };
  const std::vector<std::size_t> columns = thinned(grid.columns, most);
  std::vector<std::string> heads{(panel.y.label.empty() ? "y" : panel.y.label) + " \\ " +
                                 (panel.x.label.empty() ? "x" : panel.x.label)};
  for (const std::size_t column : columns) {
    heads.push_back(place(panel.x, middle(grid.left, grid.right, column, grid.columns),
                          (grid.right - grid.left) / static_cast<double>(grid.columns)));
  }
  report::Table table = text_table(heads, title);
  std::vector<std::size_t> rows = thinned(grid.rows, most);
  for (std::size_t i = rows.size(); i-- > 0;) {
    std::vector<report::Cell> cells{place(panel.y, middle(grid.bottom, grid.top, rows[i], grid.rows),
                                          (grid.top - grid.bottom) / static_cast<double>(grid.rows))};
    for (const std::size_t column : columns) {
      const double value = grid.values[rows[i] * grid.columns + column];
      cells.emplace_back(std::isnan(value) ? "" : three_digits(value));
    }
    table.add(std::move(cells));
  }
  return table.note("Of " + text(grid.rows) + " x " + text(grid.columns) + " numbers" +
                    (grid.name.empty() ? "." : ": " + grid.name + "."));
}

/// The texts of tiles; a star behind those that stand out.
inline report::Table tile_texts(const report::Tiles& tiles, const std::string& title) {
  std::size_t columns = 0;
  bool stars = false;
  for (const report::TileRow& row : tiles.rows) {
    columns = std::max(columns, row.tiles.size());
  }
  std::vector<std::string> heads{"images"};
  for (std::size_t i = 1; i <= columns; ++i) {
    heads.push_back(text(i));
  }
  report::Table table = text_table(heads, title);
  std::string name;
  for (const report::TileRow& row : tiles.rows) {
    name = row.name.empty() ? name : on_one_line(row.name);
    std::vector<report::Cell> cells{name};
    for (const report::Tile& tile : row.tiles) {
      cells.emplace_back(tile.text + (tile.stands_out ? " *" : ""));
      stars = stars || tile.stands_out;
    }
    cells.resize(columns + 1, "");
    table.add(std::move(cells));
  }
  return stars ? table.note("*: stands out in the picture.") : table;
}

/// All that a panel draws, in tables: what a reader needs who does not see it.
inline std::vector<report::Table> numbers_of(const report::Panel& panel, const std::string& title,
                                             std::size_t most_rows) {
  if (!panel.tiles.rows.empty()) {
    return {tile_texts(panel.tiles, title)};
  }
  std::vector<report::Table> tables;
  if (!number_columns(panel, Places(panel)).empty()) {
    tables.push_back(series_numbers(panel, title, most_rows));
  }
  for (const report::Series& series : panel.series) {
    if (const auto* const grid = std::get_if<report::HeatGrid>(&series)) {
      tables.push_back(grid_numbers(*grid, panel, title));
    }
  }
  return tables;
}

}  // namespace regimen::inline v0::detail::reports
