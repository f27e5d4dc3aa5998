#include <regimen/base.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "regimen/schedule.hpp"
#include "regimen/stop.hpp"
#include "support/numbers.hpp"

// What follows is in a namespace with a name, so that every compiler spells it the same.
namespace own {

enum class Mode { mean, sum };

std::string name_of(Mode mode) {
  return mode == Mode::mean ? "mean" : "sum";
}

enum class Unnamed { zero, one, two };

struct Nothing {};

struct Inner {
  double fraction = 0.1;
  bool exact = true;
};

struct Everything {
  int count = -3;
  std::uint64_t seed = std::numeric_limits<std::uint64_t>::max();
  double rate = 5e-4;
  double missing = std::numeric_limits<double>::quiet_NaN();
  double endless = std::numeric_limits<double>::infinity();
  bool flag = false;
  std::string name = "a \"b\" \\ c";
  std::string_view view = "seen";
  const char* literal = "text";
  Mode mode = Mode::sum;
  Unnamed unnamed = Unnamed::two;
  Inner inner{};
  std::vector<int> at{150, 250};
  std::vector<Inner> list{Inner{}, Inner{.fraction = 0.5, .exact = false}};
  std::vector<bool> flags{true, false};
  std::vector<double> none{};
  std::optional<double> absent{};
  std::optional<Inner> present = Inner{.fraction = 1, .exact = true};
  std::map<std::string, std::vector<int>> named{{"a", {1}}, {"b \"c\"", {}}};
  std::function<double(double)> function{};
};

struct Base {
  int inherited = 1;
};

struct Derived : Base {
  double own = 2;
};

struct AnotherNothing : Nothing {};

struct Speaks {
  int hidden = 7;

  [[nodiscard]] std::string manifest() const { return "{\"spoken\": " + std::to_string(hidden) + "}"; }
};

struct Holds {
  Speaks speaks{};
  std::vector<Speaks> all{Speaks{1}, Speaks{2}};
};

struct Strength {
  regimen::Knob strength = 0.5;
  regimen::Stop until{};
};

class Closed {
 public:
  explicit Closed(int value) : value_(value) {}
  [[nodiscard]] int value() const { return value_; }

 private:
  int value_;
};

struct ThreeStrings {
  std::string a, b, c;
};

struct Four {
  int a, b;
  double c, d;
};

struct Twelve {
  int a, b, c, d, e, f, g, h, i, j, k, l;
};

struct TwentyThree {
  int f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23;
};

struct TwentyFour {
  int f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24;
};

/// Its type's name and its field's both look like what the reflection looks for.
struct external_value {
  double external = 1;
};

template <int N>
struct Numbered {
  double value = N;
};

}  // namespace own

namespace {

using regimen::manifest;
using regimen::detail::count_fields;
using regimen::detail::fields_of;
using regimen::detail::get_field;
using regimen::detail::name_of_field;
namespace json = regimen::detail::json;

struct Hidden {
  double fraction = 0.25;
};

struct MayHide {
  std::optional<Hidden> hidden = Hidden{};
};

/// The name of a field where the compiler tells it, its position where it does not.
std::string field(const std::string& name, int position) {
#if defined(__clang__) && __clang_major__ < 18
  (void)name;
  return "\"field" + std::to_string(position) + "\": ";
#else
  (void)position;
  return "\"" + name + "\": ";
#endif
}

/// {"type": "own::...", "fraction": 0.1, "exact": true}
std::string inner(const std::string& fraction, const std::string& exact) {
  return "{\"type\": \"own::Inner\", " + field("fraction", 0) + fraction + ", " + field("exact", 1) + exact + "}";
}

}  // namespace

TEST_CASE("JSON text escapes quotes, backslashes and control characters, and nothing else") {
  CHECK(json::quoted("plain") == "\"plain\"");
  CHECK(json::quoted("") == "\"\"");
  CHECK(json::quoted("a \"b\" \\ c") == "\"a \\\"b\\\" \\\\ c\"");
  CHECK(json::quoted("line\n\ttab\r") == "\"line\\u000a\\u0009tab\\u000d\"");
  CHECK(json::quoted(std::string_view("\0\x1f", 2)) == "\"\\u0000\\u001f\"");
  CHECK(json::quoted("\x7f Gr\xc3\xb6\xc3\x9f"
                     "e") ==
        "\"\x7f Gr\xc3\xb6\xc3\x9f"
        "e\"");
}

