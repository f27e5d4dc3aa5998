#pragma once
// No LibTorch.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "regimen/base/error.hpp"
#include "regimen/report/table.hpp"

/// Cells as text for readers.
namespace regimen::inline v0::detail::reports {

/// A number as text: 0.5 with two digits is "0.50"; from 1e15 on "1.00e+15". Independent of the locale.
inline std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "-" : text(value);
  }
  char buffer[64];
  const auto format = std::abs(value) < 1e15 ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, format, digits).ptr;
  return {buffer, end};
}

/// An interval as text: "81.57 +- 0.62"; the mean alone for fewer than two values.
inline std::string interval_text(const Interval& value, int digits, std::string_view plus_minus) {
  std::string result = fixed(value.mean, digits);
  if (value.n >= 2 && !std::isnan(value.mean)) {
    result.append(" ").append(plus_minus).append(" ").append(fixed(value.half_width, digits));
  }
  return result;
}

/// An estimate as text: "0.31 [0.25, 0.37]"; the number alone without an interval.
inline std::string estimate_text(const Estimate& value, int digits) {
  const std::string number = fixed(value.value, digits);
  return std::isnan(value.low) || std::isnan(value.high)
             ? number
             : number + " [" + fixed(value.low, digits) + ", " + fixed(value.high, digits) + "]";
}

/// The number in a cell; NaN if there is none.
inline double number_of(const report::Cell& cell) {
  return std::visit(
      [](const auto& value) {
        if constexpr (requires { static_cast<double>(value); }) {
          return static_cast<double>(value);
        } else {
          return unknown;
        }
      },
      cell.value());
}

/// A whole number as text, with all digits.
inline std::string whole_text(const report::Cell& cell) {
  const auto* const signed_value = std::get_if<std::int64_t>(&cell.value());
  return signed_value != nullptr ? text(*signed_value) : text(std::get<std::uint64_t>(cell.value()));
}

/// The text of a cell in terminal tables and Markdown.
inline std::string cell_text(const report::Cell& cell, const report::Column& column, std::string_view plus_minus) {
  if (const auto* missing = std::get_if<report::Missing>(&cell.value())) {
    return missing->reason;
  }
  switch (column.kind) {
    case report::Kind::text:
      return std::get<std::string>(cell.value());
    case report::Kind::whole:
      return whole_text(cell);
    case report::Kind::number:
      return fixed(number_of(cell), column.digits);
    case report::Kind::percent: {
      const double share = number_of(cell);
      return std::isnan(share) ? "-" : fixed(100 * share, column.digits) + " %";
    }
    case report::Kind::estimate:
      return estimate_text(std::get<Estimate>(cell.value()), column.digits);
    default:
      return interval_text(std::get<Interval>(cell.value()), column.digits, plus_minus);
  }
}

/// Whether a column's cells end at its right edge.
inline bool is_right(const report::Column& column) {
  return column.align == report::Align::right ||
         (column.align == report::Align::by_kind && column.kind != report::Kind::text);
}

}  // namespace regimen::inline v0::detail::reports
