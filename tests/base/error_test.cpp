#include <regimen/base.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Error;
using regimen::detail::require;
using regimen::detail::text;

TEST_CASE("an Error is an invalid argument") {
  CHECK(std::is_base_of_v<std::invalid_argument, Error>);
  CHECK_THROWS_AS(require(false, "A.b", "above 0", -1), std::invalid_argument);
}

TEST_CASE("an Error names the type, the field, the bound and the value") {
  CHECK(error_of([] { require(false, "UniformLabels.fraction", "in [0, 1]", 1.5); }) ==
        "UniformLabels.fraction must be in [0, 1], but is 1.5");
  CHECK(error_of([] { require(false, "UniformLabels.classes", "at least 2", std::int64_t{-7}); }) ==
        "UniformLabels.classes must be at least 2, but is -7");
  CHECK(error_of([] { require(false, "A.on", "on", false); }) == "A.on must be on, but is false");
  CHECK(error_of([] { require(false, "A.name", "unique", "twice"); }) == "A.name must be unique, but is twice");
  CHECK(error_of([] { require(false, "A.rate", "finite", std::numeric_limits<double>::quiet_NaN()); }) ==
        "A.rate must be finite, but is nan");
}

TEST_CASE("what holds throws nothing") {
  CHECK_NOTHROW(require(true, "A.b", "above 0", 1));
}

TEST_CASE("a number's text is the shortest that reads back as the same number") {
  CHECK(text(0.1) == "0.1");
  CHECK(text(0.1F) == "0.1");
  CHECK(text(1.0) == "1");
  CHECK(text(-0.0) == "-0");
  CHECK(text(1e300) == "1e+300");
  CHECK(text(-12) == "-12");
  CHECK(text(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(text(true) == "true");
  CHECK(text(false) == "false");
  for (const double value : {1.0 / 3, 0.1 + 0.2, std::numeric_limits<double>::denorm_min(),
                             std::numeric_limits<double>::max(), -2.2250738585072011e-308}) {
    CHECK(std::strtod(text(value).c_str(), nullptr) == value);
  }
}
