#pragma once
// No LibTorch.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/report/picture.hpp"
#include "regimen/report/table.hpp"

namespace regimen::inline v0::report {

/// An image of a report, stored in it. A browser runs no script of such an image, and reads no file that it names.
struct HtmlImage {
  std::string file{};     ///< content of a PNG file, or of an SVG file as `svg` writes it
  std::string text{};     ///< what it shows, for those who do not see it; not empty
  std::string caption{};  ///< text below it
};

/// A text that is shown as it is, its lines and spaces kept, under a heading that opens it: a manifest, a log.
struct HtmlCode {
  std::string name{};  ///< the heading; not empty
  std::string text{};
};

/// A part of a report: a heading, and below it whatever is given, in the order of the fields.
struct HtmlSection {
  std::string heading{};            ///< not empty
  std::string text{};               ///< a paragraph a line
  std::vector<Picture> pictures{};  ///< each panel is a picture of its own, with a table of its numbers
  std::vector<HtmlImage> images{};
  std::vector<Table> tables{};
  std::vector<HtmlCode> codes{};
};

/// A page that shows what came of an experiment. A report is data only: `html` makes one file of it.
///     report::HtmlReport page{.title = "Two starts", .text = "From random labels 5.7 points are lost."};
///     page.sections.push_back({.heading = "Accuracy", .pictures = {{.panels = {report::curves(history)}}}});
///     report::write_file("report.html", report::html(page));
struct HtmlReport {
  std::string title{};  ///< the only heading of the first level; not empty
  std::string text{};   ///< the answer, before all sections; a paragraph a line
  std::vector<HtmlSection> sections{};
  std::string language = "en";       ///< of all texts (BCP 47)
  std::size_t most_bytes = 300'000;  ///< the file's bound
  std::size_t most_rows = 40;        ///< rows of a table of a picture's numbers, at least 2; rows by name are all there
};

}  // namespace regimen::inline v0::report

namespace regimen::inline v0::detail::reports {

/// The name of a section in error messages: HtmlReport.sections[2] "Measures".
inline std::string section_called(const report::HtmlReport& page, std::size_t i) {
  const std::string& heading = page.sections[i].heading;
  return "HtmlReport.sections[" + text(i) + "]" + (heading.empty() ? "" : " \"" + heading + "\"");
}

inline bool is_png(const report::HtmlImage& image) {
  return image.file.starts_with("\x89PNG\r\n\x1a\n");
}

/// Whether an image is an SVG file as `svg` writes it, from its begin to its end.
inline bool is_svg(const report::HtmlImage& image) {
  const std::string_view file = image.file;
  return file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" ") && file.ends_with("</svg>\n") &&
         file.find("<svg", 1) == std::string_view::npos && file.find("<script") == std::string_view::npos &&
         file.find("<!") == std::string_view::npos;
}

/// Throws Error if a part of the report cannot be written.
inline void check(const report::HtmlReport& page) {
  require(!page.title.empty(), "HtmlReport.title", "given (it is the page's heading)", "\"\"");
  const bool is_tag = page.language.size() >= 2 && page.language.find_first_not_of(
                                                       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                       "0123456789-") == std::string::npos;
  require(is_tag, "HtmlReport.language", "a language's tag as \"en\" or \"pt-BR\" (BCP 47)",
          "\"" + page.language + "\"");
  require(page.most_rows >= 2, "HtmlReport.most_rows", "at least 2, the first and the last", page.most_rows);
  for (std::size_t i = 0; i < page.sections.size(); ++i) {
    const report::HtmlSection& section = page.sections[i];
    const std::string where = section_called(page, i);
    require(!section.heading.empty(), where + ".heading", "given", "\"\"");
    for (std::size_t k = 0; k < section.images.size(); ++k) {
      const report::HtmlImage& image = section.images[k];
      const std::string at = where + ".images[" + text(k) + "]";
      require(is_png(image) || is_svg(image), at + ".file",
              "the content of a PNG file, or of an SVG file that `svg` wrote",
              text(image.file.size()) + " bytes of another kind");
      require(!image.text.empty(), at + ".text", "given (what a reader learns who does not see the image)", "\"\"");
    }
    for (std::size_t k = 0; k < section.codes.size(); ++k) {
      require(!section.codes[k].name.empty(), where + ".codes[" + text(k) + "].name", "given", "\"\"");
    }
    for (const report::Picture& picture : section.pictures) {
      try {
        check(picture);
      } catch (const Error& error) {
        throw Error(where + ": " + error.what());
      }
    }
  }
}

}  // namespace regimen::inline v0::detail::reports
