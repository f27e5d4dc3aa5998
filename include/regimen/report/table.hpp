#pragma once
// No LibTorch.

#include <cctype>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/statistics/interval.hpp"
#include "regimen/statistics/proportion.hpp"

/// Tables and pictures of results: a `Table` for a terminal, CSV and Markdown, a `Picture` as SVG.
namespace regimen::inline v0::report {

/// The type of a column's cells. Any cell may be `Missing` instead.
enum class Kind {
  text,
  whole,     ///< a whole number
  number,    ///< a real number
  percent,   ///< a share in [0, 1], shown in percent; a CSV file keeps the share
  interval,  ///< a mean with its interval: `regimen::Interval`
  estimate,  ///< a number with the ends of its interval: `regimen::Estimate` or `Proportion`
};

enum class Align { by_kind, left, right };  ///< by_kind: text to the left, all else to the right

/// One column of a table.
///     {.name = "test accuracy", .kind = report::Kind::interval, .digits = 1}
struct Column {
  std::string name{};  ///< head of the column
  std::string key{};   ///< name in a CSV file; "": made of the name, "test, %" gives "test"
  Kind kind = Kind::text;
  int digits = 2;       ///< decimals shown, in [0, 17]
  int csv_digits = -1;  ///< decimals in a CSV file, in [-1, 17]; -1: the fewest that read back as the same number
  Align align = Align::by_kind;
  std::size_t width = 0;  ///< the least width in a terminal, in characters
};

/// A cell without a value, and the reason: "diverged". Tables show the reason; in a CSV file the cell is empty.
struct Missing {
  std::string reason = "-";
};

/// The value of one cell. Converts from text, numbers, intervals and `Missing`.
class Cell {
 public:
  using Value = std::variant<Missing, std::string, std::int64_t, std::uint64_t, double, Interval, Estimate>;

  Cell() = default;  ///< missing
  Cell(Missing why) : value_(std::move(why)) {}
  Cell(std::string text) : value_(std::move(text)) {}
  Cell(std::string_view text) : value_(std::string(text)) {}
  Cell(const char* text) : value_(std::string(text)) {}
  Cell(Interval interval) : value_(interval) {}
  Cell(Estimate estimate) : value_(estimate) {}
  Cell(const Proportion& counted)
      : value_(Estimate{counted.share, counted.low, counted.high, static_cast<std::size_t>(counted.trials)}) {}

  template <class Number>
    requires(std::is_arithmetic_v<Number> && !std::same_as<Number, bool>)
  Cell(Number number) {
    if constexpr (std::floating_point<Number>) {
      value_ = double{number};
    } else if constexpr (std::signed_integral<Number>) {
      value_ = std::int64_t{number};
    } else {
      value_ = std::uint64_t{number};
    }
  }

  [[nodiscard]] const Value& value() const { return value_; }
  [[nodiscard]] bool is_missing() const { return std::holds_alternative<Missing>(value_); }

  /// Whether a column of this kind takes the cell. Whole numbers are real numbers, too.
  [[nodiscard]] bool is(Kind kind) const {
    const bool whole = std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<std::uint64_t>(value_);
    switch (kind) {
      case Kind::text:
        return is_missing() || std::holds_alternative<std::string>(value_);
      case Kind::whole:
        return is_missing() || whole;
      case Kind::number:
      case Kind::percent:
        return is_missing() || whole || std::holds_alternative<double>(value_);
      case Kind::interval:
        return is_missing() || std::holds_alternative<Interval>(value_);
      default:
        return is_missing() || std::holds_alternative<Estimate>(value_);
    }
  }

 private:
  Value value_ = Missing{};
};

/// The name of a kind in error messages.
[[nodiscard]] inline std::string_view name_of(Kind kind) {
  constexpr std::string_view names[] = {"a text",  "a whole number", "a number",
                                        "a share", "an interval",    "an estimate"};
  return names[static_cast<std::size_t>(kind)];
}

/// The default key of a column: its name in small letters, with "_" between the words.
[[nodiscard]] inline std::string key_of(std::string_view name) {
  std::string key;
  bool gap = false;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0) {
      gap = !key.empty();
      continue;
    }
    key += gap ? "_" : "";
    key += byte < 0x80 ? static_cast<char>(std::tolower(byte)) : c;
    gap = false;
  }
  return key;
}

/// Rows of cells under named columns, with a title above and notes below. A table is data only: `terminal`, `csv` and
/// `markdown` make text of it.
///     report::Table table({{.name = "start"}, {.name = "test", .kind = report::Kind::percent, .digits = 1}});
///     table.add({"random weights", 0.816}).add({"random labels", report::Missing{"diverged"}});
class Table {
 public:
  /// Throws Error if there is no column, if two have the same key, or if digits are out of their range.
  explicit Table(std::vector<Column> columns, std::string title = "")
      : title_(std::move(title)), columns_(std::move(columns)) {
    detail::require(!columns_.empty(), "Table.columns", "at least one", 0);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      Column& column = columns_[i];
      column.key = column.key.empty() ? key_of(column.name) : column.key;
      const std::string where = "Table.columns[" + detail::text(i) + "]";
      detail::require(!column.key.empty(), where + ".key", "given, for the name has no letter or digit", column.name);
      detail::require(column.digits >= 0 && column.digits <= 17, where + ".digits", "in [0, 17]", column.digits);
      detail::require(column.csv_digits >= -1 && column.csv_digits <= 17, where + ".csv_digits", "in [-1, 17]",
                      column.csv_digits);
      for (std::size_t k = 0; k < i; ++k) {
        detail::require(columns_[k].key != column.key, where + ".key",
                        "another one than that of column " + detail::text(k), column.key);
      }
    }
  }

  /// Adds a row: a cell for each column, of its kind or missing. Throws Error otherwise.
  Table& add(std::vector<Cell> cells) {
    const std::string row = "Table.rows[" + detail::text(rows_.size()) + "]";
    detail::require(cells.size() == columns_.size(), row + ".size()",
                    detail::text(columns_.size()) + ", a cell for each column", cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      detail::require(cells[i].is(columns_[i].kind),
                      row + "[" + detail::text(i) + "], in column " + columns_[i].key + ",",
                      std::string(name_of(columns_[i].kind)) + " or Missing", held(cells[i]));
    }
    rows_.push_back(std::move(cells));
    return *this;
  }

  /// Adds a sentence to be read below the rows.
  Table& note(std::string text) {
    notes_.push_back(std::move(text));
    return *this;
  }

  [[nodiscard]] const std::string& title() const { return title_; }
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] const std::vector<std::vector<Cell>>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  static std::string_view held(const Cell& cell) {
    constexpr std::string_view names[] = {"missing",  "a text",      "a whole number", "a whole number",
                                          "a number", "an interval", "an estimate"};
    return names[cell.value().index()];
  }

  std::string title_;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_{};
  std::vector<std::string> notes_{};
};

}  // namespace regimen::inline v0::report
