#include <regimen/statistics.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace kendall_test {

using regimen::Estimate;
using regimen::kendall_tau;

namespace {

using Values = std::vector<double>;

int sign(double a, double b) {
  return (a > b) - (a < b);
}

/// Mean agreement, and mean untiedness of x and of y, over all pairs of entries but those of one entry.
std::array<double, 3> means_by_hand(const Values& x, const Values& y, std::size_t without) {
  std::array<double, 3> sums = {0, 0, 0};
  double pairs = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (i != without && j != without) {
        const int in_x = sign(x[i], x[j]);
        const int in_y = sign(y[i], y[j]);
        sums[0] += in_x * in_y;
        sums[1] += in_x * in_x;
        sums[2] += in_y * in_y;
        pairs += 1;
      }
    }
  }
  return {sums[0] / pairs, sums[1] / pairs, sums[2] / pairs};
}

/// tau-b by looking at every pair, O(n^2), and its interval from the jackknife covariance of the three means and tau's
/// gradient in them, O(n^3).
Estimate by_hand(const Values& x, const Values& y) {
  const std::size_t n = x.size();
  const auto mean = means_by_hand(x, y, n);
  const double tau = mean[0] / std::sqrt(mean[1] * mean[2]);
  const std::array<double, 3> gradient = {1 / std::sqrt(mean[1] * mean[2]), -tau / 2 / mean[1], -tau / 2 / mean[2]};
  double variance = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto left = means_by_hand(x, y, i);
    double along = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      along += gradient[k] * (left[k] - mean[k]);
    }
    variance += along * along * static_cast<double>(n - 1) / static_cast<double>(n);
  }
  const double half = 1.959963984540054 * std::sqrt(variance) / (1 - tau * tau);
  return {tau, std::tanh(std::atanh(tau) - half), std::tanh(std::atanh(tau) + half), n};
}

void check_close(const Estimate& found, const Estimate& expected) {
  CHECK(found.n == expected.n);
  CHECK(found.value == Approx(expected.value).epsilon(0).margin(1e-12));
  CHECK(found.low == Approx(expected.low).epsilon(0).margin(1e-9));
  CHECK(found.high == Approx(expected.high).epsilon(0).margin(1e-9));
}

}  // namespace

