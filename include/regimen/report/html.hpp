#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/detail/html_parts.hpp"
#include "regimen/report/detail/html_style.hpp"
#include "regimen/report/html_report.hpp"

namespace regimen::inline v0::detail::reports {

/// What a browser may load for the page: styles and images that are in it. It refuses scripts and everything from
/// elsewhere, also if a text should ever be taken for markup.
inline constexpr const char* policy_element =
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\"/>\n";

/// Links to the sections; none if there are few.
inline std::string contents_of(const report::HtmlReport& page) {
  if (page.sections.size() < 4) {
    return "";
  }
  std::string items;
  for (std::size_t i = 0; i < page.sections.size(); ++i) {
    items += "<li><a href=\"#s" + text(i + 1) + "\">" + xml_text(page.sections[i].heading) + "</a></li>\n";
  }
  return "<nav aria-label=\"Contents\">\n<ol>\n" + items + "</ol>\n</nav>\n";
}

inline std::vector<std::string> section_elements(const report::HtmlReport& page) {
  check(page);
  std::vector<std::string> sections;
  for (std::size_t i = 0; i < page.sections.size(); ++i) {
    sections.push_back(section_element(page, page.sections[i], i + 1));
  }
  return sections;
}

/// Throws Error if the page is larger than its bound.
inline void check_size(const report::HtmlReport& page, const std::vector<std::string>& sections, std::size_t bytes) {
  std::string cure = "at most most_bytes = " + text(page.most_bytes);
  if (!sections.empty()) {
    const auto largest = std::max_element(sections.begin(), sections.end(),
                                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
    const auto i = static_cast<std::size_t>(largest - sections.begin());
    cure += " (" + section_called(page, i) + " has " + text(largest->size()) +
            ": leave out points or images there, or raise HtmlReport.most_bytes)";
  }
  require(bytes <= page.most_bytes, "HtmlReport: the bytes of \"" + page.title + "\"", cure, bytes);
}

}  // namespace regimen::inline v0::detail::reports

namespace regimen::inline v0::report {

/// The bytes of each section in the file, for a program that leaves out what would be too much. Throws Error as `html`
/// does, but for the bound.
[[nodiscard]] inline std::vector<std::size_t> section_bytes(const HtmlReport& page) {
  std::vector<std::size_t> bytes;
  for (const std::string& section : detail::reports::section_elements(page)) {
    bytes.push_back(section.size());
  }
  return bytes;
}

/// The report as the text of one HTML file that needs no other: it asks for nothing from elsewhere, runs no script, and
/// is readable on a telephone, on a dark screen, on paper and by a screen reader. Panels of a picture stand beside each
/// other where there is room, and their numbers in tables below. Equal reports give equal bytes.
///
/// Throws Error if title, heading or name of a part is empty, if an image is no PNG, if a picture cannot be drawn
/// (`svg`), or if the file has more bytes than `most_bytes`: the message names the largest section.
///     report::write_file("results/report.html", report::html(page));
[[nodiscard]] inline std::string html(const HtmlReport& page) {
  const std::vector<std::string> sections = detail::reports::section_elements(page);
  std::set<detail::reports::ColourUse> colours;
  std::string body;
  for (const std::string& section : sections) {
    detail::reports::collect_colours(section, colours);
    body += section;
  }
  const std::string title = detail::reports::xml_text(page.title);
  std::string text = "<!DOCTYPE html>\n<html lang=\"" + page.language + "\">\n<head>\n<meta charset=\"utf-8\"/>\n" +
                     detail::reports::policy_element +
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>" + title +
                     "</title>\n<style>\n" + detail::reports::style_sheet(colours) +
                     "</style>\n</head>\n<body>\n<main>\n<h1>" + title + "</h1>\n" +
                     detail::reports::paragraphs(page.text) + detail::reports::contents_of(page) + body +
                     "</main>\n</body>\n</html>\n";
  detail::reports::check_size(page, sections, text.size());
  return text;
}

}  // namespace regimen::inline v0::report
