#pragma once
// No LibTorch.

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/report/detail/svg_legend.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/table.hpp"

/// The numbers that a panel draws, as a table.
namespace regimen::inline v0::detail::reports {

/// A number with five digits, "0.25", "-3", "1.2e-05"; "" for NaN.
inline std::string five_digits(double value) {
  char buffer[32];
  return std::isnan(value)
             ? ""
             : std::string(buffer,
                           std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 5).ptr);
}

inline std::string measured_text(const report::Measured& value) {
  const std::string number = five_digits(value.value);
  return std::isnan(value.low) || number.empty()
             ? number
             : number + " [" + five_digits(value.low) + ", " + five_digits(value.high) + "]";
}

/// The points of one series: x, and what the table says there.
using TablePoints = std::vector<std::pair<double, std::string>>;

inline TablePoints points_of(const report::Series& series, bool sideways) {
  TablePoints points;
  std::visit(
      [&](const auto& each) {
        if constexpr (requires { each.low; }) {
          for (std::size_t i = 0; i < each.x.size(); ++i) {
            points.emplace_back(each.x[i], five_digits(each.low[i]) + " to " + five_digits(each.high[i]));
          }
        } else if constexpr (requires { each.y.front().value; }) {
          for (std::size_t i = 0; i < each.x.size(); ++i) {
            points.emplace_back(each.x[i], measured_text(each.y[i]));
          }
        } else if constexpr (requires { each.y; }) {
          for (std::size_t i = 0; i < each.x.size(); ++i) {
            points.emplace_back(sideways ? each.y[i] : each.x[i], five_digits(sideways ? each.x[i] : each.y[i]));
          }
        }
      },
      series);
  return points;
}

/// Where on the x axis a row of the table lies, in words: a group by name, a phase and its epoch, or the number.
class Places {
 public:
  explicit Places(const report::Panel& panel)
      : panel_(panel), sideways_(is_named(panel.y)), ticks_(sideways_ ? panel.y.ticks : panel.x.ticks) {
    named_ = is_named(panel.x) || sideways_;
    const std::vector<report::Stretch>& all = panel.stretches;
    phases_ = all.size() > 1 && all.front().from == panel.x.from && all.back().to == panel.x.to;
    for (std::size_t i = 1; i < all.size(); ++i) {
      phases_ = phases_ && all[i].from == all[i - 1].to;
    }
  }

  [[nodiscard]] bool named() const { return named_; }

  /// Whether names stand on the y axis, so that a row is a y, and its numbers are on the x axis.
  [[nodiscard]] bool sideways() const { return sideways_; }

  /// Series whose points lie beside each other at one name share its row.
  [[nodiscard]] double row_of(double x) const { return named_ ? nearest(x).at : x; }

  [[nodiscard]] std::string text_of(double x) const {
    if (named_) {
      return on_one_line(nearest(x).text);
    }
    for (const report::Stretch& stretch : panel_.stretches) {
      if (phases_ && x <= stretch.to) {
        return stretch.text + ", " + five_digits(x - stretch.from);
      }
    }
    return five_digits(x);
  }

 private:
  static bool is_named(const report::Axis& axis) {
    return std::any_of(axis.ticks.begin(), axis.ticks.end(), [](const report::Tick& tick) {
      return std::any_of(tick.text.begin(), tick.text.end(),
                         [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
    });
  }

  [[nodiscard]] const report::Tick& nearest(double x) const {
    return *std::min_element(ticks_.begin(), ticks_.end(),
                             [&](const auto& a, const auto& b) { return std::abs(a.at - x) < std::abs(b.at - x); });
  }

  const report::Panel& panel_;
  bool sideways_;
  const std::vector<report::Tick>& ticks_;
  bool named_ = false;   ///< ticks are names, not numbers
  bool phases_ = false;  ///< stretches cover the axis
};

/// The series that a table shows: those with a name, or all if none has one. Of two with one name, which are drawn over
/// each other, the one with intervals, else the first.
inline std::vector<const report::Series*> told_series(const report::Panel& panel) {
  const bool any_named = std::any_of(panel.series.begin(), panel.series.end(),
                                     [](const report::Series& each) { return !name_of(each).empty(); });
  std::vector<const report::Series*> told;
  for (const report::Series& series : panel.series) {
    if (std::holds_alternative<report::HeatGrid>(series) || (any_named && name_of(series).empty())) {
      continue;
    }
    const auto same = std::find_if(told.begin(), told.end(), [&](const report::Series* other) {
      return !name_of(series).empty() && name_of(*other) == name_of(series);
    });
    if (same == told.end() || std::holds_alternative<report::Band>(series)) {
      told.push_back(&series);
    } else if (std::holds_alternative<report::ErrorBars>(series)) {
      *same = &series;
    }
  }
  return told;
}

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
  const std::vector<const report::Series*> told = told_series(panel);
  const Places places(panel);
  const std::string& along = places.sideways() ? panel.y.label : panel.x.label;
  std::vector<std::string> heads{!along.empty() ? along : places.named() ? "name" : "at"};
  std::map<double, std::vector<std::string>> rows;
  for (std::size_t i = 0; i < told.size(); ++i) {
    const std::string& name = name_of(*told[i]);
    const std::string value = panel.y.label.empty() ? "value" : panel.y.label;
    heads.push_back((name.empty() ? value : name) + (std::holds_alternative<report::Band>(*told[i]) ? ", range" : ""));
    for (const auto& [x, value_text] : points_of(*told[i], places.sideways())) {
      if (std::isfinite(x) && !value_text.empty()) {
        std::vector<std::string>& row = rows[places.row_of(x)];
        row.resize(told.size());
        row[i] += (row[i].empty() ? "" : "; ") + value_text;
      }
    }
  }
  report::Table table = text_table(heads, title);
  std::vector<double> all;
  for (const auto& [x, row] : rows) {
    all.push_back(x);
  }
  if (places.sideways()) {
    std::reverse(all.begin(), all.end());  // as they are drawn
  }
  for (const std::size_t i : thinned(all.size(), most_rows)) {
    std::vector<report::Cell> cells{places.text_of(all[i])};
    cells.insert(cells.end(), rows[all[i]].begin(), rows[all[i]].end());
    table.add(std::move(cells));
  }
  if (all.size() > most_rows) {
    table.note(text(most_rows) + " of " + text(all.size()) + " rows.");
  }
  return table;
}

/// Some of a heat grid's numbers, at most eight in each direction, the highest row first as it is drawn.
inline report::Table grid_numbers(const report::HeatGrid& grid, const report::Panel& panel, const std::string& title) {
  constexpr std::size_t most = 8;
  const auto middle = [](double from, double to, std::size_t i, std::size_t n) {
    return from + (to - from) * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
  };
  const std::vector<std::size_t> columns = thinned(grid.columns, most);
  std::vector<std::string> heads{(panel.y.label.empty() ? "y" : panel.y.label) + " \\ " +
                                 (panel.x.label.empty() ? "x" : panel.x.label)};
  for (const std::size_t column : columns) {
    heads.push_back(three_digits(middle(grid.left, grid.right, column, grid.columns)));
  }
  report::Table table = text_table(heads, title);
  std::vector<std::size_t> rows = thinned(grid.rows, most);
  for (std::size_t i = rows.size(); i-- > 0;) {
    std::vector<report::Cell> cells{three_digits(middle(grid.bottom, grid.top, rows[i], grid.rows))};
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
  if (!told_series(panel).empty()) {
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