TEST_CASE("kendall: the values of SciPy, and intervals of NumPy") {
  // scipy.stats.kendalltau(x, y), variant b; the intervals by the formula of the header, over all pairs, in NumPy.
  check_close(kendall_tau(Values{12, 2, 1, 12, 2}, Values{1, 4, 7, 1, 0}),
              {-0.4714045207910316, -0.9729998170898566, 0.8082579655031378, 5});
  check_close(kendall_tau(Values{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, Values{2, 1, 4, 3, 7, 6, 5, 10, 9, 8}),
              {0.6444444444444444, 0.4558321225195141, 0.7776663609843979, 10});
  check_close(kendall_tau(Values{1, 1, 2, 2, 3, 3, 4, 4, 5}, Values{1, 2, 1, 3, 2, 4, 4, 5, 5}),
              {0.75, 0.4282058528303781, 0.9029953081613676, 9});
  check_close(kendall_tau(Values{2.5, 2.5, 2.5, 1, 0, -1e300, 1e300}, Values{3, 3, 1, 2, 2, -7, INFINITY}),
              {0.7029594915666375, -0.36892711618741353, 0.9723367636379566, 7});
}

TEST_CASE("kendall: a tie in x alone, by hand") {
  // Five pairs agree and one is tied in x: 5 / sqrt(5 * 6).
  CHECK(kendall_tau(Values{1, 2, 2, 3}, Values{1, 3, 2, 4}).value == Approx(5 / std::sqrt(30.0)).epsilon(1e-14));
  CHECK(5 / std::sqrt(30.0) == Approx(0.9128709292).margin(1e-10));
}

TEST_CASE("kendall: it is what looking at every pair gives, with ties of all kinds") {
  std::mt19937_64 random(4);
  for (int trial = 0; trial < 150; ++trial) {
    const std::size_t n = 4 + random() % 14;
    const std::size_t kinds = 2 + random() % 20;
    Values x;
    Values y;
    for (std::size_t i = 0; i < n; ++i) {
      x.push_back(static_cast<double>(random() % kinds));
      y.push_back(static_cast<double>((random() % kinds + static_cast<std::size_t>(x.back())) % (kinds + 2)));
    }
    const Estimate expected = by_hand(x, y);
    CAPTURE(trial, n, kinds, expected.value);
    if (std::isnan(expected.value) || std::abs(expected.value) > 1 - 1e-9) {
      CHECK(std::isnan(kendall_tau(x, y).low));
    } else {
      check_close(kendall_tau(x, y), expected);
    }
  }
}

TEST_CASE("kendall: it is symmetric, odd, and a function of the ranks alone") {
  const Values x = {3, 1, 4, 1, 5, 9, 2, 6};
  const Values y = {2, 7, 1, 8, 2, 8, 1, 8};
  Values negative;
  Values warped;
  for (const double value : y) {
    negative.push_back(-value);
    warped.push_back(std::exp(value));
  }
  const Estimate tau = kendall_tau(x, y);
  check_close(kendall_tau(y, x), tau);
  check_close(kendall_tau(x, negative), {-tau.value, -tau.high, -tau.low, tau.n});
  CHECK(kendall_tau(x, warped).value == tau.value);
  CHECK(kendall_tau(x, warped).low == tau.low);
  CHECK(kendall_tau(x, y, 0.5).low > tau.low);
}

TEST_CASE("kendall: the interval stays within [-1, 1]") {
  Values x;
  Values y;
  for (int i = 0; i < 6; ++i) {
    x.push_back(i);
    y.push_back(i == 4 ? 5 : i == 5 ? 4 : i);
  }
  const Estimate tau = kendall_tau(x, y);
  CHECK(tau.value == Approx(13.0 / 15));
  CHECK(tau.low > -1);
  CHECK(tau.low < tau.value);
  CHECK(tau.high > tau.value);
  CHECK(tau.high < 1);
}

TEST_CASE("kendall: one order throughout is 1 to the bit, and nothing tells its interval") {
  for (const bool tied : {false, true}) {
    Values x;
    Values y;
    for (int i = 0; i < 30; ++i) {
      x.push_back(tied ? i / 3 : i);
      y.push_back(10 - x.back());
    }
    CAPTURE(tied);
    CHECK(kendall_tau(x, x).value == 1);
    CHECK(kendall_tau(x, y).value == -1);
    CHECK(std::isnan(kendall_tau(x, x).low));
    CHECK(std::isnan(kendall_tau(x, y).high));
  }
  CHECK(kendall_tau(Values{1, 2}, Values{5, 6}).value == 1);
}

TEST_CASE("kendall: where all of a list are equal there is no order to agree with") {
  const Estimate tau = kendall_tau(Values{1, 1, 1}, Values{1, 2, 3});
  CHECK(tau.n == 3);
  CHECK(std::isnan(tau.value));
  CHECK(std::isnan(tau.low));
}

TEST_CASE("kendall: sums over a hundred thousand entries do not overflow") {
  Values x;
  Values y;
  for (int i = 0; i < 100000; ++i) {
    x.push_back(i);
    y.push_back(i % 2 == 0 ? i + 1 : i - 1);  // 50,000 neighbours changed places
  }
  const double pairs = 100000.0 * 99999 / 2;
  CHECK(kendall_tau(x, y).value == Approx(1 - 2 * 50000 / pairs).epsilon(1e-14));
}

TEST_CASE("kendall: other lengths, too few entries, NaN and levels out of range are errors") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(error_of([] { (void)kendall_tau(Values{1, 2}, Values{1, 2, 3}); }) ==
        "kendall_tau: y.size() must be x.size() = 2, but is 3");
  CHECK(error_of([] { (void)kendall_tau(Values{1}, Values{1}); }) ==
        "kendall_tau: x.size() must be at least 2, but is 1");
  CHECK(error_of([&] { (void)kendall_tau(Values{1, 2, nan}, Values{1, 2, 3}); }) ==
        "kendall_tau: x[2] must be a number, but is nan");
  CHECK(error_of([&] { (void)kendall_tau(Values{1, 2}, Values{nan, 2}); }) ==
        "kendall_tau: y[0] must be a number, but is nan");
  CHECK(error_of([] { (void)kendall_tau(Values{1, 2}, Values{1, 2}, 0); }) ==
        "kendall_tau: level must be in (0, 1), but is 0");
}

}  // namespace kendall_test
