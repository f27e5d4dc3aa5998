#include <regimen/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "support/coverage.hpp"
#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace roc_test {

namespace {

using coverage::check_coverage;
using coverage::Draws;
using regimen::Roc;
using Values = std::vector<double>;

const double infinity = std::numeric_limits<double>::infinity();
const double nan = std::numeric_limits<double>::quiet_NaN();

Values negative(Values values) {
  for (double& value : values) {
    value = -value;
  }
  return values;
}

/// P(Z <= z), by the sum of Abramowitz and Stegun 26.2.11.
double phi(double z) {
  double term = z;
  double sum = z;
  for (int i = 1; i < 200; ++i) {
    term *= z * z / (2 * i + 1);
    sum += term;
  }
  return 0.5 + sum * std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0));
}

double quantile(double share) {
  double low = -8;
  double high = 8;
  for (int i = 0; i < 80; ++i) {
    (phi((low + high) / 2) < share ? low : high) = (low + high) / 2;
  }
  return low;
}

/// The middles of n equally likely parts of N(mean, 1).
Values normal_grid(int n, double mean) {
  Values values;
  for (int i = 0; i < n; ++i) {
    values.push_back(mean + quantile((i + 0.5) / n));
  }
  return values;
}

/// The area by looking at every pair.
double area_by_hand(const Values& members, const Values& others) {
  double wins = 0;
  for (const double a : members) {
    for (const double b : others) {
      wins += a > b ? 1 : a == b ? 0.5 : 0;
    }
  }
  return wins / static_cast<double>(members.size() * others.size());
}

/// max(TPR - FPR) by trying each score.
double advantage_by_hand(const Values& members, const Values& others) {
  double best = 0;
  for (const Values& all : {members, others}) {
    for (const double threshold : all) {
      const auto share = [threshold](const Values& scores) {
        return static_cast<double>(
                   std::count_if(scores.begin(), scores.end(), [&](double score) { return score >= threshold; })) /
               static_cast<double>(scores.size());
      };
      best = std::max(best, share(members) - share(others));
    }
  }
  return best;
}

bool holds(const regimen::Estimate& estimate, double truth) {
  return estimate.low <= truth && truth <= estimate.high;
}

}  // namespace

TEST_CASE("roc: four losses of members and four of others") {
  // Small losses are members'. By hand: 13 of the 16 pairs are in order; two members lie below all others.
  const Roc curve = regimen::roc(negative({0.1, 0.2, 0.3, 0.9}), negative({0.25, 0.8, 1, 1.2}));
  CHECK(curve.area() == 0.8125);
  CHECK(curve.advantage() == 0.5);
  CHECK(curve.best().threshold == -0.2);
  CHECK(curve.at(0).true_positives == 2);
  CHECK(curve.at(0.25).true_positives == 3);
  CHECK(curve.at(0.24).true_positives == 2);
  CHECK(curve.at(1).true_positives == 4);
  REQUIRE(curve.points.size() == 9);
  CHECK(curve.points.front().threshold == infinity);
  CHECK(curve.points.front().true_positives == 0);
  CHECK(curve.points.back().false_positives == 4);
}

