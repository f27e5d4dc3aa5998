// A kit for results that differ in one number and in their seeds, and the statements about them.

#include "kit/sweep.hpp"

#include <cmath>
#include <string>

#include <regimen/report/terminal.hpp>

#include "kit/claims.hpp"
#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace sweep_test {

namespace {

namespace ex = regimen::experiment;

ex::Result result(const std::string& part, int width, int seed, double change) {
  ex::Result made{.job = part + std::to_string(width) + "-" + std::to_string(seed),
                  .factors = {{"part", part}, {"width", std::to_string(width)}, {"seed", std::to_string(seed)}}};
  regimen::Epoch epoch;
  epoch.measures = {{"change", change}};
  made.history.epochs.push_back(epoch);
  return made;
}

/// Widths 10 and 1000: the change falls as width^-0.5 in seed 1, as width^-1 in seed 2.
ex::Results results() {
  ex::Results all;
  all.add(result("lazy", 10, 1, 2)).add(result("lazy", 10, 2, -4)).add(result("other", 10, 1, 99));
  return all.add(result("lazy", 1000, 1, 0.2)).add(result("lazy", 1000, 2, -0.04));
}

kit::Sweep sweep(const ex::Results& all) {
  return {all, {{"part", "lazy"}}, "width", {10, 100, 1000}};
}

}  // namespace

TEST_CASE("sweep: values, means and largest magnitudes of the settings that have results") {
  const kit::Sweep widths = sweep(results());
  CHECK(widths.settings() == std::vector<int>{10, 1000});
  CHECK(widths.values(10, "change") == std::vector<double>{2, -4});
  CHECK(widths.mean(10, "change").mean == -1);
  CHECK(widths.largest(1000, "change") == 0.2);
  CHECK(widths.largest("change") == 4);
  CHECK(std::isnan(widths.largest("other")));
  CHECK(kit::Sweep(results(), {{"part", "none"}}, "width", {10}).empty());
}

TEST_CASE("sweep: the exponent is that of each seed alone, with their interval") {
  ex::Results all;
  all.add(result("lazy", 10, 1, 2)).add(result("lazy", 10, 2, 4));
  all.add(result("lazy", 1000, 2, 0.04)).add(result("lazy", 1000, 1, 0.2));
  const regimen::Interval exponent = sweep(all).exponent("change");
  CHECK(exponent.mean == Approx(-0.75).epsilon(1e-12));
  CHECK(exponent.n == 2);
  CHECK(exponent.half_width == Approx(12.7062047 * 0.25).epsilon(1e-6));  // t of one degree of freedom
}

TEST_CASE("sweep: a table shows one measure in several ways, and bars its interval") {
  const kit::Sweep widths = sweep(results());
  const std::string text = regimen::report::terminal(widths.table("Title", "width / 10",
                                                                  {{"mean", "change", 1, kit::Over::mean},
                                                                   {"most", "change", 2, kit::Over::largest},
                                                                   {"power", "nothing", 0, kit::Over::power}},
                                                                  10, 1));
  CHECK(text.find("Title") == 0);
  CHECK(text.find("  1.0  -1.0  4.00    nan\n") != std::string::npos);
  CHECK(text.find("100.0   0.1  0.20    nan\n") != std::string::npos);
  const auto bars = widths.bars("change", "name", "#000000", 10);
  CHECK(bars.x == std::vector<double>{1, 100});
  CHECK(bars.y[0].value == -1);
}

TEST_CASE("claims: bounds are named with the numbers, and --check fails by one that does not hold") {
  kit::Claims claims;
  claims.below(0.02, 0.05, "an error");
  claims.within(-0.5, -0.6, -0.4, "a slope");
  claims.require_all();
  claims.below(NAN, 1, "an unknown");
  claims.within(2, 0, 1, "a share");
  CHECK(claims.text() ==
        "  yes  an error (0.02 < 0.05)\n  yes  a slope (-0.5 in [-0.6, -0.4])\n"
        "  NO   an unknown (nan < 1)\n  NO   a share (2 in [0, 1])\n");
  CHECK(claims.all() == 4);
  CHECK(claims.failed() == 2);
  CHECK(error_of([&] { claims.require_all(); }) == "--check: 2 of 4 statements do not hold; the table says which");
  CHECK(error_of([] { kit::Claims().require_all(); }).find("no statement can be checked") != std::string::npos);
}

}  // namespace sweep_test
