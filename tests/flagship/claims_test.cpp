#include <cmath>
#include <vector>

#include "kit/claims.hpp"
#include "kit/over_runs.hpp"
#include "support/errors.hpp"
#include "support/numbers.hpp"

TEST_CASE("claims: a check passes if every statement holds, and says how many do not") {
  kit::Claims claims;
  check_error([&] { claims.require_all(); }, {"--check", "no statement can be checked"});
  claims.add(true, "one is one");
  claims.require_all();
  claims.set_missing(3);
  check_error([&] { claims.require_all(); }, {"--check: 3 units are not complete"});
  claims.set_missing(0);
  claims.add(false, "one is two");
  check_error([&] { claims.require_all(); }, {"--check: 1 of 2 statements do not hold"});
  CHECK(claims.text() == "  yes  one is one\n  NO   one is two\n");
}

TEST_CASE("over runs: NaN is left out of means and ranges") {
  const std::vector<double> runs{3, std::nan(""), 5};
  const auto itself = [](double value) { return value; };
  CHECK(kit::values_of(runs, itself) == std::vector<double>{3, 5});
  CHECK(kit::mean_of(runs, itself).mean == 4);
  CHECK(kit::mean_of(runs, itself).n == 2);
  CHECK(kit::range_of(kit::values_of(runs, itself)) == "3-5");
  CHECK(kit::range_of({7, 7}) == "7");
  CHECK(kit::range_of({}) == "-");
}