TEST_CASE("roc: scores of N(1, 1) and N(0, 1) have the areas and rates of closed form") {
  CHECK(2 * phi(0.5) - 1 == Approx(0.38292492254802624).epsilon(1e-12));
  CHECK(phi(1 / std::sqrt(2.0)) == Approx(0.7602499389065233).epsilon(1e-12));
  CHECK(phi(1 - quantile(0.99)) == Approx(0.0923624972).margin(1e-9));
  CHECK(phi(1 - quantile(0.999)) == Approx(0.0182984672).margin(1e-9));
  constexpr int n = 2000;
  const Roc curve = regimen::roc(normal_grid(n, 1), normal_grid(n, 0));
  CHECK(curve.area() == Approx(phi(1 / std::sqrt(2.0))).margin(1.0 / n));
  CHECK(curve.advantage() == Approx(2 * phi(0.5) - 1).margin(2.0 / n));
  CHECK(curve.best().threshold == Approx(0.5).margin(0.05));
  // The threshold ends before the next of the others, at the quantile 1 - (k + 0.5) / n for k false positives: then the
  // rate is exact to a member.
  for (const auto& [rate, k] : {std::pair(0.01, 20), std::pair(0.001, 2), std::pair(0.0, 0)}) {
    CAPTURE(rate);
    CHECK(curve.at(rate).false_positives == k);
    CHECK(std::abs(curve.true_positive_rate(curve.at(rate)) - phi(1 - quantile(1 - (k + 0.5) / n))) < 0.51 / n);
  }
  constexpr int many = 50000;
  const Roc fine = regimen::roc(normal_grid(many, 1), normal_grid(many, 0));
  CHECK(std::abs(fine.true_positive_rate(fine.at(0.01)) - phi(1 - quantile(0.99))) < 4.5 / many);
  CHECK(std::abs(fine.true_positive_rate(fine.at(0.001)) - phi(1 - quantile(0.999))) < 8.0 / many);
}

TEST_CASE("roc: it is what looking at every pair and threshold gives, with ties") {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 100; ++trial) {
    Values members;
    Values others;
    for (std::size_t i = 0; i < 1 + random() % 12; ++i) {
      members.push_back(static_cast<double>(random() % 7 + random() % 2));
    }
    for (std::size_t i = 0; i < 1 + random() % 12; ++i) {
      others.push_back(static_cast<double>(random() % 7));
    }
    CAPTURE(trial);
    const Roc curve = regimen::roc(members, others);
    CHECK(curve.area() == Approx(area_by_hand(members, others)).epsilon(1e-14));
    CHECK(curve.advantage() == Approx(advantage_by_hand(members, others)).margin(1e-15));
    CHECK(regimen::roc(others, members).area() == Approx(1 - curve.area()).margin(1e-14));
    CHECK(regimen::area_interval(members, others).value == curve.area());
    CHECK(regimen::advantage_interval(members, others).value == curve.advantage());
  }
}

TEST_CASE("roc: equal scores are one point: nobody can be told apart") {
  const Roc curve = regimen::roc(Values{1, 1, 1}, Values{1, 1});
  REQUIRE(curve.points.size() == 2);
  CHECK(curve.area() == 0.5);
  CHECK(curve.advantage() == 0);
  CHECK(curve.at(0.9).true_positives == 0);
}

TEST_CASE("roc: infinite scores are scores, and only order counts") {
  const Values members = {infinity, 3, 0.5};
  const Values others = {-infinity, 2, 0.5};
  const Roc curve = regimen::roc(members, others);
  CHECK(curve.area() == Approx(area_by_hand(members, others)).epsilon(1e-15));
  const Roc warped = regimen::roc(Values{100, 99, 7}, Values{-3, 8, 7});
  CHECK(warped.area() == curve.area());
  CHECK(warped.advantage() == curve.advantage());
}

TEST_CASE("roc: members are the positives: scored lower, they have no advantage") {
  const Roc curve = regimen::roc(Values{0, 1, 2}, Values{3, 4, 5});
  CHECK(curve.area() == 0);
  CHECK(curve.advantage() == 0);
}

