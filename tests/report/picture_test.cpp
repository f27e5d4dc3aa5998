#include <regimen/report/picture.hpp>
#include <regimen/report/svg.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"
#include "support/xml.hpp"

namespace picture_test {

namespace report = regimen::report;
using report::Axis;
using report::Lines;
using report::Panel;
using report::Picture;
using report::Points;
using report::Scale;
using report::svg;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A picture whose plot lies at x in [10, 110] and y in [8, 108] px: no texts, an edge of 8, 2 beside the axis, 18
/// behind.
Picture square(std::vector<report::Series> series, Scale scale = Scale::linear) {
  Panel panel{.x = {.from = 0, .to = 2, .has_ticks = false},
              .y = {.from = scale == Scale::log ? 0.01 : 0, .to = 100, .scale = scale, .has_ticks = false},
              .series = std::move(series),
              .height = 100};
  return {.panels = {panel}, .width = 136, .has_legend = false};
}

/// A picture with everything in it.
Picture everything() {
  report::Pixels pixels{.height = 1, .width = 2, .colours = {{0, 0, 0}, {255, 0, 0}}};
  Panel first{.title = "<a> & \"b\"", .subtitle = "sub", .x = {.label = "x"}, .y = {.label = "y"}};
  first.series = {
      report::Band{.name = "band", .x = {0, 1, nan, 2, 3}, .low = {0, 0, 0, 0, 0}, .high = {1, 1, 1, 1, 1}},
      Lines{.name = "line", .x = {0, 1, 2}, .y = {1, nan, 2}}, Points{.name = "point", .x = {0}, .y = {1}},
      report::ErrorBars{.name = "mean", .x = {1, 2}, .y = {regimen::Interval{1, 0.5, 3}, regimen::Interval{2, nan, 1}}},
      report::Bars{.name = "bar", .x = {1}, .y = {regimen::Interval{-1, 0.5, 3}}}};
  first.stretches = {{.from = 0, .to = 1, .text = "a stretch"}};
  first.marks = {{.at = 2, .text = "a mark"}};
  const Panel heat{.series = {report::HeatGrid{.rows = 1, .columns = 2, .values = {0, nan}}}};
  const Panel tiles{.tiles = {.rows = {{"name\nof two", {{pixels, "text", true}, {pixels, "text"}}}},
                              .groups = {{0, "one"}, {1, "other"}}}};
  return {.title = "All & more", .caption = "Caption.\nTwo lines.", .panels = {first, heat, tiles}, .columns = 2};
}

TEST_CASE("svg: the picture is XML, whatever its texts") {
  CHECK(xml_fault("<a b=\"c\"><d/>&amp;</a>\n").empty());
  CHECK(!xml_fault("<a><b></a>").empty());
  CHECK(!xml_fault("<a b=c></a>").empty());
  CHECK(!xml_fault("<a>&</a>").empty());
  Picture picture = everything();
  CHECK(xml_fault(svg(picture)).empty());
  const std::string awkward = "<&>\"' \x01 \xFF é 日";
  picture.title = picture.caption = picture.description = awkward;
  picture.panels[0].title = picture.panels[0].subtitle = picture.panels[0].x.label = awkward;
  picture.panels[0].marks[0].text = picture.panels[0].stretches[0].text = awkward;
  picture.panels[0].y.ticks = {{1, awkward}};
  picture.panels[0].series[0] = Lines{.name = awkward, .x = {1}, .y = {1}};
  picture.panels[2].tiles.rows[0].name = picture.panels[2].tiles.rows[0].tiles[0].text = awkward;
  picture.panels[2].tiles.groups[0].name = awkward;
  const std::string text = svg(picture);
  CHECK(xml_fault(text).empty());
  CHECK(has(text, "&lt;&amp;&gt;&quot;'"));
  CHECK(has(text, "\uFFFD é 日"));
  CHECK(!has(text, "\x01"));
  CHECK(!has(text, "\xFF"));
}

TEST_CASE("svg: equal pictures give equal bytes") {
  CHECK(svg(everything()) == svg(everything()));
}

TEST_CASE("svg: points lie where their scales put them") {
  const std::string linear = svg(square({Lines{.x = {0, 1, 2}, .y = {0, 50, 100}}}));
  CHECK(has(linear, "points=\"10,108 60,58 110,8\""));
  const std::string logarithmic = svg(square({Lines{.x = {0, 1, 2}, .y = {0.01, 1, 100}}}, Scale::log));
  CHECK(has(logarithmic, "points=\"10,108 60,58 110,8\""));
  CHECK(has(linear, "viewBox=\"0 0 136 119\""));  // 8 above, 100, 3 below the axis, 8
  const std::string marks = svg(square({Points{.x = {0.5}, .y = {25}}}));
  CHECK(has(marks, "<circle cx=\"35\" cy=\"83\""));
}

TEST_CASE("svg: NaN and infinity leave a gap") {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string text = svg(square({Lines{.x = {0, 0.5, 1, 1.5, 2}, .y = {0, 0, nan, 100, 100}}}));
  CHECK(count(text, "<polyline") == 2);
  CHECK(has(text, "points=\"10,108 35,108\""));
  CHECK(has(text, "points=\"85,8 110,8\""));
  const std::string alone = svg(square({Lines{.x = {0, 1, 2}, .y = {nan, 50, infinity}}}));
  CHECK(count(alone, "<polyline") == 0);
  CHECK(count(alone, "<circle cx=\"60\" cy=\"58\"") == 1);  // one point between two gaps is a dot
  CHECK(count(svg(square({Points{.x = {0, 1}, .y = {nan, 50}}})), "<circle") == 1);
  CHECK(count(svg(square({Lines{.x = {0, 1}, .y = {nan, nan}}})), "<polyline") == 0);
  CHECK(count(svg(square({report::Band{.x = {0, 1, nan, 2}, .low = {0, 0, 0, 0}, .high = {1, 1, 1, 1}}})),
              "<polygon") == 1);
}

TEST_CASE("svg: a number has whiskers to the ends of its interval, or none") {
  const std::string mean =
      svg(square({report::ErrorBars{.x = {1, 2}, .y = {regimen::Interval{50, 25, 3}, regimen::Interval{50, nan, 1}}}}));
  CHECK(count(mean, "<circle") == 2);
  CHECK(has(mean, "<line x1=\"60\" y1=\"83\" x2=\"60\" y2=\"33\""));
  CHECK(count(mean, "x1=\"110\" y1=\"58\"") == 0);
  const std::string other = svg(square({report::ErrorBars{
      .x = {0.5, 1, 1.5}, .y = {regimen::Estimate{50, 40, 90, 3}, regimen::Proportion{30, 20, 70, 9}, 10}}}));
  CHECK(has(other, "<line x1=\"35\" y1=\"68\" x2=\"35\" y2=\"18\""));
  CHECK(has(other, "<line x1=\"60\" y1=\"88\" x2=\"60\" y2=\"38\""));
  CHECK(has(other, "<circle cx=\"85\" cy=\"98\""));
}

TEST_CASE("svg: bars stand on 0") {
  const std::string text = svg(square({report::Bars{.x = {1}, .y = {50}, .width = 0.4}}));
  CHECK(has(text, "<rect x=\"50\" y=\"58\" width=\"20\" height=\"50\""));
  Picture chosen{.panels = {{.series = {report::Bars{.x = {1}, .y = {5}}}}}};
  CHECK(has(svg(chosen), ">0</text>"));  // the axis begins there
  chosen.panels[0].series = {report::Bars{.x = {1, 2}, .y = {0, 0}}};
  CHECK(has(svg(chosen), ">0.0</text>"));  // with room on both sides, though no bar has a height
}

TEST_CASE("svg: what lies outside of the axes is cut off") {
  CHECK(count(svg(square({Lines{.x = {0, 1}, .y = {0, 100}}})), "<svg") == 1);
  const std::string text =
      svg(square({Lines{.x = {0, 1, 2}, .y = {0, 200, 100}, .style = {.mark = report::Mark::disc}}}));
  CHECK(has(text, "<svg x=\"9\" y=\"7\" width=\"102\" height=\"102\" viewBox=\"9 7 102 102\">"));
  CHECK(count(text, "<circle") == 2);
}

TEST_CASE("svg: a heat grid is an image between its edges, its first row below") {
  report::HeatGrid grid{
      .rows = 2, .columns = 1, .values = {0, 1}, .right = 2, .top = 100, .colours = {"#000000", "#ffffff"}};
  const std::string few = svg(square({grid}));
  CHECK(has(few,
            "<g shape-rendering=\"crispEdges\" transform=\"translate(10 8) scale(100 50)\">\n"
            "<path fill=\"#000000\" d=\"M0 1h1v1h-1z\"/>\n<path fill=\"#ffffff\" d=\"M0 0h1v1h-1z\"/>"));
  grid.rows = grid.columns = 20;
  report::Pixels pixels{.height = 20, .width = 20};
  grid.values.clear();
  for (int i = 0; i < 400; ++i) {
    grid.values.push_back(i / 399.0);
    const auto grey = static_cast<std::uint8_t>(std::lround(255 * ((19 - i / 20) * 20 + i % 20) / 399.0));
    pixels.colours.push_back({grey, grey, grey});
  }
  const std::string many = svg(square({grid}));
  CHECK(has(many, "<image x=\"10\" y=\"8\" width=\"100\" height=\"100\""));
  CHECK(has(many, regimen::detail::reports::base64(regimen::detail::reports::png(pixels))));
  CHECK(regimen::detail::reports::colour_at({"#000000", "#ffffff", "#ff0000"}, 0.25) == report::Rgb{128, 128, 128});
  CHECK(regimen::detail::reports::colour_at({"#000000", "#ffffff", "#ff0000"}, 2) == report::Rgb{255, 0, 0});
  CHECK(regimen::detail::reports::colour_at({"#000000", "#000000"}, nan) == report::Rgb{255, 255, 255});
}

TEST_CASE("svg: a heat grid with a name says in the legend what its colours stand for") {
  const report::HeatGrid grid{.name = "loss", .rows = 1, .columns = 3, .values = {nan, 0.12345, 2}};
  CHECK(has(svg({.panels = {{.series = {grid}}}}), ">loss, 0.123 to 2</text>"));
}

TEST_CASE("svg: series of one name look alike and have one line in the legend") {
  const Lines fit{.name = "fit", .x = {0, 1}, .y = {0, 1}};
  const Lines test{.name = "test", .x = {0, 1}, .y = {1, 0}};
  const std::string text = svg({.panels = {{.series = {fit, test}}, {.series = {test}}}});
  CHECK(count(text, ">fit</text>") == 1);
  CHECK(count(text, ">test</text>") == 1);
  CHECK(count(text, "stroke=\"#0072b2\"") == 2);  // in one panel, and in the legend
  CHECK(count(text, "stroke=\"#d55e00\"") == 3);
  CHECK(count(text, "stroke-dasharray=\"7 4\"") == 3);
  const std::string without = svg({.panels = {{.series = {fit}}}, .has_legend = false});
  CHECK(!has(without, "fit"));
}

TEST_CASE("svg: who brings a colour leaves the first of the palette to the others") {
  const Lines own{.name = "own", .x = {0, 1}, .y = {0, 1}, .style = {.colour = "#123456"}};
  const Lines nameless{.x = {0, 1}, .y = {0, 1}};
  const std::string text = svg({.panels = {{.series = {own, nameless, nameless}}}});
  CHECK(count(text, "#123456") == 2);
  CHECK(count(text, "stroke=\"#0072b2\"") == 1);
  CHECK(count(text, "stroke=\"#d55e00\"") == 1);
}

TEST_CASE("svg: texts below an axis are broken, or turned, where they would touch") {
  const auto picture = [](double width) {
    Axis axis{.from = -0.5, .to = 2.5, .ticks = {{0, "augmentation + l2"}, {1, "momentum + l2"}, {2, "vanilla SGD"}}};
    return Picture{.panels = {{.x = axis, .series = {Points{.x = {0, 1, 2}, .y = {1, 2, 3}}}}}, .width = width};
  };
  CHECK(has(svg(picture(700)), ">augmentation + l2</text>"));
  CHECK(has(svg(picture(320)), ">augmentation</text>"));  // + l2 on the second line
  CHECK(!has(svg(picture(320)), "rotate(-35"));
  CHECK(count(svg(picture(200)), "rotate(-35") == 3);
}

TEST_CASE("svg: an axis without a range of its own has room for all that is on it") {
  const auto plane = [](const Panel& panel) {
    return std::pair(regimen::detail::reports::range_of(panel, "panel", true),
                     regimen::detail::reports::range_of(panel, "panel", false));
  };
  const auto [x, y] = plane({.series = {Lines{.x = {1, 5}, .y = {0, 10}}}});
  CHECK(x.from == 1);  // curves end where their axis does
  CHECK(x.to == 5);
  CHECK(y.from == Approx(-0.5));  // a twentieth beside
  CHECK(y.to == Approx(10.5));
  const auto [a, b] = plane({.y = {.scale = Scale::log}, .series = {Points{.x = {3}, .y = {10}}}});
  CHECK(a.from == Approx(2.7));
  CHECK(a.to == Approx(3.3));
  CHECK(b.from == Approx(5));
  CHECK(b.to == Approx(20));
  const auto [c, d] = plane({.series = {Lines{.x = {nan}, .y = {nan}}}});
  CHECK(c.from == 0);
  CHECK(d.to == 1);
  CHECK(error_of([&] { (void)plane({.y = {.from = 11}, .series = {Lines{.x = {1, 5}, .y = {0, 10}}}}); }) ==
        "panel.y.to must be a finite number above from, which is 11 (give both, or none), but is 10.5");
}

TEST_CASE("svg: a logarithmic axis refuses what is not above 0, and says what helps") {
  CHECK(
      error_of([] {
        Picture picture = square({Lines{.name = "loss", .x = {0, 1}, .y = {1, 0}}}, Scale::log);
        picture.panels[0].title = "a";
        (void)svg(picture);
      }) ==
      "Lines \"loss\".y[1] must be above 0, for Picture.panels[0] \"a\".y is logarithmic (leave the point out by NaN, "
      "or take Scale::linear), but is 0");
  CHECK(
      error_of([] { (void)svg(square({report::Bars{.x = {1}, .y = {regimen::Interval{1, 0.5, 3}}}}, Scale::log)); }) ==
      "Bars.the foot of the bar[0] must be above 0, for Picture.panels[0].y is logarithmic (leave the point out by "
      "NaN, or take Scale::linear), but is 0");
  CHECK(error_of([] { (void)svg({.panels = {{.x = {.from = 0, .to = 1, .scale = Scale::log}}}}); }) ==
        "Picture.panels[0].x.from must be above 0 on a logarithmic scale, but is 0");
  CHECK(has(error_of([] { (void)svg(square({report::HeatGrid{.rows = 1, .columns = 1, .values = {1}}}, Scale::log)); }),
            "Picture.panels[0].y.scale must be linear below a HeatGrid"));
}

TEST_CASE("svg: misuse is an error with field, bound and value") {
  const auto refused = [](report::Series series) { return error_of([&] { (void)svg(square({std::move(series)})); }); };
  CHECK(refused(Lines{.name = "a"}) ==
        "Lines \"a\".x.size() must be at least 1 (leave out a series that has nothing to show), but is 0");
  CHECK(refused(Points{.x = {1, 2}, .y = {1}}) == "Points.y.size() must be x.size() = 2, but is 1");
  CHECK(refused(report::Band{.x = {1}, .low = {1}}) == "Band.high.size() must be x.size() = 1, but is 0");
  CHECK(refused(report::ErrorBars{.x = {1}}) == "ErrorBars.y.size() must be x.size() = 1, but is 0");
  CHECK(refused(report::Bars{.x = {1}, .y = {1}, .width = 0}) == "Bars.width must be above 0, but is 0");
  CHECK(refused(report::HeatGrid{.rows = 2, .columns = 2, .values = {1}}) ==
        "HeatGrid.values.size() must be rows * columns = 4, but is 1");
  CHECK(refused(report::HeatGrid{.rows = 1, .columns = 1, .values = {1}, .colours = {"#ffffff"}}) ==
        "HeatGrid.colours.size() must be at least 2, but is 1");
  CHECK(refused(Lines{.x = {1}, .y = {1}, .style = {.colour = "red"}}) ==
        "Lines.style.colour must be \"#rrggbb\" in hexadecimal digits, but is red");
  CHECK(refused(Lines{.x = {1}, .y = {1}, .style = {.width = 0}}) == "Lines.style.width must be above 0, but is 0");
  CHECK(error_of([] { (void)svg({}); }) == "Picture.panels must be at least one, but is 0");
  CHECK(error_of([] { (void)svg({.panels = {{.height = 1e9}}}); }) ==
        "Picture.panels[0].height must be in [20, 100000] px, but is 1e+09");
  CHECK(error_of([] { (void)svg({.panels = {{.series = {Lines{.x = {1}, .y = {1}}}, .tiles = {.rows = {{}}}}}}); }) ==
        "Picture.panels[0].series.size() must be 0 in a panel of tiles (a panel has axes or tiles), but is 1");
  CHECK(error_of([] { (void)svg({.panels = {{}}, .columns = 0}); }) == "Picture.columns must be at least 1, but is 0");
  CHECK(error_of([] { (void)svg({.panels = {{.x = {.from = 1, .to = 0}}}}); }) ==
        "Picture.panels[0].x.to must be above from = 1, but is 0");
  CHECK(error_of([] { (void)svg({.panels = {{.stretches = {{1, 1}}}}}); }) ==
        "Picture.panels[0].stretches: to must be above from = 1, but is 1");
  CHECK(has(error_of([] { (void)svg({.panels = {{}, {}, {}, {}, {}, {}}, .columns = 6, .width = 100}); }),
            "Picture.width must be larger: the plots of 6 columns have less than 20 px, but is 100"));
  CHECK(has(error_of([] { (void)svg({.panels = {{.tiles = {.rows = {{"", {{}}}}}}}}); }),
            "Picture.panels[0].tiles.rows[0].tiles[0].image.height must be in [1, 65535], but is 0"));
}

TEST_CASE("svg: words stand above what is shown of an axis, and nowhere else") {
  Picture picture = square({Lines{.x = {0, 1}, .y = {0, 1}}});
  picture.panels[0].stretches = {{.from = -5, .to = 1, .text = "begun"}, {.from = 3, .to = 4, .text = "later"}};
  picture.panels[0].marks = {{.at = 1, .text = "here"}, {.at = -1, .text = "before"}};
  const std::string text = svg(picture);
  CHECK(has(text, "<text x=\"10\" y=\"20\" font-size=\"11\" fill=\"#222222\">begun</text>"));
  CHECK(has(text, "<text x=\"60\" y=\"20\" font-size=\"11\" fill=\"#222222\">here</text>"));
  CHECK(has(text, "<line x1=\"60\" y1=\"25\" x2=\"60\" y2=\"125\""));
  CHECK(!has(text, "later"));
  CHECK(!has(text, "before"));
}

TEST_CASE("svg: numbers far outside of a picture are brought nearer") {
  CHECK(regimen::detail::reports::px(1e300) == "1e+06");
  CHECK(regimen::detail::reports::px(-0.001) == "0");
  CHECK(regimen::detail::reports::px(12.345) == "12.35");
  CHECK(!has(svg(square({Lines{.x = {0, 1}, .y = {-1e308, 1e308}}})), "inf"));
}

TEST_CASE("svg: an empty panel has axes from 0 to 1") {
  const std::string text = svg({.panels = {{.title = "nothing yet"}}});
  CHECK(xml_fault(text).empty());
  CHECK(has(text, ">0.0</text>"));
  CHECK(has(text, ">1.0</text>"));
}

TEST_CASE("svg: lines break between words, and where the text says so") {
  using regimen::detail::reports::broken;
  using Texts = std::vector<std::string>;
  CHECK(broken("one two three", 10, 1000) == Texts{"one two three"});
  CHECK(broken("one two three", 10, 1) == Texts{"one", "two", "three"});
  CHECK(broken("one two\nthree", 10, 1000) == Texts{"one two", "three"});
  CHECK(broken("", 10, 10) == Texts{""});
  CHECK(regimen::detail::reports::text_width("000", 10) == Approx(19.2));  // digits are 0.64 of the letters' size
}

}  // namespace picture_test
