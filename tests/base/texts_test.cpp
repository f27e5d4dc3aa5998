// What files are written with: fields and numbers of CSV, names of types.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include "regimen/base/csv_field.hpp"
#include "regimen/base/text_list.hpp"
#include "regimen/base/type_name.hpp"
#include "support/numbers.hpp"

using namespace std::string_literals;
using regimen::detail::add_item;
using regimen::detail::csv_field;
using regimen::detail::csv_number;
using regimen::detail::name_of_object;

namespace texts {

struct Base {
  virtual ~Base() = default;
};
struct Derived : Base {};

/// The fields of one record, read by the rules of RFC 4180, and not by the code that wrote it.
std::vector<std::string> fields_of(std::string_view record) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (record[i] == '"' && quoted && i + 1 < record.size() && record[i + 1] == '"') {
      fields.back() += record[i++];
    } else if (record[i] == '"') {
      quoted = !quoted;
    } else if (record[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += record[i];
    }
  }
  return fields;
}

}  // namespace texts

TEST_CASE("csv_field: what holds no comma, quote or line end stays as it is") {
  CHECK(csv_field("") == "");
  CHECK(csv_field("L2 and momentum") == "L2 and momentum");
  CHECK(csv_field(" 'single'; tab\t") == " 'single'; tab\t");
}

TEST_CASE("csv_field: a comma, a quote or a line end is put between quotes, and a quote twice") {
  CHECK(csv_field("a,b") == R"("a,b")");
  CHECK(csv_field("\"") == R"("""")");
  CHECK(csv_field("say \"no\"") == R"("say ""no""")");
  CHECK(csv_field("a\nb") == "\"a\nb\"");
  CHECK(csv_field("a\rb") == "\"a\rb\"");
  CHECK(csv_field("a\0,b"s) == "\"a\0,b\""s);
}

TEST_CASE("csv_field: a reader of RFC 4180 finds what was written") {
  const std::vector<std::string> values{"plain", "", "a,b", "\"", "\"\"", ",\"\n\r", "ends with \"", "\" begins"};
  std::string record;
  for (const std::string& value : values) {
    record += (&value == &values.front() ? "" : ",") + csv_field(value);
  }
  CHECK(texts::fields_of(record) == values);
}

TEST_CASE("csv_number: the shortest text of a number, and nothing for what was not measured") {
  CHECK(csv_number(0.1) == "0.1");
  CHECK(csv_number(2.0) == "2");
  CHECK(csv_number(-0.0) == "-0");
  CHECK(csv_number(std::numeric_limits<double>::quiet_NaN()) == "");
  CHECK(csv_number(-std::numeric_limits<double>::quiet_NaN()) == "");
  CHECK(csv_number(std::numeric_limits<double>::infinity()) == "inf");
}

TEST_CASE("add_item: a separator stands between items only") {
  std::string list;
  add_item(list, "a");
  CHECK(list == "a");
  add_item(list, "b");
  add_item(list, "c", " | ");
  CHECK(list == "a, b | c");
}

TEST_CASE("name_of_object: the type that an object turns out to be, with its namespaces") {
  const texts::Derived derived;
  const texts::Base& base = derived;
  CHECK(name_of_object(typeid(base)) == "texts::Derived");
  CHECK(name_of_object(typeid(texts::Base)) == "texts::Base");
  CHECK(name_of_object(typeid(int)) == "int");
  CHECK(name_of_object(typeid(std::vector<int>)).find("std::vector<int") == 0);
}
