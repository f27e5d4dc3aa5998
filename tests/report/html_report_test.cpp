#include <regimen/report/between_minima.hpp>
#include <regimen/report/curves.hpp>
#include <regimen/report/forest.hpp>
#include <regimen/report/html.hpp>
#include <regimen/report/image_strip.hpp>
#include <regimen/report/measure_table.hpp>
#include <regimen/report/paired.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"
#include "support/xml.hpp"

namespace html_report_test {

namespace report = regimen::report;
namespace inner = regimen::detail::reports;
using report::HtmlReport;
using report::Lines;
using report::Panel;
using report::Picture;
using report::Rgb;

constexpr const char* hostile = "#1} <script>alert('1')</script> & \"two\" ]]> --> \x01 <!--";

/// Two panels with legends, a phase each, a heat grid and tiles: all that a picture may hold.
Picture everything() {
  const report::Pixels image{.height = 20, .width = 20, .colours = std::vector<Rgb>(400, {1, 2, 3})};
  Panel curves{.title = "a) curves",
               .x = {.label = "epoch", .from = 0, .to = 4},
               .y = {.label = "accuracy (%)"},
               .series = {Lines{.name = "fit", .x = {1, 2, 3, 4}, .y = {10, 20, 30, 40}},
                          report::Band{.name = "fit", .x = {1, 2}, .low = {9, 19}, .high = {11, 21}},
                          Lines{.name = "test", .x = {1, 3}, .y = {5, 6}}},
               .stretches = {{.from = 0, .to = 2, .text = "noise"}, {.from = 2, .to = 4, .text = "truth"}}};
  Panel bars{.title = "b) bars",
             .x = {.from = -1, .to = 2, .ticks = {{0, "vanilla"}, {1, "all three"}}},
             .series = {report::Bars{.name = "lost", .x = {0, 1}, .y = {regimen::Interval{5, 1, 3}, 0.25}}}};
  Panel heat{.x = {.label = "u"},
             .y = {.label = "v"},
             .series = {report::HeatGrid{.name = "loss", .rows = 1, .columns = 2, .values = {1, 2}}}};
  Panel tiles = report::image_strip({{image, "cat", true}, {image, "dog"}, {image, "cow"}}, "strip", 2);
  return {.caption = "What it is.", .panels = {curves, bars, heat, tiles}, .columns = 2};
}

HtmlReport page_of_all() {
  HtmlReport page{.title = "All", .text = "First.\nSecond."};
  page.sections = {
      {.heading = "Pictures", .text = "Look.", .pictures = {everything(), everything()}},
      {.heading = "Tables",
       .tables = {report::measure_table({{"norm", {1, 2, 3, 4}}}, {1, 2, 4, 3}, {"good", "good", "bad", "bad"})}},
      {.heading = "Images",
       .images = {{"\x89PNG\r\n\x1a\n...", "eight images", "Of each class."}, {report::svg(everything()), "drawn"}}},
      {.heading = "Manifest", .codes = {{"manifest.json", "{\n  \"a\": 1\n}"}}}};
  return page;
}

/// The page behind its first line, which is no XML.
std::string as_xml(const std::string& html) {
  return html.substr(html.find('\n') + 1);
}

/// The values of an attribute, in order.
std::vector<std::string> values_of(const std::string& html, const std::string& attribute) {
  std::vector<std::string> values;
  const std::string begin = " " + attribute + "=\"";
  for (std::size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    values.push_back(html.substr(from, html.find('"', from) - from));
  }
  return values;
}

TEST_CASE("HtmlReport: one heading, a section each, and a table for every picture") {
  const std::string html = report::html(page_of_all());
  CHECK(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  CHECK(xml_fault(as_xml(html)).empty());
  CHECK(count(html, "<h1>") == 1);
  CHECK(count(html, "<h2 ") == 4);
  CHECK(count(html, "<h3") == 0);
  CHECK(has(html, "<p>First.</p>\n<p>Second.</p>"));
  CHECK(count(html, "<svg xmlns") == 8);  // a panel each
  CHECK(count(html, "role=\"img\" class=\"p") == 8);
  CHECK(count(html, "<summary>The numbers of this picture</summary>") == 2);
  CHECK(has(html, "<img alt=\"eight images\" src=\"data:image/png;base64,"));
  CHECK(has(html, "<pre>{\n  &quot;a&quot;: 1\n}</pre>"));
  CHECK(has(html, "<a href=\"#s4\">Manifest</a>"));
  CHECK(has(html, "<th scope=\"col\" class=\"n\">tau</th>"));
}

TEST_CASE("HtmlReport: ids are unique, and whatever names one names one that is there") {
  const std::string html = report::html(page_of_all());
  const std::vector<std::string> ids = values_of(html, "id");
  const std::set<std::string> different(ids.begin(), ids.end());
  CHECK(different.size() == ids.size());
  CHECK(ids.size() == 4 + 2 * 8);  // sections; title and description of each panel
  for (const std::string& labels : values_of(html, "aria-labelledby")) {
    for (const std::string& id : inner::broken(labels, 1, 1)) {
      CAPTURE(id);
      CHECK(different.count(id) == 1);
    }
  }
}

TEST_CASE("HtmlReport: nothing is asked for from elsewhere, and nothing runs") {
  HtmlReport page = page_of_all();
  page.sections[0].pictures[0].panels[0].title = "url(https://example.org/x.png)";
  const std::string html = report::html(page);
  CHECK(!has(html, "<script"));
  CHECK(!has(html, "<link"));
  CHECK(!has(html, "@import"));
  CHECK(!has(html, "<iframe"));
  CHECK(count(html, "url(") == count(html, "url(https://example.org/x.png)"));  // as a text alone
  for (const char* const attribute : {"src", "xlink:href"}) {
    for (const std::string& address : values_of(html, attribute)) {
      CHECK((address.starts_with("data:image/png;base64,") || address.starts_with("data:image/svg+xml,")));
    }
  }
  for (const std::string& address : values_of(html, "href")) {
    CHECK(address.starts_with("#"));
  }
  for (const char* const attribute : {"style", "onload", "onclick", "srcset"}) {
    CHECK(values_of(html, attribute).empty());
  }
}

TEST_CASE("HtmlReport: a text is never markup, wherever it stands") {
  Picture picture{.title = hostile, .caption = hostile, .description = hostile, .columns = 1};
  picture.panels = {{.title = hostile,
                     .subtitle = hostile,
                     .x = {.label = hostile, .ticks = {{1, hostile}}},
                     .y = {.label = hostile},
                     .series = {Lines{.name = hostile, .x = {1, 2}, .y = {1, 2}}},
                     .stretches = {{0, 1, hostile}},
                     .marks = {{1, hostile}}}};
  report::Table table({{.name = hostile, .key = "a"}}, hostile);
  table.add({hostile}).note(hostile);
  const HtmlReport page{.title = hostile,
                        .text = hostile,
                        .sections = {{.heading = hostile,
                                      .text = hostile,
                                      .pictures = {picture},
                                      .images = {{"\x89PNG\r\n\x1a\n", hostile, hostile}},
                                      .tables = {table},
                                      .codes = {{hostile, hostile}}}}};
  const std::string html = report::html(page);
  CHECK(xml_fault(as_xml(html)).empty());
  CHECK(!has(html, "<script"));
  CHECK(!has(html, "<!--"));
  CHECK(!has(html, "]]>"));
  CHECK(!has(html, "\x01"));
  CHECK(count(html, "&lt;script&gt;alert('1')&lt;/script&gt; &amp; &quot;two&quot; ]]&gt; --&gt;   &lt;!--") >= 15);
}

TEST_CASE("HtmlReport: the table beside a picture has its numbers, by name and by phase") {
  const std::string html = report::html(page_of_all());
  CHECK(has(html, ">fit, range</th>"));
  CHECK(has(html,
            "<th scope=\"row\">noise, 1</th><td class=\"n\">10</td><td class=\"n\">9 to 11</td>"
            "<td class=\"n\">5</td>"));
  CHECK(has(html, "<th scope=\"row\">truth, 2</th><td class=\"n\">40</td>"));
  CHECK(has(html, "<th scope=\"row\">vanilla</th><td class=\"n\">5 [4, 6]</td>"));
  CHECK(has(html, "<th scope=\"row\">all three</th><td class=\"n\">0.25</td>"));
  CHECK(has(html, ">Of 1 x 2 numbers: loss.</p>"));
  CHECK(has(html, "<td class=\"n\">cat *</td><td class=\"n\">dog</td>"));
  CHECK(has(html, ">*: stands out in the picture.</p>"));
}

TEST_CASE("HtmlReport: of many points the table keeps the first, the last and some between") {
  Lines many{.name = "loss"};
  for (int i = 0; i <= 1000; ++i) {
    many.x.push_back(i);
    many.y.push_back(2 * i);
  }
  HtmlReport page{.title = "Many", .sections = {{.heading = "One", .pictures = {{.panels = {{.series = {many}}}}}}}};
  page.most_rows = 5;
  const std::string html = report::html(page);
  CHECK(count(html, "<th scope=\"row\">") == 5);
  CHECK(has(html, "<th scope=\"row\">0</th><td class=\"n\">0</td>"));
  CHECK(has(html, "<th scope=\"row\">1000</th><td class=\"n\">2000</td>"));
  CHECK(has(html, "5 of 1001 rows."));
}

/// The page of one panel.
std::string page_of(const Panel& panel, std::size_t most_rows = 40) {
  return report::html(
      {.title = "One", .sections = {{.heading = "Two", .pictures = {{.panels = {panel}}}}}, .most_rows = most_rows});
}

TEST_CASE("HtmlReport: rows have the texts of ticks that are names, and else numbers") {
  const auto rows_of = [](const std::vector<report::Tick>& ticks, const std::vector<double>& x) {
    const report::Points dots{.name = "p", .x = x, .y = std::vector<double>(x.size(), 7)};
    const std::string html = page_of({.x = {.ticks = ticks}, .series = {dots}});
    std::string rows;
    for (std::size_t at = html.find("<th scope=\"row\">"); at != std::string::npos;
         at = html.find("<th scope=\"row\">", at + 1)) {
      rows += html.substr(at + 16, html.find("</th>", at) - at - 16) + ",";
    }
    return rows;
  };
  CHECK(rows_of({{0, "10"}, {1, "50"}, {2, "100"}}, {0, 0.9, 2.1}) == "10,50,100,");  // places are counted
  CHECK(rows_of({{1, "数"}, {2, "b"}}, {1, 2}) == "数,b,");
  CHECK(rows_of({{20, "20 %"}, {40, "40 %"}}, {20, 33}) == "20 %,33,");
  CHECK(rows_of({{0.001, "1e-3"}, {0.1, "0.1"}}, {0.001, 0.0123456}) == "1e-3,0.012346,");
  CHECK(rows_of({{1.0 / 3, "0.33"}, {1, "1"}}, {0.5, 0.75}) == "0.5,0.75,");
  CHECK(rows_of({{-2, "\u22122"}, {1e5, "10⁵"}}, {-1, 123456}) == "-1,123456,");
  CHECK(rows_of({{0, "vanilla"}, {1, "all"}}, {0.1, 5}) == "vanilla,5,");  // too far from any name
}

TEST_CASE("HtmlReport: names on both axes of a heat grid are in its table") {
  const report::HeatGrid grid{
      .rows = 2, .columns = 2, .values = {1, 2, 3, 4}, .left = -0.5, .right = 1.5, .bottom = -0.5, .top = 1.5};
  const std::string html =
      page_of({.x = {.ticks = {{0, "10"}, {1, "50"}}}, .y = {.ticks = {{0, "4"}, {1, "25"}}}, .series = {grid}});
  CHECK(has(html, "<th scope=\"col\" class=\"n\">10</th><th scope=\"col\" class=\"n\">50</th>"));
  CHECK(has(html, "<th scope=\"row\">25</th><td class=\"n\">3</td>"));
}

TEST_CASE("HtmlReport: a curve over a y axis with names keeps its x in rows") {
  const std::string html = page_of(
      {.y = {.ticks = {{0, "chance"}, {1, "all"}}}, .series = {Lines{.name = "share", .x = {1, 2}, .y = {0.25, 0.5}}}});
  CHECK(has(html, "<th scope=\"row\">1</th><td class=\"n\">0.25</td>"));
}

TEST_CASE("HtmlReport: of many rows those with names, ends of phases and most numbers stay") {
  std::vector<report::Tick> ticks;
  Lines names{.name = "n"};
  for (int i = 0; i < 42; ++i) {
    ticks.push_back({static_cast<double>(i), "name " + std::to_string(i)});
    names.x.push_back(i);
    names.y.push_back(i);
  }
  CHECK(count(page_of({.x = {.ticks = ticks}, .series = {names}}), "<th scope=\"row\">") == 42);

  Lines often{.name = "fit"};
  Lines seldom{.name = "test"};
  for (int i = 1; i <= 100; ++i) {
    often.x.push_back(i);
    often.y.push_back(i);
    if (i % 10 == 3) {
      seldom.x.push_back(i);
      seldom.y.push_back(1000 + i);
    }
  }
  const std::string html =
      page_of({.x = {.from = 0, .to = 100},
               .series = {often, seldom},
               .stretches = {{.from = 0, .to = 47, .text = "a"}, {.from = 47, .to = 100, .text = "b"}}},
              14);
  CHECK(count(html, "<th scope=\"row\">") == 14);
  CHECK(count(html, "<td class=\"n\">10") == 10 + 1);  // all of the test, and the fit of 100
  CHECK(has(html, "<th scope=\"row\">a, 47</th>"));
  CHECK(has(html, "14 of 100 rows."));
}

TEST_CASE("HtmlReport: no series is missing among the numbers") {
  const Lines first{.name = "fit", .x = {1, 2}, .y = {10, 20}};
  const Lines second{.name = "fit", .x = {1, 2}, .y = {11, 21}};
  const Lines later{.name = "fit", .x = {3, 4}, .y = {30, 40}};
  const Lines nameless{.x = {1, 2}, .y = {5, 6}};
  const Lines zero{.x = {1, 2}, .y = {0, 0}};
  const report::ErrorBars over{.name = "mean", .x = {1, 2}, .y = {regimen::Interval{7, 1, 3}, 8.0}};
  const Lines under{.name = "mean", .x = {1, 2}, .y = {7, 8}};
  const std::string html = page_of({.series = {first, second, later, nameless, nameless, zero, under, over}});
  CHECK(has(html,
            ">fit</th><th scope=\"col\" class=\"n\">fit (2)</th><th scope=\"col\" class=\"n\">without a name (1)</th>"
            "<th scope=\"col\" class=\"n\">without a name (2)</th><th scope=\"col\" class=\"n\">mean</th></tr>"));
  CHECK(has(html,
            "<td class=\"n\">10</td><td class=\"n\">11</td><td class=\"n\">5</td><td class=\"n\">5</td>"
            "<td class=\"n\">7 [6, 8]</td>"));
  CHECK(has(html, "<th scope=\"row\">3</th><td class=\"n\">30</td>"));
  CHECK(has(html, ">A line marks y = 0.</p>"));
}

TEST_CASE("HtmlReport: a text that looks like a colour makes no rule of CSS") {
  const std::string clean = page_of({.series = {Lines{.name = "fit", .x = {1, 2}, .y = {1, 2}}}});
  const auto style_of = [](const std::string& html) { return html.substr(0, html.find("</style>")); };
  for (const char* const heading : {"#1}body{display:none", "#\u6570\u5b57\u6570\u5b57", "#12345"}) {
    HtmlReport page{
        .title = "One",
        .sections = {{.heading = heading,
                      .pictures = {{.panels = {{.series = {Lines{.name = heading, .x = {1, 2}, .y = {1, 2}}}}}}},
                      .images = {{"\x89PNG\r\n\x1a\n", heading, heading}}}}};
    report::Table table({{.name = heading, .key = "a"}}, heading);
    page.sections[0].tables = {table.add({heading})};
    CHECK(style_of(report::html(page)) == style_of(clean));
  }
}

TEST_CASE("HtmlReport: an SVG file in an address has no character that ends the attribute or the address") {
  CHECK(inner::in_address("<a b=\"#1\">50 %\n</a>") == "%3Ca b='%231'%3E50 %25%0A%3C/a%3E");
  CHECK(inner::in_address("\"it's\"") == "%22it's%22");
  CHECK(inner::in_address("\u00b1") == "%C2%B1");
}

TEST_CASE("HtmlReport: whole numbers have all their digits") {
  CHECK(inner::five_digits(123456) == "123456");
  CHECK(inner::five_digits(-1e14) == "-100000000000000");
  CHECK(inner::five_digits(-0.0) == "0");
  CHECK(inner::five_digits(1e15) == "1e+15");
  CHECK(inner::five_digits(0.123456) == "0.12346");
}

TEST_CASE("HtmlReport: a long text of many lines is a paragraph each, at once") {
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text += "a line\n \n";
  }
  const std::string html = inner::paragraphs(text);
  CHECK(count(html, "<p>a line</p>") == 200'000);
  CHECK(count(html, "<p>") == 200'000);
}

TEST_CASE("HtmlReport: lines contrast by 3 and texts by 4.5 with every ground, light and dark") {
  const std::string html = report::html(page_of_all());
  std::set<inner::ColourUse> used;
  inner::collect_colours(html, used);
  CHECK(used.size() >= 8);
  namespace colour = report::colour;
  for (const char* const each : {colour::black, colour::blue, colour::vermillion, colour::green, colour::purple,
                                 colour::orange, colour::sky, colour::grey, "#ffff00", "#0000ff"}) {
    used.insert({inner::ColourRole::line, each});
    used.insert({inner::ColourRole::text, each});
  }
  for (const inner::Theme& theme : {inner::light_theme, inner::dark_theme}) {
    CAPTURE(theme.is_dark);
    CHECK(inner::contrast(theme.text, theme.ground) >= 7);
    CHECK(inner::contrast(theme.soft, theme.ground) >= 4.5);
    CHECK(inner::contrast(theme.link, theme.ground) >= 4.5);
    CHECK(inner::contrast(theme.text, theme.shade) >= 4.5);
    for (const auto& [role, name] : used) {
      CAPTURE(name);
      const Rgb there = inner::colour_on(theme, inner::rgb_of(name), role);
      if (role == inner::ColourRole::ground) {
        CHECK(inner::contrast(there, theme.text) >= 4.5);  // words may lie on it
      } else if (name != "#ffffff" && name != "#dddddd") {
        const double least = role == inner::ColourRole::text ? 4.5 : 3;
        CHECK(inner::contrast(there, theme.ground) >= least);
        CHECK(inner::contrast(there, inner::stretch_on(theme)) >= least);
      }
    }
  }
}

TEST_CASE("HtmlReport: a colour that is darkened on a light page is itself again on a dark one") {
  const Lines line{.name = "sky", .x = {1, 2}, .y = {1, 2}, .style = {.colour = report::colour::sky}};
  const std::string html =
      report::html({.title = "Sky", .sections = {{.heading = "One", .pictures = {{.panels = {{.series = {line}}}}}}}});
  CHECK(count(html, ".p [stroke=\"#56b4e9\"]{stroke:#") == 1);
  CHECK(count(html, ".p:not(.paper) [stroke=\"#56b4e9\"]{stroke:#56b4e9}") == 1);
}

TEST_CASE("HtmlReport: the palette's colours stay apart on both pages") {
  for (const inner::Theme& theme : {inner::light_theme, inner::dark_theme}) {
    std::vector<Rgb> colours;
    for (std::size_t i = 0; i < 7; ++i) {
      colours.push_back(
          inner::colour_on(theme, inner::rgb_of(report::style_of_series(i).colour), inner::ColourRole::line));
    }
    for (std::size_t i = 0; i < colours.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        int apart = 0;
        for (std::size_t channel = 0; channel < 3; ++channel) {
          apart += std::abs(int{colours[i][channel]} - int{colours[k][channel]});
        }
        CAPTURE(theme.is_dark, i, k);
        CHECK(apart >= 60);
      }
    }
  }
}

TEST_CASE("HtmlReport: contrast is that of the guidelines") {
  CHECK(inner::contrast({0, 0, 0}, {255, 255, 255}) == 21);
  CHECK(inner::contrast({0x76, 0x76, 0x76}, {255, 255, 255}) > 4.5);  // the lightest such grey
  CHECK(inner::contrast({0x77, 0x77, 0x77}, {255, 255, 255}) < 4.5);
}

TEST_CASE("HtmlReport: a dark page, paper and a telephone have their rules") {
  const std::string html = report::html(page_of_all());
  CHECK(has(html, "@media screen and (prefers-color-scheme:dark){\n:root{color-scheme:dark;"));
  CHECK(has(html, "@media print{"));
  CHECK(has(html, "details::details-content{display:block;content-visibility:visible"));
  CHECK(has(html, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"));
  CHECK(has(html, ".p:not(.paper) text[fill=\"#222222\"]{fill:#e6e6e6}"));
  CHECK(count(html, "class=\"p paper\"") == 2);  // the heat grids
}

TEST_CASE("HtmlReport: equal reports give equal bytes") {
  CHECK(report::html(page_of_all()) == report::html(page_of_all()));
}

TEST_CASE("HtmlReport: looks are those of the picture, though each panel is drawn alone") {
  Picture picture{.panels = {{.title = "a", .series = {Lines{.name = "first", .x = {1, 2}, .y = {1, 2}}}},
                             {.title = "b", .series = {Lines{.name = "second", .x = {1, 2}, .y = {1, 2}}}}}};
  picture.panels[0].y.label = "loss";
  picture.columns = 2;
  const std::string html = report::html({.title = "Looks", .sections = {{.heading = "One", .pictures = {picture}}}});
  CHECK(count(html, "<polyline fill=\"none\" stroke=\"#0072b2\"") == 2);  // the curve, and its sample
  CHECK(count(html, "<polyline fill=\"none\" stroke=\"#d55e00\"") == 2);
  CHECK(count(html, ">loss</text>") == 2);  // the label that the row shares
}

TEST_CASE("HtmlReport: a page above its bound names its largest section") {
  HtmlReport page = page_of_all();
  page.most_bytes = 1000;
  const std::string message = error_of([&] { (void)report::html(page); });
  CHECK(has(message,
            "HtmlReport: the bytes of \"All\" must be at most most_bytes = 1000 (HtmlReport.sections[0] "
            "\"Pictures\" has "));
  CHECK(has(message, ": leave out points or images there, or raise HtmlReport.most_bytes), but is "));
  const std::vector<std::size_t> bytes = report::section_bytes(page);
  CHECK(bytes.size() == 4);
  CHECK(bytes[0] > bytes[1]);
}

TEST_CASE("HtmlReport: misuse is an error that names the field and the cure") {
  const auto message = [](const HtmlReport& page) { return error_of([&] { (void)report::html(page); }); };
  CHECK(message({}) == "HtmlReport.title must be given (it is the page's heading), but is \"\"");
  CHECK(has(message({.title = "a", .language = "e\"n"}), "HtmlReport.language must be a language's tag"));
  CHECK(has(message({.title = "a", .most_rows = 1}), "HtmlReport.most_rows must be at least 2"));
  CHECK(
      has(message({.title = "a", .sections = {{.heading = "b"}, {}}}), "HtmlReport.sections[1].heading must be given"));
  CHECK(has(message({.title = "a", .sections = {{.heading = "b", .pictures = {{}}}}}),
            "HtmlReport.sections[0] \"b\": Picture.panels must be at least one"));
  CHECK(has(message({.title = "a", .sections = {{.heading = "b", .images = {{"GIF89a", "c"}}}}}),
            "sections[0] \"b\".images[0].file must be the content of a PNG file, or of an SVG file that `svg` wrote, "
            "but is 6 bytes of another kind"));
  const std::string drawn = report::svg(everything());
  for (const std::string& file :
       {drawn.substr(0, drawn.size() - 9), drawn + "<p>", "<svg xmlns=\"http://other\" " + drawn,
        drawn.substr(0, drawn.size() - 7) + "<script>1</script></svg>\n"}) {
    CHECK(has(message({.title = "a", .sections = {{.heading = "b", .images = {{file, "c"}}}}}), "of another kind"));
  }
  CHECK(has(message({.title = "a", .sections = {{.heading = "b", .images = {{"\x89PNG\r\n\x1a\n"}}}}}),
            ".images[0].text must be given"));
  CHECK(has(message({.title = "a", .sections = {{.heading = "b", .codes = {{}}}}}), ".codes[0].name must be given"));
}

TEST_CASE("paired_panel: a dot for each seed, and the mean of the differences with its interval") {
  const std::vector<report::Paired> rows{{"vanilla", {82, 81, 83}, {76, 76, 75}}, {"all", {83, 84, 83}, {83, 83, 84}}};
  const Panel panel = report::paired_panel(rows, "lost");
  const auto& seeds = std::get<report::Points>(panel.series[1]);
  const auto& means = std::get<report::ErrorBars>(panel.series[2]);
  CHECK(seeds.y == std::vector<double>{6, 5, 8, 0, 1, -1});
  CHECK(means.y[0].value == regimen::paired_difference(rows[0].a, rows[0].b).mean);
  CHECK(means.y[0].low < means.y[0].value);
  const report::Table table = report::paired_table(rows, "random", "adversarial", {"1", "2", "7"});
  CHECK(table.rows().size() == 8);
  CHECK(report::paired_table(rows, "a", "b").rows().size() == 8);
  CHECK(has(error_of([] { (void)report::paired_panel({}, ""); }), "paired_panel: rows.size() must be at least 1"));
  CHECK(has(error_of([] { (void)report::paired_panel({{"x", {1}, {1, 2}}}, ""); }),
            "paired_panel: rows[0] \"x\".b.size() must be a.size() = 1, but is 2"));
  CHECK(has(error_of([&] { (void)report::paired_table(rows, "a", "b", {"1"}); }), "paired_table: seeds.size()"));
}

TEST_CASE("measure_table: means of the arms, and tau with the error over all that have both") {
  const report::Table table = report::measure_table({{"norm", {1, 2, 3, 4}, 1}, {"half", {1, regimen::unknown, 3, 2}}},
                                                    {1, 2, 3, 4}, {"good", "good", "bad", "bad"});
  CHECK(table.columns().size() == 4);
  CHECK(inner::cell_text(table.rows()[0][2], table.columns()[2], "±") == "1.5");
  CHECK(inner::cell_text(table.rows()[0][1], table.columns()[1], "±") == "1.00");
  CHECK(inner::cell_text(table.rows()[1][2], table.columns()[2], "±") == "1.000");
  CHECK(has(error_of([] { (void)report::measure_table({{"a", {1}}}, {1, 2}, {"x", "y"}); }),
            "measure_table: values.size() of \"a\" must be error.size() = 2"));
  CHECK(has(error_of([] { (void)report::measure_table({}, {1, 2}, {"x", "y"}, {"1"}); }),
            "measure_table: clusters.size() must be 0 or error.size() = 2, but is 1"));
  CHECK(has(error_of([] { (void)report::measure_table({}, {1, 2}, {"x"}); }), "measure_table: arms.size()"));
}

TEST_CASE("measure_table: with clusters the interval of tau is by the jackknife over them") {
  const std::vector<double> error{1, 2, 3, 4, 5, 6};
  const std::vector<double> values{1, 3, 2, 4, 6, 5};
  const std::vector<std::string> arms(6, "all");
  const report::Table table = report::measure_table({{"norm", values}}, error, arms, {"1", "1", "2", "2", "3", "3"});
  const auto tau = std::get<regimen::Estimate>(table.rows()[0][1].value());
  const auto without = [&](std::size_t i) {
    std::vector<double> x = values;
    std::vector<double> y = error;
    x.erase(x.begin() + static_cast<std::ptrdiff_t>(i), x.begin() + static_cast<std::ptrdiff_t>(i + 2));
    y.erase(y.begin() + static_cast<std::ptrdiff_t>(i), y.begin() + static_cast<std::ptrdiff_t>(i + 2));
    return regimen::kendall_tau(x, y).value;
  };
  const auto by_hand = regimen::jackknife_interval(regimen::kendall_tau(values, error).value,
                                                   std::vector{without(0), without(2), without(4)});
  CHECK(tau.value == by_hand.mean);
  CHECK(tau.low == std::max(by_hand.low(), -1.0));
  CHECK(tau.high == std::min(by_hand.high(), 1.0));
  CHECK(tau.n == 3);
  CHECK(has(table.notes()[0], "by the jackknife over clusters"));
}

TEST_CASE("forest_panel: names and numbers of it have room on a telephone") {
  const Panel panel = report::forest_panel({{"Frobenius norms^2 / margin^2, log product", 0.5}, {"b", 0.25}}, "tau");
  const std::string html =
      report::html({.title = "F", .sections = {{.heading = "f", .pictures = {{.panels = {panel}}}}}});
  CHECK(!has(html, "class=\"p wide\""));
}

TEST_CASE("forest_panel: a line each with its interval, and a table by name") {
  const Panel panel =
      report::forest_panel({{"path norm", regimen::Estimate{0.5, 0.25, 0.75, 9}}, {"margin", -0.125}}, "tau");
  const std::string html =
      report::html({.title = "F", .sections = {{.heading = "f", .pictures = {{.panels = {panel}}}}}});
  CHECK(has(html, "<th scope=\"row\">path norm</th><td class=\"n\">0.25; 0.75</td><td class=\"n\">0.5</td>"));
  CHECK(has(html, "<th scope=\"row\">margin</th><td class=\"n\"></td><td class=\"n\">-0.125</td>"));
  CHECK(html.find(">path norm</th>") < html.find(">margin</th>"));
  CHECK(has(error_of([] { (void)report::forest_panel({}, ""); }), "forest_panel: rows.size() must be at least 1"));
}

TEST_CASE("line_panel, barrier_of, density_panel, image_strip: what they draw, and misuse") {
  CHECK(report::barrier_of({0, 0.5, 1}, {1, 3, 2}) == 1.5);
  CHECK(report::barrier_of({0, 1}, {1, 2}) == 0);
  CHECK(has(error_of([] { (void)report::barrier_of({0}, {1}); }), "barrier_of: t.size() must be at least 2"));
  CHECK(has(error_of([] { (void)report::barrier_of({0, 1}, {1}); }), "barrier_of: loss.size() must be t.size() = 2"));
  const Panel way = report::line_panel({{.name = "fit", .x = {0, 1}, .y = {1, 2}}}, "loss", "good", "bad");
  CHECK(way.x.label == "from good (0) to bad (1)");
  CHECK(has(error_of([] { (void)report::line_panel({}, "", "", ""); }), "line_panel: curves.size()"));
  const Panel spectra = report::density_panel({{.name = "good", .x = {1, 2}, .y = {1e-9, 0.5}}});
  CHECK(std::get<Lines>(spectra.series[0]).y == std::vector<double>{1e-7, 0.5});
  CHECK(has(error_of([] { (void)report::density_panel({}); }), "density_panel: curves.size()"));
  CHECK(has(error_of([] { (void)report::density_panel({{}}, 0); }), "density_panel: least must be in (0, 1)"));
  CHECK(report::image_strip(std::vector<report::Tile>(7), "seven", 3).tiles.rows.back().tiles.size() == 1);
  CHECK(has(error_of([] { (void)report::image_strip({}, ""); }), "image_strip: tiles.size()"));
  CHECK(has(error_of([] { (void)report::image_strip(std::vector<report::Tile>(1), "", 0); }), "image_strip: columns"));
}

}  // namespace html_report_test
