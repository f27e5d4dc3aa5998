#include <regimen/report/csv.hpp>
#include <regimen/report/markdown.hpp>
#include <regimen/report/table.hpp>
#include <regimen/report/terminal.hpp>
#include <regimen/report/write_file.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

#include "support/folder.hpp"

namespace table_test {

namespace report = regimen::report;
using report::Kind;
using report::Missing;
using report::Table;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// A reader of RFC 4180, for one line after another.
std::vector<std::vector<std::string>> parsed(const std::string& csv) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const char c = csv[i];
    if (quoted) {
      const bool twice = c == '"' && i + 1 < csv.size() && csv[i + 1] == '"';
      if (c != '"' || twice) {
        rows.back().back() += c;
        i += twice ? 1 : 0;
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.push_back({""});
    } else {
      rows.back().back() += c;
    }
  }
  rows.pop_back();
  return rows;
}

/// Two arms: a text, a whole number, a share and an interval.
Table two_arms() {
  Table table({{.name = "start"},
               {.name = "epochs", .kind = Kind::whole},
               {.name = "fit", .kind = Kind::percent, .digits = 1},
               {.name = "test", .kind = Kind::interval}},
              "Two starts");
  table.add({"random", 36, 1.0, regimen::Interval{.mean = 81.568, .half_width = 0.6217, .n = 5}});
  table.add({"adversarial", 7, 0.9, Missing{"diverged"}});
  table.note("One note.");
  return table;
}

TEST_CASE("table: a terminal gets aligned columns, title and notes") {
  CHECK(report::terminal(two_arms()) ==
        "Two starts\n"
        "\n"
        "start        epochs      fit           test\n"
        "random           36  100.0 %  81.57 +- 0.62\n"
        "adversarial       7   90.0 %       diverged\n"
        "\n"
        "One note.\n");
}

TEST_CASE("table: alignment, width and gap can be told") {
  Table table({{.name = "a", .align = report::Align::right, .width = 4},
               {.name = "b", .kind = Kind::number, .digits = 0, .align = report::Align::left},
               {.name = "c"}});
  table.add({"x", 2.0, "z"});
  CHECK(report::terminal(table, {.gap = 1}) == "   a b c\n   x 2 z\n");
  CHECK(error_of([&] { (void)report::terminal(table, {.gap = 0}); }) == "Terminal.gap must be at least 1, but is 0");
}

TEST_CASE("table: columns are aligned by characters, not by bytes") {
  Table table({{.name = "name"}, {.name = "n", .kind = Kind::whole}});
  table.add({"Müller", 1}).add({"e\xCC\x81t", 2}).add({"日本", 3}).add({"plain", 4}).add({"\xFFx", 5});
  CHECK(report::terminal(table) ==
        "name    n\n"
        "Müller  1\n"
        "e\xCC\x81t      2\n"
        "日本    3\n"
        "plain   4\n"
        "\xFFx      5\n");
}

TEST_CASE("table: what is wider than the terminal goes on below with the first column") {
  Table table(
      {{.name = "arm"}, {.name = "one", .width = 8}, {.name = "two", .width = 8}, {.name = "three", .width = 8}});
  table.add({"x", "1", "2", "3"});
  CHECK(report::terminal(table, {.width = 24}) ==
        "arm  one       two\n"
        "x    1         2\n"
        "\n"
        "arm  three\n"
        "x    3\n");
  CHECK(report::terminal(table, {.width = 0}) == "arm  one       two       three\nx    1         2         3\n");
  CHECK(report::terminal(table, {.width = 1}) == "arm  one\nx    1\n\narm  two\nx    2\n\narm  three\nx    3\n");
}

TEST_CASE("table: a line break in a cell does not break a row") {
  Table table({{.name = "a"}});
  table.add({"two\nlines"});
  CHECK(report::terminal(table) == "a\ntwo lines\n");
  CHECK(report::markdown(table) == "| a |\n|---|\n| two<br>lines |\n");
}

TEST_CASE("table: people read numbers with digits and reasons, of one value no interval") {
  Table table({{.name = "x", .kind = Kind::number, .digits = 3}, {.name = "y", .kind = Kind::interval, .digits = 1}});
  table.add({0.5, regimen::Interval{.mean = 2, .n = 1}});
  table.add({nan, regimen::Interval{}});
  table.add({1e20, Missing{}});
  table.add({-std::numeric_limits<double>::infinity(), Missing{"too few"}});
  CHECK(report::terminal(table) ==
        "        x        y\n"
        "    0.500      2.0\n"
        "        -        -\n"
        "1.000e+20        -\n"
        "     -inf  too few\n");
}

TEST_CASE("csv: keys, an interval's three fields, empty where there is no value") {
  CHECK(report::csv(two_arms()) ==
        "start,epochs,fit,test,test_half_width,test_n\n"
        "random,36,1,81.568,0.6217,5\n"
        "adversarial,7,0.9,,,\n");
  Table table({{.name = "x", .kind = Kind::number}, {.name = "y", .kind = Kind::interval}});
  table.add({nan, regimen::Interval{.mean = 2, .n = 1}});
  CHECK(report::csv(table) == "x,y,y_half_width,y_n\n,2,,1\n");
}

