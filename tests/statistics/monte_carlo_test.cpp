// The mean of random draws: when it stops, and how often its interval holds the mean.

#include <regimen/statistics/monte_carlo.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include "support/numbers.hpp"

#include "support/coverage.hpp"

namespace monte_carlo_test {

namespace rg = regimen;

TEST_CASE("monte_carlo: value and half width are those of the draws' mean") {
  const std::vector<double> numbers{1, 2, 4, 9};
  const auto mean = rg::monte_carlo([&](std::int64_t i) { return numbers[static_cast<std::size_t>(i)]; },
                                    {.least = 4, .most = 4, .relative = 0});
  CHECK(mean.value == Approx(4));
  CHECK(mean.half_width == Approx(rg::student_t_quantile(3) * std::sqrt(38.0 / 3 / 4)));
  CHECK(mean.draws == 4);
  CHECK_FALSE(mean.converged);
  CHECK(mean.low() == Approx(mean.value - mean.half_width));
}

TEST_CASE("monte_carlo: draws end when the interval is narrow enough, or all are taken") {
  const auto alternate = [](std::int64_t i) { return i % 2 == 0 ? 0.9 : 1.1; };
  CHECK(rg::monte_carlo(alternate, {.relative = 0.1}).draws == 16);
  const auto narrow = rg::monte_carlo(alternate, {.relative = 0.02});
  CHECK(narrow.converged);
  CHECK(narrow.draws > 90);
  CHECK(narrow.draws < 200);
  const auto few = rg::monte_carlo(alternate, {.most = 40, .relative = 0.001});
  CHECK_FALSE(few.converged);
  CHECK(few.draws == 40);
  CHECK(rg::monte_carlo([](std::int64_t) { return 3.0; }).half_width == 0);
  CHECK(rg::monte_carlo(alternate, {.relative = 0, .absolute = 0.2}).draws == 16);
}

TEST_CASE("monte_carlo: intervals of chi-squared means hold 1 in 95 % of all cases") {
  for (const int degrees : {2, 20, 200}) {
    CAPTURE(degrees);
    coverage::check_coverage([&](auto& draws, std::uint64_t) {
      const auto mean = rg::monte_carlo([&](std::int64_t) {
        double sum = 0;
        for (int i = 0; i < degrees; i += 2) {
          sum += 2 * draws.exponential();  // of two degrees of freedom
        }
        return sum / degrees;
      });
      return mean.low() <= 1 && 1 <= mean.high();
    });
  }
}

TEST_CASE("monte_carlo: settings out of their range are refused") {
  const auto one = [](std::int64_t) { return 1.0; };
  CHECK_THROWS_AS(rg::monte_carlo(one, {.least = 1}), rg::Error);
  CHECK_THROWS_AS(rg::monte_carlo(one, {.least = 20, .most = 10}), rg::Error);
  CHECK_THROWS_AS(rg::monte_carlo(one, {.relative = -1}), rg::Error);
  CHECK_THROWS_AS(rg::monte_carlo(one, {.level = 1}), rg::Error);
}

TEST_CASE("monte_carlo: a draw that is not finite ends it with NaN") {
  for (const double odd : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    const auto third = [odd](std::int64_t i) { return i == 2 ? odd : 1.0; };
    const rg::MonteCarloEstimate found = rg::monte_carlo(third);
    CHECK(std::isnan(found.value));
    CHECK(std::isnan(found.half_width));
    CHECK(found.draws == 3);
    CHECK_FALSE(found.converged);
  }
}

TEST_CASE("monte_carlo: draws made in blocks are those made one after another") {
  const auto number = [](std::int64_t i) { return 1 + std::sin(static_cast<double>(i)); };
  const rg::Draws how{.least = 5, .most = 22, .relative = 0.01};
  const rg::MonteCarloEstimate one = rg::monte_carlo(number, how);
  for (const std::int64_t block : {1, 4, 100}) {
    std::int64_t made = 0;
    const auto several = [&](std::int64_t first, std::int64_t count) {
      CHECK(first == made);
      std::vector<double> draws;
      for (; made < first + count; ++made) {
        draws.push_back(number(made));
      }
      return draws;
    };
    const rg::MonteCarloEstimate found = rg::monte_carlo_in_blocks(several, block, how);
    CHECK(found.value == one.value);
    CHECK(found.half_width == one.half_width);
    CHECK(found.draws == 22);
    CHECK(found.passes == 22);
    CHECK(made == 22);
  }
  CHECK_THROWS_AS(rg::monte_carlo_in_blocks([](std::int64_t, std::int64_t) { return std::vector<double>(); }, 0),
                  rg::Error);
}

}  // namespace monte_carlo_test
