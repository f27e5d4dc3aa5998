#pragma once
// No LibTorch.

#include <cmath>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "regimen/base/csv_field.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/report/detail/cell_text.hpp"
#include "regimen/report/table.hpp"

namespace regimen::inline v0::detail::reports {

inline std::string csv_number(double value, int digits) {
  return digits < 0 || !std::isfinite(value) ? detail::csv_number(value) : fixed(value, digits);
}

/// The endings that a column's key has in the CSV header, one for each field.
inline std::vector<std::string> csv_endings(report::Kind kind) {
  if (kind == report::Kind::interval) {
    return {"", "_half_width", "_n"};
  }
  if (kind == report::Kind::estimate) {
    return {"", "_low", "_high", "_n"};
  }
  return {""};
}

/// The fields of a cell.
inline std::vector<std::string> csv_fields(const report::Cell& cell, const report::Column& column) {
  const int digits = column.csv_digits;
  if (cell.is_missing()) {
    return std::vector<std::string>(csv_endings(column.kind).size());
  }
  switch (column.kind) {
    case report::Kind::text:
      return {csv_field(std::get<std::string>(cell.value()))};
    case report::Kind::whole:
      return {whole_text(cell)};
    case report::Kind::interval: {
      const auto& value = std::get<Interval>(cell.value());
      return {csv_number(value.mean, digits), csv_number(value.half_width, digits), text(value.n)};
    }
    case report::Kind::estimate: {
      const auto& value = std::get<Estimate>(cell.value());
      return {csv_number(value.value, digits), csv_number(value.low, digits), csv_number(value.high, digits),
              text(value.n)};
    }
    default:
      return {csv_number(number_of(cell), digits)};
  }
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// The table as comma-separated values, RFC 4180 with lines that end in "\n": a line of keys, then a line a row. Title
/// and notes are left out.
///
/// A column of intervals with key x becomes three: x, the mean; x_half_width; x_n, the number of values. A column of
/// estimates becomes four: x, x_low, x_high, x_n. Numbers read back as the same doubles unless `Column::csv_digits`
/// rounds them; a percent is the share in [0, 1]. A field is empty if its cell is missing or its number is NaN.
///     report::write_file("results/summary.csv", report::csv(table));
[[nodiscard]] inline std::string csv(const Table& table) {
  std::string text;
  for (const Column& column : table.columns()) {
    for (const std::string& ending : detail::reports::csv_endings(column.kind)) {
      detail::add_item(text, detail::csv_field(column.key + ending), ",");
    }
  }
  text += "\n";
  for (const std::vector<Cell>& row : table.rows()) {
    bool first = true;
    for (std::size_t i = 0; i < row.size(); ++i) {
      for (const std::string& field : detail::reports::csv_fields(row[i], table.columns()[i])) {
        if (!first) {
          text += ',';
        }
        text += field;
        first = false;
      }
    }
    text += '\n';
  }
  return text;
}

}  // namespace regimen::inline v0::report
