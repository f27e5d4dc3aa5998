#include <regimen/report/ticks.hpp>

#include <limits>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace ticks_test {

namespace report = regimen::report;
using report::log_ticks;
using report::nice_step;
using report::nice_ticks;

std::vector<std::string> texts(const std::vector<report::Tick>& ticks) {
  std::vector<std::string> result;
  for (const report::Tick& tick : ticks) {
    result.push_back(tick.text);
  }
  return result;
}

using Texts = std::vector<std::string>;

TEST_CASE("ticks: a step is 1, 2 or 5 times a power of ten, the least that gives few enough") {
  CHECK(nice_step(0, 36, 5) == 10);  // 7.2 is wanted
  CHECK(nice_step(0, 10, 5) == 2);   // 2 exactly
  CHECK(nice_step(0, 10, 4) == 5);   // 2.5
  CHECK(nice_step(74, 85, 6) == 2);  // 1.83
  CHECK(nice_step(0, 1, 1) == 1);
  CHECK(nice_step(0, 0.003, 6) == Approx(0.0005));
  CHECK(nice_step(-2e6, 1e6, 3) == 1e6);
}

TEST_CASE("ticks: multiples of the step in the range, with its digits") {
  CHECK(texts(nice_ticks(0, 36, 5)) == Texts{"0", "10", "20", "30"});
  CHECK(texts(nice_ticks(0, 1, 5)) == Texts{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(texts(nice_ticks(-1, 1, 4)) == Texts{"−1.0", "−0.5", "0.0", "0.5", "1.0"});
  CHECK(texts(nice_ticks(74.2, 84.9, 6)) == Texts{"76", "78", "80", "82", "84"});
  CHECK(texts(nice_ticks(0.9995, 1.0005, 2)) == Texts{"0.9995", "1.0000", "1.0005"});
  const std::vector<report::Tick> thirds = nice_ticks(-0.1, 0.3, 4);
  REQUIRE(thirds.size() == 5);
  CHECK(thirds[1].at == 0);
  CHECK(thirds[4].at == Approx(0.3));
}

TEST_CASE("ticks: large and small numbers have an exponent, all or none of an axis") {
  CHECK(texts(nice_ticks(0, 1.5e6, 3)) == Texts{"0", "500000", "1000000", "1500000"});
  CHECK(texts(nice_ticks(0, 1.5e7, 3)) == Texts{"0", "5e+06", "1.0e+07", "1.5e+07"});
  CHECK(texts(nice_ticks(0, 3e-6, 3)) == Texts{"0", "1e-06", "2e-06", "3e-06"});
}

TEST_CASE("ticks: a logarithmic axis has powers of ten, every so many") {
  CHECK(texts(log_ticks(0.001, 1)) == Texts{"0.001", "0.01", "0.1", "1"});
  CHECK(texts(log_ticks(0.0009, 11)) == Texts{"0.001", "0.01", "0.1", "1", "10"});
  CHECK(texts(log_ticks(1e-6, 1e6)) == Texts{"10⁻⁶", "0.001", "1", "1000", "10⁶"});
  CHECK(log_ticks(1e-6, 1e6)[0].at == Approx(1e-6));
  CHECK(log_ticks(1e-300, 1e300).size() <= 7);
}

TEST_CASE("ticks: within a decade or two there are twice and five times the powers") {
  CHECK(texts(log_ticks(2, 30)) == Texts{"2", "5", "10", "20"});
  CHECK(texts(log_ticks(0.02, 0.06)) == Texts{"0.02", "0.05"});
  CHECK(texts(log_ticks(2.1, 2.9, 4)) == Texts{"2.2", "2.4", "2.6", "2.8"});
}

TEST_CASE("ticks: a range that is none is refused") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(error_of([] { (void)nice_ticks(1, 1); }) == "nice_step: to must be a finite number above from = 1, but is 1");
  CHECK(error_of([&] { (void)nice_ticks(0, infinity); }) ==
        "nice_step: to must be a finite number above from = 0, but is inf");
  CHECK(error_of([] { (void)nice_ticks(0, 1, 0); }) == "nice_step: most must be at least 1, but is 0");
  CHECK(error_of([] { (void)log_ticks(0, 1); }) == "log_ticks: from must be above 0 on a logarithmic scale, but is 0");
  CHECK(error_of([] { (void)log_ticks(1, 0.1); }) ==
        "log_ticks: to must be a finite number above from = 1, but is 0.1");
}

}  // namespace ticks_test
