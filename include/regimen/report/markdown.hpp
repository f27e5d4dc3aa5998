#pragma once
// No LibTorch.

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/report/detail/cell_text.hpp"
#include "regimen/report/table.hpp"

namespace regimen::inline v0::detail::reports {

/// The text escaped for Markdown: a "|" would end a cell, a line break the table.
inline std::string markdown_text(std::string_view text) {
  const auto is_word = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0);
  };
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool within_word = c == '_' && i > 0 && is_word(i - 1) && is_word(i + 1);
    if (c == '\n') {
      result += "<br>";
    } else if (std::string_view("|\\*_`<&[]~").find(c) != std::string_view::npos && !within_word) {
      result += '\\';
      result += c;
    } else {
      result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// The table as GitHub's Markdown: the title in bold, head and rows, the notes as paragraphs. An interval is
/// "81.57 ± 0.62". Characters that have a meaning in Markdown are escaped.
[[nodiscard]] inline std::string markdown(const Table& table) {
  std::string text = table.title().empty() ? "" : "**" + detail::reports::markdown_text(table.title()) + "**\n\n";
  std::string rule;
  for (const Column& column : table.columns()) {
    text += "| " + detail::reports::markdown_text(column.name) + " ";
    rule += detail::reports::is_right(column) ? "|---:" : "|---";
  }
  text += "|\n" + rule + "|\n";
  for (const std::vector<Cell>& row : table.rows()) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += "| " + detail::reports::markdown_text(detail::reports::cell_text(row[i], table.columns()[i], "±")) + " ";
    }
    text += "|\n";
  }
  for (const std::string& note : table.notes()) {
    text += "\n" + detail::reports::markdown_text(note) + "\n";
  }
  return text;
}

}  // namespace regimen::inline v0::report
