#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "regimen/base/csv_field.hpp"
#include "regimen/report/detail/cell_text.hpp"
#include "regimen/report/table.hpp"

namespace regimen::inline v0::detail {

inline std::string csv_number(double value, int digits) {
  return digits < 0 || !std::isfinite(value) ? csv_number(value) : fixed(value, digits);
}

/// The field or, of an interval, the three fields of a cell, with the commas between.
inline std::string csv_cell(const report::Cell& cell, const report::Column& column) {
  const bool is_interval = column.kind == report::Kind::interval;
  if (cell.is_missing()) {
    return is_interval ? ",," : "";
  }
  if (is_interval) {
    const auto& value = std::get<Interval>(cell.value());
    return csv_number(value.mean, column.csv_digits) + "," + csv_number(value.half_width, column.csv_digits) + "," +
           text(value.n);
  }
  if (column.kind == report::Kind::text) {
    return csv_field(std::get<std::string>(cell.value()));
  }
  return column.kind == report::Kind::whole ? whole_text(cell) : csv_number(number_of(cell), column.csv_digits);
}

}  // namespace regimen::inline v0::detail

namespace regimen::inline v0::report {

/// The table as comma-separated values, RFC 4180 with lines that end in "\n": a line of keys, then a line a row. Title
/// and notes are left out.
///
/// A column of intervals, of key x, is three: x, the mean; x_half_width; x_n, the number of values. Numbers read back
/// as the same doubles unless `Column::csv_digits` rounds them; a percent is the share in [0, 1]. A field is empty
/// where a cell is missing or a number is not known.
///     report::write_file("results/summary.csv", report::csv(table));
[[nodiscard]] inline std::string csv(const Table& table) {
  std::string text;
  const auto begin_field = [&](std::size_t column) { text += column == 0 ? "" : ","; };
  for (std::size_t i = 0; i < table.columns().size(); ++i) {
    const Column& column = table.columns()[i];
    begin_field(i);
    text += detail::csv_field(column.key);
    if (column.kind == Kind::interval) {
      text += "," + detail::csv_field(column.key + "_half_width") + "," + detail::csv_field(column.key + "_n");
    }
  }
  text += "\n";
  for (const std::vector<Cell>& row : table.rows()) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      begin_field(i);
      text += detail::csv_cell(row[i], table.columns()[i]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace regimen::inline v0::report
