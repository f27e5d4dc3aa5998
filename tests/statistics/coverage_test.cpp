// How often the intervals of regimen/statistics hold what is true, where that has a closed form.

#include <regimen/statistics.hpp>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "support/coverage.hpp"
#include "support/numbers.hpp"

namespace coverage_test {

namespace {

using coverage::check_coverage;
using coverage::Draws;

bool holds(const regimen::Estimate& estimate, double truth) {
  return estimate.low <= truth && truth <= estimate.high;
}

}  // namespace

TEST_CASE("coverage: mean_interval of five normal values") {
  check_coverage([](Draws& draws, std::uint64_t) {
    const regimen::Interval interval = regimen::mean_interval(draws.of(5, [&] { return 3 + draws.normal(); }));
    return interval.low() <= 3 && 3 <= interval.high();
  });
}

TEST_CASE("coverage: paired_difference of arms that share their noise") {
  check_coverage([](Draws& draws, std::uint64_t) {
    const std::vector<double> a = draws.of(5, [&] { return 10 * draws.normal(); });
    std::vector<double> b;
    for (const double value : a) {
      b.push_back(value - 1 + draws.normal());
    }
    const regimen::Interval interval = regimen::paired_difference(a, b);
    return interval.low() <= 1 && 1 <= interval.high();
  });
}

TEST_CASE("coverage: paired_bootstrap of the mean of 50 pairs") {
  check_coverage([](Draws& draws, std::uint64_t seed) {
    const std::vector<double> a = draws.of(50, [&] { return 10 * draws.normal(); });
    std::vector<double> b;
    for (const double value : a) {
      b.push_back(value - 1 + draws.normal());
    }
    return holds(regimen::paired_bootstrap(a, b, {.resamples = 500, .seed = seed}), 1);
  });
}

TEST_CASE("coverage: bootstrap_interval of the median of 30 exponential values, ln 2") {
  check_coverage([](Draws& draws, std::uint64_t seed) {
    const std::vector<double> values = draws.of(30, [&] { return draws.exponential(); });
    const regimen::Bootstrap how{.resamples = 500, .seed = seed};
    return holds(regimen::bootstrap_interval(values, regimen::median, how), std::numbers::ln2);
  });
}

TEST_CASE("coverage: kendall_tau of 40 binormal entries, 2 / pi arcsin(correlation)") {
  for (const double correlation : {0.0, 0.5, -0.8}) {
    CAPTURE(correlation);
    check_coverage([&](Draws& draws, std::uint64_t) {
      const std::vector<double> x = draws.of(40, [&] { return draws.normal(); });
      std::vector<double> y;
      for (const double value : x) {
        y.push_back(correlation * value + std::sqrt(1 - correlation * correlation) * draws.normal());
      }
      return holds(regimen::kendall_tau(x, y), 2 / std::numbers::pi * std::asin(correlation));
    });
  }
}

TEST_CASE("coverage: wilson_interval of 100 trials") {
  check_coverage([](Draws& draws, std::uint64_t) {
    const double probability = draws.uniform();  // it is about 95 % on average over the probabilities
    std::int64_t hits = 0;
    for (int i = 0; i < 100; ++i) {
      hits += draws.uniform() < probability ? 1 : 0;
    }
    const regimen::Proportion found = regimen::wilson_interval(hits, 100);
    return found.low <= probability && probability <= found.high;
  });
}

}  // namespace coverage_test