TEST_CASE("a JSON number is the shortest that reads back, and null where it is not finite") {
  CHECK(json::number(0.1) == "0.1");
  CHECK(json::number(-2) == "-2");
  CHECK(json::number(1e100) == "1e+100");
  CHECK(json::number(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(json::number(std::numeric_limits<double>::infinity()) == "null");
  CHECK(json::number(-std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("a JSON object keeps its members in the order in which they were added") {
  CHECK(json::Object{}.text() == "{}");
  CHECK(json::Object{}.add("name", json::quoted("vanilla")).add("ep\"ochs", "350").text() ==
        "{\"name\": \"vanilla\", \"ep\\\"ochs\": 350}");
}

TEST_CASE("JSON for people has a member a line, and is the same JSON") {
  CHECK(json::indented("{\"a\": 1, \"b\": [1, 2], \"c\": {}, \"d\": [], \"e\": {\"f\": null}}") ==
        "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2\n  ],\n  \"c\": {},\n  \"d\": [],\n  \"e\": {\n"
        "    \"f\": null\n  }\n}\n");
  CHECK(json::indented("3") == "3\n");
}

TEST_CASE("JSON for people leaves text as it is, whatever is in it") {
  for (const char* text : {"a, b", "{[x]}", "\"{\"", "\\", "\\\"{,", "\\\\, \"", "ends in \\"}) {
    const std::string quoted = json::quoted(text);
    CAPTURE(quoted);
    CHECK(json::indented("[" + quoted + ", 1]") == "[\n  " + quoted + ",\n  1\n]\n");
  }
}

TEST_CASE("the fields of a plain struct are counted, from none to twenty-four") {
  CHECK(count_fields<own::Nothing>() == 0);
  CHECK(count_fields<own::external_value>() == 1);
  CHECK(count_fields<own::Inner>() == 2);
  CHECK(count_fields<own::ThreeStrings>() == 3);
  CHECK(count_fields<own::Four>() == 4);
  CHECK(count_fields<own::Twelve>() == 12);
  CHECK(count_fields<own::Everything>() == 20);
  CHECK(count_fields<own::TwentyThree>() == 23);
  CHECK(count_fields<own::TwentyFour>() == 24);
  CHECK(count_fields<own::Strength>() == 2);
  CHECK(count_fields<regimen::StepDecay>() == 2);
  CHECK(count_fields<regimen::PlateauDecay>() == 7);
  CHECK(count_fields<regimen::Product>() == 2);
  CHECK(count_fields<regimen::AnyOf>() == 2);
  CHECK(count_fields<regimen::Not>() == 1);
}

TEST_CASE("the fields are the struct's own, in their order") {
  own::TwentyFour many{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
  const auto fields = fields_of(many);
  CHECK(fields.size == 24);
  CHECK(&get_field<0>(fields) == &many.f1);
  CHECK(&get_field<11>(fields) == &many.f12);
  CHECK(&get_field<23>(fields) == &many.f24);

  const own::Twelve dozen{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto twelve = fields_of(dozen);
  CHECK(&get_field<0>(twelve) == &dozen.a);
  CHECK(&get_field<11>(twelve) == &dozen.l);
  const own::Nothing nothing;
  CHECK(fields_of(nothing).size == 0);
}

#if !defined(__clang__) || __clang_major__ >= 18
TEST_CASE("the fields' names are those of the source") {
  CHECK(name_of_field<own::Inner, 0>() == "fraction");
  CHECK(name_of_field<own::Inner, 1>() == "exact");
  CHECK(name_of_field<own::ThreeStrings, 2>() == "c");
  CHECK(name_of_field<own::TwentyFour, 0>() == "f1");
  CHECK(name_of_field<own::TwentyFour, 23>() == "f24");
  CHECK(name_of_field<own::external_value, 0>() == "external");
  CHECK(name_of_field<own::Numbered<3>, 0>() == "value");
  CHECK(name_of_field<regimen::PlateauDecay, 2>() == "metric");
  CHECK(name_of_field<Hidden, 0>() == "fraction");
  struct Local {
    int x = 1;
    double second = 2;
  };
  CHECK(name_of_field<Local, 0>() == "x");
  CHECK(name_of_field<Local, 1>() == "second");
}
#else
TEST_CASE("the fields' names are their positions on a compiler that does not tell them") {
  CHECK(name_of_field<own::Inner, 0>() == "field0");
  CHECK(name_of_field<own::TwentyFour, 23>() == "field23");
}
#endif

TEST_CASE("numbers, truth values and text are themselves") {
  CHECK(manifest(1) == "1");
  CHECK(manifest(std::int64_t{-5}) == "-5");
  CHECK(manifest(0.1) == "0.1");
  CHECK(manifest(2.0) == "2");
  CHECK(manifest(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(manifest(true) == "true");
  CHECK(manifest(std::string("a\nb")) == "\"a\\u000ab\"");
  CHECK(manifest("literal") == "\"literal\"");
  CHECK(manifest(std::string_view("view")) == "\"view\"");
}

TEST_CASE("an enumeration is its name, or its number where it has none") {
  CHECK(manifest(own::Mode::mean) == "\"mean\"");
  CHECK(manifest(regimen::Metric::validation_loss) == "\"validation_loss\"");
  CHECK(manifest(own::Unnamed::one) == "1");
  CHECK(manifest(own::Unnamed::two) == "2");
}

TEST_CASE("containers hold their elements") {
  CHECK(manifest(std::vector<int>{}) == "[]");
  CHECK(manifest(std::vector<int>{150, 250}) == "[150, 250]");
  CHECK(manifest(std::vector<std::vector<bool>>{{true}, {}, {false, true}}) == "[[true], [], [false, true]]");
  CHECK(manifest(std::optional<int>{}) == "null");
  CHECK(manifest(std::optional<int>{3}) == "3");
  CHECK(manifest(std::map<std::string, double>{}) == "{}");
  CHECK(manifest(std::map<std::string, double>{{"b", 2}, {"a", 0.5}}) == "{\"a\": 0.5, \"b\": 2}");
}

TEST_CASE("a plain struct is its type and all of its fields, however deep") {
  CHECK(manifest(own::Nothing{}) == "{\"type\": \"own::Nothing\"}");
  CHECK(manifest(own::Inner{}) == inner("0.1", "true"));
  const std::string said = manifest(own::Everything{});
  const std::string expected =
      "{\"type\": \"own::Everything\", " + field("count", 0) + "-3, " + field("seed", 1) + "18446744073709551615, " +
      field("rate", 2) + "5e-04, " + field("missing", 3) + "null, " + field("endless", 4) + "null, " +
      field("flag", 5) + "false, " + field("name", 6) + "\"a \\\"b\\\" \\\\ c\", " + field("view", 7) + "\"seen\", " +
      field("literal", 8) + "\"text\", " + field("mode", 9) + "\"sum\", " + field("unnamed", 10) + "2, " +
      field("inner", 11) + inner("0.1", "true") + ", " + field("at", 12) + "[150, 250], " + field("list", 13) + "[" +
      inner("0.1", "true") + ", " + inner("0.5", "false") + "], " + field("flags", 14) + "[true, false], " +
      field("none", 15) + "[], " + field("absent", 16) + "null, " + field("present", 17) + inner("1", "true") + ", " +
      field("named", 18) + "{\"a\": [1], \"b \\\"c\\\"\": []}, " + field("function", 19);
  CHECK(said.substr(0, expected.size()) == expected);
  CHECK(said.substr(expected.size(), 14) == "\"std::function");  // the rest as the compiler spells it
}

TEST_CASE("two values that differ in one field have different manifests") {
  CHECK(manifest(own::Inner{.fraction = 0.1}) != manifest(own::Inner{.fraction = 0.1 + 1e-16}));
  CHECK(manifest(regimen::StepDecay{{1, 2}, 0.1}) != manifest(regimen::StepDecay{{1, 3}, 0.1}));
}

TEST_CASE("a struct that no other file can see has a manifest too") {
  CHECK(manifest(Hidden{}).find(field("fraction", 0) + "0.25}") != std::string::npos);
  CHECK(manifest(MayHide{}).find(field("fraction", 0) + "0.25}") != std::string::npos);
}

TEST_CASE("a manifest of a type's own has the last word") {
  CHECK(manifest(own::Speaks{}) == "{\"spoken\": 7}");
  CHECK(manifest(own::Holds{}) == "{\"type\": \"own::Holds\", " + field("speaks", 0) + "{\"spoken\": 7}, " +
                                      field("all", 1) + "[{\"spoken\": 1}, {\"spoken\": 2}]}");
}

TEST_CASE("a struct with a base is named by its type, for its fields cannot be told from outside") {
  CHECK(regimen::manifest(own::Derived{}) == R"("own::Derived")");
  CHECK(regimen::manifest(own::AnotherNothing{}) == R"("own::AnotherNothing")");
  CHECK(regimen::detail::metrics_of(own::Derived{}).empty());
}

TEST_CASE("what cannot be looked into is named by its type, and a lambda says lambda") {
  CHECK(manifest(own::Closed(3)) == "\"own::Closed\"");
  CHECK(manifest([](int x) { return x; }) == "\"lambda\"");
  int captured = 3;
  CHECK(manifest([captured](double x) { return x + captured; }) == "\"lambda\"");
}

TEST_CASE("types of this library are named without their namespace") {
  CHECK(manifest(regimen::Constant{.value = 2}) == "{\"type\": \"Constant\", " + field("value", 0) + "2}");
  CHECK(manifest(regimen::Patience{.scorings = 3}) == "{\"type\": \"Patience\", " + field("scorings", 0) + "3, " +
                                                          field("metric", 1) + "\"validation_loss\", " +
                                                          field("by", 2) + "0, " + field("relative", 3) + "false}");
}

TEST_CASE("a knob says what it was made from") {
  CHECK(manifest(regimen::Knob(5e-4)) == "5e-04");
  CHECK(manifest(regimen::Knob(regimen::StepDecay{{150, 250}, 0.1})) ==
        "{\"type\": \"StepDecay\", " + field("at", 0) + "[150, 250], " + field("factor", 1) + "0.1}");
  CHECK(manifest(regimen::Knob([](const regimen::Clock&) { return 1.0; })) == "\"lambda\"");
  CHECK(manifest(regimen::Constant{} * 0.5) == "{\"type\": \"Product\", " + field("first", 0) +
                                                   "{\"type\": \"Constant\", " + field("value", 0) + "1}, " +
                                                   field("second", 1) + "0.5}");
}

TEST_CASE("a stop says what it was made from") {
  CHECK(manifest(regimen::Stop()) == "null");
  const regimen::Stop stop =
      !regimen::TimeLimit{.seconds = 60} || regimen::Stop([](const regimen::Epoch&) { return true; });
  CHECK(manifest(stop) == "{\"type\": \"AnyOf\", " + field("first", 0) + "{\"type\": \"Not\", " +
                              field("criterion", 0) + "{\"type\": \"TimeLimit\", " + field("seconds", 0) + "60}}, " +
                              field("second", 1) + "\"lambda\"}");
}

TEST_CASE("knobs and stops inside a struct are written as what they were made from") {
  CHECK(manifest(own::Strength{}) ==
        "{\"type\": \"own::Strength\", " + field("strength", 0) + "0.5, " + field("until", 1) + "null}");
  CHECK(manifest(own::Strength{.strength = regimen::Constant{.value = 3}, .until = regimen::StepLimit{.steps = 9}}) ==
        "{\"type\": \"own::Strength\", " + field("strength", 0) + "{\"type\": \"Constant\", " + field("value", 0) +
            "3}, " + field("until", 1) + "{\"type\": \"StepLimit\", " + field("steps", 0) + "9}}");
}
