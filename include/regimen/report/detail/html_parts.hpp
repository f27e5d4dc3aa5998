#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "regimen/report/detail/cell_text.hpp"
#include "regimen/report/detail/panel_numbers.hpp"
#include "regimen/report/detail/svg_text.hpp"
#include "regimen/report/html_report.hpp"
#include "regimen/report/pixels.hpp"
#include "regimen/report/svg.hpp"

/// The parts of a page, as HTML that is XML, too: every element is closed, every text escaped.
namespace regimen::inline v0::detail::reports {

/// A paragraph for each line that is not blank.
inline std::string paragraphs(std::string_view text) {
  std::string result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    result += line.find_first_not_of(" \t\r") == std::string_view::npos ? "" : "<p>" + xml_text(line) + "</p>\n";
    begin = end + 1;
  }
  return result;
}

/// A text escaped, its line breaks kept.
inline std::string code_text(std::string_view text) {
  std::string result;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', begin)) {
    result += xml_text(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return result + xml_text(text.substr(begin));
}

/// A box that scrolls sideways where the page is too narrow, with keys, too. `name`: for screen readers.
inline std::string scrolling(std::string_view name, std::string_view content) {
  return "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + xml_text(name) + "\">\n" +
         std::string(content) + "</div>\n";
}

/// A table with its title, unless the heading above says it, and its notes. A column without a name has its key.
inline std::string table_element(const report::Table& table, const std::string& heading) {
  const bool is_titled = !table.title().empty() && table.title() != heading;
  std::string rows = is_titled ? "<caption>" + xml_text(table.title()) + "</caption>\n" : "";
  const auto align = [](const report::Column& column) {
    return std::string(is_right(column) ? " class=\"n\"" : column.kind != report::Kind::text ? " class=\"w\"" : "");
  };
  rows += "<thead><tr>";
  for (const report::Column& column : table.columns()) {
    rows +=
        "<th scope=\"col\"" + align(column) + ">" + xml_text(column.name.empty() ? column.key : column.name) + "</th>";
  }
  rows += "</tr></thead>\n<tbody>\n";
  for (const std::vector<report::Cell>& row : table.rows()) {
    rows += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = xml_text(cell_text(row[i], table.columns()[i], "±"));
      rows += i == 0 ? "<th scope=\"row\"" + align(table.columns()[i]) + ">" + text + "</th>"
                     : "<td" + align(table.columns()[i]) + ">" + text + "</td>";
    }
    rows += "</tr>\n";
  }
  rows = "<table>\n" + rows + "</tbody>\n</table>\n";
  std::string result = scrolling(is_titled ? table.title() : heading, rows);
  std::string notes;
  for (const std::string& note : table.notes()) {
    notes += (notes.empty() ? "" : " ") + note;
  }
  return result + (notes.empty() ? "" : "<p class=\"note\">" + xml_text(notes) + "</p>\n");
}

/// A heading that shows its content when a reader opens it.
inline std::string folded(std::string_view name, std::string_view content) {
  return "<details><summary>" + xml_text(name) + "</summary>\n" + std::string(content) + "</details>\n";
}

/// The panels of a picture, each as a picture of its own that is as wide as a telephone, with the looks that its series
/// have among all panels.
inline std::vector<report::Picture> pictures_of_panels(const report::Picture& picture, const std::string& heading) {
  constexpr double width = 420;
  constexpr double least_plot = 280;
  // Of a forest plot: beside its names it fits a telephone, too, unless its label is long.
  const auto least_beside_names = [](const report::Panel& panel) {
    return std::max(150.0, text_width(panel.x.label, label_size));
  };
  const Styles styles(picture);
  std::vector<report::Picture> pictures;
  for (std::size_t i = 0; i < picture.panels.size(); ++i) {
    report::Picture alone{.description = picture.description, .panels = {picture.panels[i]}, .width = width};
    report::Panel& panel = alone.panels.front();
    alone.has_legend = picture.has_legend;
    for (std::size_t k = 0; k < panel.series.size(); ++k) {
      const report::Style style = styles.of(picture.panels[i], k);
      std::visit(
          [&](auto& each) {
            if constexpr (requires { each.style; }) {
              each.style = style;
            }
          },
          panel.series[k]);
    }
    // A label that stands at the first panel of a row only is the others', too.
    const std::size_t first = i - i % std::max<std::size_t>(picture.columns, 1);
    panel.y.label = panel.y.label.empty() ? picture.panels[first].y.label : panel.y.label;
    // Long texts on its left leave a plot too little room, and images are drawn for the whole picture.
    const double left = panel.tiles.rows.empty() ? PanelPlan(panel, "").left() : 0;
    alone.width =
        panel.tiles.rows.empty()
            ? std::max(width, left + (is_sideways(panel, AxisTexts(panel.y)) ? least_beside_names(panel) : least_plot))
            : std::max(width, picture.width);
    if (alone.description.empty()) {
      alone.description = picture.caption;
    }
    const std::string& all = picture.title.empty() ? heading : picture.title;
    alone.title = !panel.title.empty()                                  ? panel.title
                  : picture.panels.size() > 1 && !panel.y.label.empty() ? all + ": " + panel.y.label
                                                                        : all;
    pictures.push_back(std::move(alone));
  }
  return pictures;
}