TEST_CASE("operating_point: rates with the intervals of Clopper and Pearson") {
  Values members;
  Values others;
  for (int i = 0; i < 1000; ++i) {
    members.push_back(i < 60 ? 5 : 1);
    others.push_back(i < 7 ? 5 : 1);
  }
  const regimen::OperatingPoint found = regimen::operating_point(regimen::roc(members, others), 0.01);
  CHECK(found.threshold == 5);
  CHECK(found.true_positive_rate.share == 0.06);
  CHECK(found.false_positive_rate.share == 0.007);
  CHECK(found.false_positive_rate.low == Approx(0.002818858759620526).epsilon(1e-9));
  CHECK(found.false_positive_rate.high == Approx(0.014369194978918632).epsilon(1e-9));
  const regimen::OperatingPoint none = regimen::operating_point(regimen::roc(members, others), 0.001);
  CHECK(none.threshold == infinity);
  CHECK(none.true_positive_rate.share == 0);
  CHECK(none.false_positive_rate.high == Approx(1 - std::pow(0.025, 1.0 / 1000)).epsilon(1e-12));
}

TEST_CASE("clopper_pearson_interval: the ends of binomial tails summed in 60 digits") {
  const auto check = [](std::int64_t hits, std::int64_t trials, double level, double low, double high) {
    const regimen::Proportion found = regimen::clopper_pearson_interval(hits, trials, level);
    CAPTURE(hits, trials);
    CHECK(found.low == Approx(low).epsilon(1e-11));
    CHECK(found.high == Approx(high).epsilon(1e-11));
  };
  check(7, 1000, 0.95, 0.002818858759620526, 0.014369194978918632);
  check(81, 263, 0.95, 0.25273674558527115, 0.3676219226013514);
  check(3, 10, 0.95, 0.06673951117773447, 0.6524528500599973);
  check(50, 100000, 0.99, 0.0003366636349031541, 0.0007125851034024586);
  check(0, 20, 0.95, 0, 1 - std::pow(0.025, 1.0 / 20));
  check(20, 20, 0.95, std::pow(0.025, 1.0 / 20), 1);
  // One of a million: (1 - p)^n is 0.975 at the lower end.
  const double low = -std::expm1(std::log1p(-0.025) / 1e6);
  CHECK(regimen::clopper_pearson_interval(1, 1000000).low == Approx(low).epsilon(1e-8));
  CHECK(std::isnan(regimen::clopper_pearson_interval(0, 0).share));
  CHECK(error_of([] { (void)regimen::clopper_pearson_interval(3, 2); }) ==
        "clopper_pearson_interval: hits must be in [0, 2], but is 3");
}

TEST_CASE("area_interval: DeLong's variance of five scores, by hand") {
  // Of the members (0.9, 0.4, 0.5), the shares of others below are 1, 1/2, 1; of the others (0.1, 0.45), the shares of
  // members above are 1, 2/3. Variances of their means: 1/12 / 3 and 1/18 / 2, so 1/18 together.
  const regimen::Estimate area = regimen::area_interval(Values{0.9, 0.4, 0.5}, Values{0.1, 0.45});
  const double half = 1.959963984540054 * std::sqrt(1.0 / 18) / (5.0 / 36);
  CHECK(area.value == Approx(5.0 / 6).epsilon(1e-15));
  CHECK(area.low == Approx(1 / (1 + std::exp(half) / 5)).epsilon(1e-12));
  CHECK(area.high == Approx(1 / (1 + std::exp(-half) / 5)).epsilon(1e-12));
  CHECK(area.n == 5);
  CHECK(std::isnan(regimen::area_interval(Values{2, 3}, Values{0, 1}).low));
  CHECK(std::isnan(regimen::area_interval(Values{2}, Values{0, 3}).high));
}

TEST_CASE("advantage_interval: it lies in [0, 1] and holds the value") {
  Draws draws(4);
  const Values members = draws.of(60, [&] { return draws.normal() + 1; });
  const Values others = draws.of(40, [&] { return draws.normal(); });
  const regimen::Estimate one = regimen::advantage_interval(members, others);
  CHECK(one.low >= 0);
  CHECK(one.low < one.value);
  CHECK(one.value < one.high);
  CHECK(one.high <= 1);
  CHECK(regimen::advantage_interval(members, others).low == one.low);
  CHECK(regimen::advantage_interval(members, others, {.level = 0.5}).low > one.low);
  CHECK(regimen::advantage_interval(members, others, {.seed = 1}).high == one.high);
  CHECK(std::isnan(regimen::advantage_interval(Values{1}, Values{0, 0}).low));
  CHECK(regimen::advantage_interval(Values{1, 1}, Values{1, 1}).low == 0);
}