TEST_CASE("table: an estimate has the ends of its interval") {
  Table table({{.name = "tau", .kind = Kind::estimate}, {.name = "x", .kind = Kind::whole}});
  table.add({regimen::Estimate{0.5, 0.25, 0.625, 12}, 1});
  table.add({regimen::Proportion{0.75, 0.5, 0.875, 40}, 2});
  table.add({regimen::Estimate{.value = 1, .n = 1}, 3});
  table.add({Missing{}, 4});
  CHECK(report::terminal(table) ==
        "              tau  x\n"
        "0.50 [0.25, 0.62]  1\n"
        "0.75 [0.50, 0.88]  2\n"
        "             1.00  3\n"
        "                -  4\n");
  CHECK(report::csv(table) ==
        "tau,tau_low,tau_high,tau_n,x\n0.5,0.25,0.625,12,1\n0.75,0.5,0.875,40,2\n1,,,1,3\n,,,,4\n");
}

TEST_CASE("csv: texts are quoted where they must be, and read back") {
  const std::vector<std::string> texts{"plain", "a,b", "say \"no\"", "two\nlines", "\r", "", " spaces ", "naïve; |"};
  Table table({{.name = "text"}, {.name = "a, \"b\"", .key = "a, \"b\""}});
  for (const std::string& text : texts) {
    table.add({text, "x"});
  }
  const std::string csv = report::csv(table);
  CHECK(csv.rfind("text,\"a, \"\"b\"\"\"\nplain,x\n\"a,b\",x\n\"say \"\"no\"\"\",x\n\"two\nlines\",x\n", 0) == 0);
  const auto rows = parsed(csv);
  REQUIRE(rows.size() == texts.size() + 1);
  CHECK(rows[0][1] == "a, \"b\"");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(rows[i + 1] == std::vector<std::string>{texts[i], "x"});
  }
}

TEST_CASE("csv: numbers read back as the same, or have the digits that were asked for") {
  Table table({{.name = "x", .kind = Kind::number},
               {.name = "rounded", .kind = Kind::number, .csv_digits = 4},
               {.name = "whole", .kind = Kind::whole}});
  const double numbers[] = {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0};
  for (const double number : numbers) {
    table.add({number, 2.0 / 3, std::numeric_limits<std::uint64_t>::max()});
  }
  const auto rows = parsed(report::csv(table));
  REQUIRE(rows.size() == 6);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(std::strtod(rows[i + 1][0].c_str(), nullptr) == numbers[i]);
    CHECK(rows[i + 1][1] == "0.6667");
    CHECK(rows[i + 1][2] == "18446744073709551615");
  }
  CHECK(report::terminal(table).find("18446744073709551615") != std::string::npos);
}

TEST_CASE("markdown: a table of GitHub's, and what would be read as markup is escaped") {
  CHECK(report::markdown(two_arms()) ==
        "**Two starts**\n"
        "\n"
        "| start | epochs | fit | test |\n"
        "|---|---:|---:|---:|\n"
        "| random | 36 | 100.0 % | 81.57 ± 0.62 |\n"
        "| adversarial | 7 | 90.0 % | diverged |\n"
        "\n"
        "One note.\n");
  Table table({{.name = "a|b"}});
  table.add({"x|y \\ *z* `c` <b> l2_norm _i_ &amp; ~~[x]"});
  CHECK(report::markdown(table) ==
        "| a\\|b |\n|---|\n| x\\|y \\\\ \\*z\\* \\`c\\` \\<b> l2_norm \\_i\\_ \\&amp; \\~\\~\\[x\\] |\n");
}

TEST_CASE("table: a key is made of the name, and given once") {
  CHECK(report::key_of("Test accuracy, %") == "test_accuracy");
  CHECK(report::key_of("  R = 2 ") == "r_2");
  CHECK(report::key_of("größe") == "größe");
  CHECK(error_of([] { Table({{.name = "a"}, {.name = "b", .key = "a"}}); }) ==
        "Table.columns[1].key must be another one than that of column 0, but is a");
  CHECK(error_of([] { Table({{.name = "%"}}); }) ==
        "Table.columns[0].key must be given, for the name has no letter or digit, but is %");
  CHECK(error_of([] { Table(std::vector<report::Column>{}); }) == "Table.columns must be at least one, but is 0");
  CHECK(error_of([] { Table({{.name = "a", .digits = 18}}); }) ==
        "Table.columns[0].digits must be in [0, 17], but is 18");
  CHECK(error_of([] { Table({{.name = "a", .csv_digits = -2}}); }) ==
        "Table.columns[0].csv_digits must be in [-1, 17], but is -2");
}

TEST_CASE("table: a row has a cell for each column, of its kind") {
  Table table({{.name = "a"}, {.name = "b", .kind = Kind::whole}});
  CHECK(error_of([&] { table.add({"x"}); }) == "Table.rows[0].size() must be 2, a cell for each column, but is 1");
  table.add({"x", 1});
  CHECK(error_of([&] { table.add({"x", 1.5}); }) ==
        "Table.rows[1][1], in column b, must be a whole number or Missing, but is a number");
  CHECK(error_of([&] { table.add({2, 1}); }) ==
        "Table.rows[1][0], in column a, must be a text or Missing, but is a whole number");
  CHECK(table.rows().size() == 1);
  table.add({Missing{}, report::Cell{}});
  CHECK(table.rows().size() == 2);
}

TEST_CASE("write_file: the file holds the text, in a folder that is made") {
  const Folder folder;
  report::write_file(folder / "deep/a.csv", report::csv(two_arms()));
  std::ifstream file(folder / "deep/a.csv");
  CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == report::csv(two_arms()));
  CHECK(!std::filesystem::exists(folder / "deep/a.csv.part"));
}

}  // namespace table_test
