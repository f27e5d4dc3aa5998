#pragma once
// No LibTorch.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/detail/panel_places.hpp"
#include "regimen/report/detail/svg_legend.hpp"
#include "regimen/report/picture.hpp"

/// What the table of a panel's numbers says of each series, and which rows it shows.
namespace regimen::inline v0::detail::reports {

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

/// A column of a panel's table: what stands in each row.
struct NumberColumn {
  const report::Series* series = nullptr;
  std::string head{};
  std::map<double, std::string> rows{};
};

/// The rows of one series. Points at one place are told one after another.
inline std::map<double, std::string> rows_of(const report::Series& series, const Places& places) {
  std::map<double, std::string> rows;
  for (const auto& [x, said] : points_of(series, places.sideways())) {
    if (std::isfinite(x) && !said.empty()) {
      std::string& row = rows[places.row_of(x, std::holds_alternative<report::Lines>(series))];
      row += (row.empty() ? "" : "; ") + said;
    }
  }
  return rows;
}

/// Where a line without a name lies that only marks a place, at one y or at one x; else "".
inline std::string marked_by(const report::Series& series) {
  const auto* const line = std::get_if<report::Lines>(&series);
  if (line == nullptr || !line->name.empty() || line->x.empty()) {
    return "";
  }
  const auto all = [](const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
  };
  return all(line->y)   ? "A line marks y = " + five_digits(line->y.front()) + "."
         : all(line->x) ? "A line marks x = " + five_digits(line->x.front()) + "."
                        : "";
}

/// Puts a series into the column of its name, where that has room for it, or into one of its own. Error bars over a
/// line or points of the same places say what these say, and more.
inline void add_column(std::vector<NumberColumn>& columns, NumberColumn column) {
  const report::Series& series = *column.series;
  std::size_t of_name = 0;
  for (NumberColumn& other : columns) {
    if (name_of(series).empty() || name_of(*other.series) != name_of(series) ||
        std::holds_alternative<report::Band>(series) != std::holds_alternative<report::Band>(*other.series)) {
      continue;
    }
    ++of_name;
    const auto same_place = [](const auto& a, const auto& b) { return a.first == b.first; };
    const bool same_places =
        std::equal(other.rows.begin(), other.rows.end(), column.rows.begin(), column.rows.end(), same_place);
    if (same_places && std::holds_alternative<report::ErrorBars>(series)) {
      other.rows = std::move(column.rows);
      return;
    }
    if (other.rows == column.rows || (same_places && std::holds_alternative<report::ErrorBars>(*other.series))) {
      return;
    }
    if (std::none_of(column.rows.begin(), column.rows.end(),
                     [&](const auto& row) { return other.rows.count(row.first) > 0; })) {
      other.rows.merge(column.rows);  // a curve in parts
      return;
    }
  }
  column.head += of_name == 0 ? "" : " (" + text(of_name + 1) + ")";
  columns.push_back(std::move(column));
}

/// The columns of a panel's table: a series each, but heat grids and lines that only mark a place.
inline std::vector<NumberColumn> number_columns(const report::Panel& panel, const Places& places) {
  const auto is_told = [](const report::Series& series) {
    return !std::holds_alternative<report::HeatGrid>(series) && marked_by(series).empty();
  };
  const auto is_nameless = [&](const report::Series& series) { return is_told(series) && name_of(series).empty(); };
  const auto told = std::count_if(panel.series.begin(), panel.series.end(), is_told);
  const auto nameless = std::count_if(panel.series.begin(), panel.series.end(), is_nameless);
  const std::string& measured = places.sideways() ? panel.x.label : panel.y.label;
  const std::string value = told > nameless ? "without a name" : measured.empty() ? "value" : measured;
  std::size_t number = 0;
  std::vector<NumberColumn> columns;
  for (const report::Series& series : panel.series) {
    if (is_told(series)) {
      NumberColumn column{.series = &series, .head = name_of(series), .rows = rows_of(series, places)};
      if (column.head.empty()) {
        column.head = value + (nameless == 1 ? "" : " (" + text(++number) + ")");
      }
      column.head += std::holds_alternative<report::Band>(series) ? ", range" : "";
      add_column(columns, std::move(column));
    }
  }
  return columns;
}

/// `count` numbers out of `all`, from 0 on, evenly, neither the first nor the last among them; count <= all.
inline std::vector<std::size_t> between(std::size_t all, std::size_t count) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    kept.push_back((i + 1) * all / (count + 1));
  }
  return kept;
}

/// Which of the rows a table shows, at most `most`, if so many need not be kept: those with a name, the first, the
/// last, and the ends of phases. Of the others rather rows in which most series have a number, evenly.
inline std::vector<double> shown_rows(const std::map<double, std::size_t>& all, const Places& places,
                                      std::size_t most) {
  std::vector<double> kept;
  std::map<std::size_t, std::vector<double>, std::greater<>> others;  // by their numbers
  for (auto row = all.begin(); row != all.end(); ++row) {
    const auto next = std::next(row);
    const bool is_end =
        row == all.begin() || next == all.end() || places.phase_of(row->first) != places.phase_of(next->first);
    (all.size() <= most || is_end || places.is_kept(row->first) ? kept : others[row->second]).push_back(row->first);
  }
  for (const auto& [numbers, rows] : others) {
    const std::size_t room = most > kept.size() ? most - kept.size() : 0;
    for (const std::size_t i : between(rows.size(), std::min(room, rows.size()))) {
      kept.push_back(rows[i]);
    }
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace regimen::inline v0::detail::reports