TEST_CASE("roc coverage: area_interval of 20 and 50 normal scores") {
  for (const std::size_t n : {std::size_t{20}, std::size_t{50}}) {
    CAPTURE(n);
    check_coverage([&](Draws& draws, std::uint64_t) {
      const Values members = draws.of(n, [&] { return draws.normal() + 1; });
      const Values others = draws.of(n, [&] { return draws.normal(); });
      return holds(regimen::area_interval(members, others), phi(1 / std::sqrt(2.0)));
    });
  }
}

TEST_CASE("roc coverage: advantage_interval of 100 normal scores, with and without one") {
  for (const double lead : {0.0, 1.0}) {
    CAPTURE(lead);
    check_coverage(
        [&](Draws& draws, std::uint64_t seed) {
          const Values members = draws.of(100, [&] { return draws.normal() + lead; });
          const Values others = draws.of(100, [&] { return draws.normal(); });
          return holds(regimen::advantage_interval(members, others, {.seed = seed}), 2 * phi(lead / 2) - 1);
        },
        lead == 0 ? 0.95 : 0.975);
  }
}

TEST_CASE("roc coverage: operating_point's rates of the threshold that it chose") {
  for (const bool of_members : {true, false}) {
    CAPTURE(of_members);
    check_coverage(
        [&](Draws& draws, std::uint64_t) {
          const Values members = draws.of(200, [&] { return draws.normal() + 1; });
          const Values others = draws.of(200, [&] { return draws.normal(); });
          const auto found = regimen::operating_point(regimen::roc(members, others), 0.05);
          const regimen::Proportion& rate = of_members ? found.true_positive_rate : found.false_positive_rate;
          const double truth = phi((of_members ? 1 : 0) - found.threshold);
          return rate.low <= truth && truth <= rate.high;
        },
        0.96);
  }
}

TEST_CASE("roc coverage: clopper_pearson_interval of 100 trials is never too narrow") {
  check_coverage(
      [](Draws& draws, std::uint64_t) {
        const double probability = draws.uniform();
        std::int64_t hits = 0;
        for (int i = 0; i < 100; ++i) {
          hits += draws.uniform() < probability ? 1 : 0;
        }
        const regimen::Proportion found = regimen::clopper_pearson_interval(hits, 100);
        return found.low <= probability && probability <= found.high;
      },
      0.97);
}

TEST_CASE("roc: no scores, NaN and settings out of range are errors") {
  CHECK(error_of([] { (void)regimen::roc(Values{}, Values{1}); }) ==
        "roc: members.size() must be at least 1, but is 0");
  CHECK(error_of([] { (void)regimen::roc(Values{1}, Values{}); }) == "roc: others.size() must be at least 1, but is 0");
  CHECK(error_of([] { (void)regimen::roc(Values{1, nan}, Values{1}); }) ==
        "roc: members[1] must be a number, but is nan");
  CHECK(error_of([] { (void)regimen::area_interval(Values{1}, Values{nan}); }) ==
        "area_interval: others[0] must be a number, but is nan");
  CHECK(error_of([] { (void)regimen::area_interval(Values{1}, Values{1}, 1); }) ==
        "area_interval: level must be in (0, 1), but is 1");
  CHECK(error_of([] { (void)regimen::advantage_interval(Values{1}, Values{1}, {.folds = 1}); }) ==
        "AdvantageSettings.folds must be at least 2, but is 1");
  CHECK(error_of([] { (void)regimen::roc(Values{1}, Values{1}).at(1.5); }) ==
        "Roc.at: rate must be in [0, 1], but is 1.5");
}

}  // namespace roc_test