/// Whether a panel would have letters below 9 px on a telephone: it scrolls there.
inline bool is_wide(const report::Picture& alone) {
  return alone.width > 449;  // of 368 px that a page of 400 px has: letters of 9 px
}

/// One panel as <svg> with the title and the description that a screen reader says.
inline std::string panel_element(report::Picture alone, const std::string& id) {
  const std::string said = spoken(alone, id);
  const std::string labels = id + "-title" + (alone.description.empty() ? "" : " " + id + "-desc");
  const std::string name = std::exchange(alone.title, "");  // the panel draws its own
  const std::vector<report::Series>& all = alone.panels.front().series;
  const bool has_surface = std::any_of(all.begin(), all.end(), [](const report::Series& each) {
    return std::holds_alternative<report::HeatGrid>(each);
  });
  const std::string classes = std::string("p") + (is_wide(alone) ? " wide" : "") + (has_surface ? " paper" : "");
  const std::string svg =
      svg_element(alone, drawn(alone), said, attribute("class", classes) + attribute("aria-labelledby", labels));
  return is_wide(alone) ? scrolling(name, svg) : svg;
}

/// A picture, its panels beside each other where there is room, its caption and its numbers. `id`: what the ids of its
/// elements begin with.
inline std::string figure(const report::Picture& picture, const report::HtmlReport& page, const std::string& heading,
                          const std::string& id) {
  std::string shapes;
  std::string numbers;
  const std::vector<report::Picture> panels = pictures_of_panels(picture, heading);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    shapes += panel_element(panels[i], id + "-" + text(i + 1));
    for (const report::Table& table : numbers_of(panels[i].panels.front(), panels[i].title, page.most_rows)) {
      numbers += table_element(table, heading);
    }
  }
  std::string caption =
      picture.title.empty() || picture.title == heading ? "" : "<b>" + xml_text(picture.title) + "</b> ";
  caption += xml_text(picture.caption);
  return "<figure>\n<div class=\"panels" + std::string(panels.size() == 1 && !is_wide(panels[0]) ? " one" : "") +
         "\">\n" + shapes + "</div>\n" + (caption.empty() ? "" : "<figcaption>" + caption + "</figcaption>\n") +
         (numbers.empty() ? "" : folded("The numbers of this picture", numbers)) + "</figure>\n";
}

/// A text in an address, as "data:image/svg+xml," wants it. An SVG file is letters for the most part, of which base 64
/// would take a third more. Its quotation marks become apostrophes, which need no escape, if it has none of these.
inline std::string in_address(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const bool has_apostrophe = text.find('\'') != std::string_view::npos;
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' && !has_apostrophe) {
      result += '\'';
    } else if (byte < 0x20 || byte >= 0x7F || std::string_view("\"#%&<>").find(c) != std::string_view::npos) {
      result += '%';
      result += digits[byte >> 4U];
      result += digits[byte & 15U];
    } else {
      result += c;
    }
  }
  return result;
}

/// An image. Those of SVG have letters, which keep their size.
inline std::string image_element(const report::HtmlImage& image) {
  const std::string begin = "<img alt=\"" + xml_text(image.text) + "\" ";
  const std::string shown = is_png(image) ? begin + "src=\"data:image/png;base64," + base64(image.file) + "\"/>\n"
                                          : scrolling(image.text, begin + "class=\"wide\" src=\"data:image/svg+xml," +
                                                                      in_address(image.file) + "\"/>\n");
  return "<figure>\n" + shown +
         (image.caption.empty() ? "" : "<figcaption>" + xml_text(image.caption) + "</figcaption>\n") + "</figure>\n";
}

/// A section, the `number`-th from 1.
inline std::string section_element(const report::HtmlReport& page, const report::HtmlSection& section,
                                   std::size_t number) {
  const std::string id = "s" + text(number);
  std::string result = "<section aria-labelledby=\"" + id + "\">\n<h2 id=\"" + id + "\">" + xml_text(section.heading) +
                       "</h2>\n" + paragraphs(section.text);
  for (std::size_t i = 0; i < section.pictures.size(); ++i) {
    result += figure(section.pictures[i], page, section.heading, id + "-" + text(i + 1));
  }
  for (const report::HtmlImage& image : section.images) {
    result += image_element(image);
  }
  for (const report::Table& table : section.tables) {
    result += table_element(table, section.heading);
  }
  for (const report::HtmlCode& code : section.codes) {
    result += folded(code.name, "<pre>" + code_text(code.text) + "</pre>\n");
  }
  return result + "</section>\n";
}

}  // namespace regimen::inline v0::detail::reports
