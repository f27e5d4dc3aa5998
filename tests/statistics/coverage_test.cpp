// How often the intervals of regimen/statistics hold what is true, where that has a closed form. 300 cases of each;
// REGIMEN_COVERAGE=2000 in the environment takes more, and then 95 % means 93 to 97 %.

#include <regimen/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <random>
#include <vector>

#include "support/numbers.hpp"

namespace coverage_test {

namespace {

/// Draws that are equal on all platforms: the distributions of <random> are not.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : words_(seed) {}

  double uniform() { return (static_cast<double>(words_() >> 11) + 0.5) / 9007199254740992.0; }
  double exponential() { return -std::log(uniform()); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

  template <class Draw>
  std::vector<double> of(std::size_t n, Draw&& draw) {
    std::vector<double> values(n);
    std::generate(values.begin(), values.end(), draw);
    return values;
  }

 private:
  std::mt19937_64 words_;
};

/// holds(draws, case) in so many cases as 95 % of them come out: within 4 standard deviations or 2 %, whichever is
/// more.
template <class Holds>
void check_coverage(Holds&& holds) {
  const char* const wanted = std::getenv("REGIMEN_COVERAGE");
  const int cases = wanted == nullptr ? 300 : std::atoi(wanted);
  REQUIRE(cases >= 100);
  Draws draws(11);
  int held = 0;
  for (int i = 0; i < cases; ++i) {
    held += holds(draws, static_cast<std::uint64_t>(i)) ? 1 : 0;
  }
  const double share = static_cast<double>(held) / cases;
  CAPTURE(cases, share);
  CHECK(std::abs(share - 0.95) <= std::max(0.02, 4 * std::sqrt(0.95 * 0.05 / cases)));
}

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
