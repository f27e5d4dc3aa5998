#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "regimen/base/utf8.hpp"
#include "regimen/report/detail/cell_text.hpp"
#include "regimen/report/table.hpp"

namespace regimen::inline v0::report {

/// Options of `terminal`.
struct Terminal {
  std::size_t width = 120;  ///< largest width of a line of cells, in characters; 0: no limit
  std::size_t gap = 2;      ///< spaces between two columns, at least 1
};

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// The cells of a table as aligned lines, the head first.
class TerminalLines {
 public:
  TerminalLines(const report::Table& table, std::size_t gap) : table_(table), gap_(gap) {
    std::vector<std::string> head;
    for (const report::Column& column : table.columns()) {
      head.push_back(on_one_line(column.name));
      widths_.push_back(std::max(column.width, columns_of(head.back())));
    }
    lines_.push_back(std::move(head));
    for (const std::vector<report::Cell>& row : table.rows()) {
      std::vector<std::string>& line = lines_.emplace_back();
      for (std::size_t i = 0; i < row.size(); ++i) {
        line.push_back(on_one_line(cell_text(row[i], table.columns()[i], "+-")));
        widths_[i] = std::max(widths_[i], columns_of(line.back()));
      }
    }
  }

  /// The columns in blocks of at most `most` characters where possible; each begins with the first column.
  [[nodiscard]] std::vector<std::vector<std::size_t>> blocks(std::size_t most) const {
    std::vector<std::vector<std::size_t>> result{{0}};
    std::size_t width = widths_[0];
    for (std::size_t i = 1; i < widths_.size(); ++i) {
      if (most > 0 && width + gap_ + widths_[i] > most && result.back().size() > 1) {
        result.push_back({0});
        width = widths_[0];
      }
      result.back().push_back(i);
      width += gap_ + widths_[i];
    }
    return result;
  }

  /// The head and the rows of these columns.
  [[nodiscard]] std::string text(const std::vector<std::size_t>& columns) const {
    std::string result;
    for (const std::vector<std::string>& line : lines_) {
      std::string cells;
      for (const std::size_t i : columns) {
        const std::string space(widths_[i] - columns_of(line[i]), ' ');
        cells += cells.empty() && i == columns.front() ? "" : std::string(gap_, ' ');
        cells += is_right(table_.columns()[i]) ? space + line[i] : line[i] + space;
      }
      cells.erase(cells.find_last_not_of(' ') + 1);
      result += cells + "\n";
    }
    return result;
  }

 private:
  const report::Table& table_;
  std::size_t gap_;
  std::vector<std::size_t> widths_{};
  std::vector<std::vector<std::string>> lines_{};
};

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// The table as lines of text for a terminal: title, head, rows in aligned columns, notes, a blank line between them.
/// An interval is "81.57 +- 0.62", NaN is "-". A table that is wider than the terminal continues below, with its first
/// column repeated. Throws Error for a gap of 0.
///     std::fputs(report::terminal(table).c_str(), stdout);
[[nodiscard]] inline std::string terminal(const Table& table, const Terminal& how = {}) {
  detail::require(how.gap >= 1, "Terminal.gap", "at least 1", how.gap);
  std::string text = table.title().empty() ? "" : table.title() + "\n\n";
  const detail::reports::TerminalLines lines(table, how.gap);
  bool first = true;
  for (const std::vector<std::size_t>& block : lines.blocks(how.width)) {
    if (!first) {
      text += '\n';
    }
    text += lines.text(block);
    first = false;
  }
  text += table.notes().empty() ? "" : "\n";
  for (const std::string& note : table.notes()) {
    text += note + "\n";
  }
  return text;
}

}  // namespace regimen::inline v0::report
