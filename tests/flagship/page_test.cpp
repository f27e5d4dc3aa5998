#include "kit/page.hpp"

#include <string>
#include <utility>
#include <vector>

#include <regimen/experiment/files.hpp>
#include <regimen/report/html.hpp>

#include "100-bad-minima/page.hpp"
#include "support/numbers.hpp"
#include "support/xml.hpp"

#include "support/folder.hpp"

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace page_test {

rg::report::Table table_of_rows(int rows) {
  rg::report::Table table({{.name = "row"}, {.name = "text"}});
  for (int i = 0; i < rows; ++i) {
    table.add({std::to_string(i), "a text of some length that stands in every row of a table"});
  }
  return table;
}

rg::report::Picture picture() {
  rg::report::Lines line{.name = "loss"};
  for (int i = 0; i < 100; ++i) {
    line.x.push_back(i);
    line.y.push_back(i);
  }
  return {.panels = {{.series = {line}}}};
}

TEST_CASE("page: pictures are files too, and sections stand in their order") {
  const Folder folder;
  kit::Page page(folder / "out", "Title");
  page.say("The answer.");
  page.draw(picture(), "loss", "Losses");
  kit::Claims claims;
  claims.add(true, "it holds");
  page.add(claims);
  page.add(table_of_rows(2), "Rows");
  page.write();
  const std::string html = ex::read_file(folder / "out/report.html");
  CHECK(ex::read_file(folder / "out/pictures/loss.svg") == rg::report::svg(picture()));
  CHECK(html.find("<p>The answer.</p>") < html.find(">Losses</h2>"));
  CHECK(html.find(">Losses</h2>") < html.find("<th scope=\"row\">yes</th><td>it holds</td>"));
  CHECK(html.find("it holds") < html.find(">Rows</h2>"));
  CHECK(has(html, "40 of 100 rows."));
  CHECK(!has(html, "What was run"));  // without a manifest
}

TEST_CASE("page: settings and the manifest of one training stand at its end") {
  const Folder folder;
  ex::write_file(folder / "manifest.json",
                 "{ \"settings\" : {\"a\": {\"b\": 1}},\n\"jobs\":{\"one\": {\"seed\": 7}\n, \"two\": {}}}\n");
  kit::Page page(folder / "", "Title");
  page.write();
  const std::string html = ex::read_file(folder / "report.html");
  CHECK(has(html, "<summary>Settings</summary>\n<pre>{\n  &quot;a&quot;: {\n    &quot;b&quot;: 1\n  }\n}\n</pre>"));
  CHECK(has(html, "<summary>one</summary>\n<pre>{\n  &quot;seed&quot;: 7\n}\n</pre>"));
}

TEST_CASE("page: what is shown again says so, and where it was measured") {
  const Folder folder;
  ex::write_file(folder / "measured.txt", "2026-11-29, a machine.\n");
  ex::write_file(folder / "shown-again.txt", "there\n");
  kit::Page page(folder / "", "Title");
  page.write();
  CHECK(has(ex::read_file(folder / "report.html"),
            "<p>2026-11-29, a machine.</p>\n<p>Nothing was trained for this page: it shows the tables of there, whose "
            "numbers have "
            "four decimals.</p>"));
}

TEST_CASE("json_members: names and values of an object, also awkward ones") {
  using Members = std::vector<std::pair<std::string, std::string>>;
  CHECK(kit::json_members(R"({"a": "x, }\"", "b": [1, {"c": 2}], "d" :{}})") ==
        Members{{"a", R"("x, }\"")"}, {"b", R"([1, {"c": 2}])"}, {"d", "{}"}});
  CHECK(kit::json_members(R"( {"jobs": {"a:b": 1}} )") == Members{{"jobs", R"({"a:b": 1})"}});
  CHECK(kit::json_members("{}").empty());
  CHECK(kit::json_members("").empty());
  CHECK(kit::json_members("[1, 2]").empty());
}

TEST_CASE("page: the largest section gives way until the file is no larger than its bound") {
  const Folder folder;
  kit::Page page(folder / "", "Title");
  page.add(table_of_rows(10000), "Far too many");
  page.section("Losses").pictures = {picture()};
  page.write();
  const std::string html = ex::read_file(folder / "report.html");
  CHECK(html.size() <= 300'000);
  CHECK(has(html, ">Far too many</h2>\n<p>Left out, for the page would be too large"));
  CHECK(has(html, "10 of 100 rows."));
}

TEST_CASE("page: an answer that is too large is written as it is") {
  const Folder folder;
  kit::Page page(folder / "", "Title");
  page.say(std::string(400'000, 'x'));
  page.add(table_of_rows(2), "Rows");
  page.write();
  CHECK(ex::read_file(folder / "report.html").size() > 400'000);
}

TEST_CASE("page: a picture that was written before is shown if it is there") {
  const Folder folder;
  ex::write_file(folder / "pictures/old.svg", rg::report::svg(picture()));
  kit::Page page(folder / "", "Title");
  page.show_file("old", "Before", "a line");
  page.show_file("missing", "Never", "nothing");
  page.write();
  const std::string html = ex::read_file(folder / "report.html");
  CHECK(has(html, "<img alt=\"a line\" class=\"wide\" src=\"data:image/svg+xml,"));
  CHECK(!has(html, "Never"));
}

}  // namespace page_test
