#include <regimen/statistics.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

using regimen::Interval;
using regimen::mean_interval;
using regimen::paired_difference;
using regimen::student_t_quantile;

TEST_CASE("the quantiles of Student's t are those of the printed tables") {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: upper critical values for 0.975 and 0.995.
  struct Row {
    std::size_t dof;
    double at_95;
    double at_99;
  };
  const Row table[] = {{1, 12.706, 63.657}, {2, 4.303, 9.925},  {3, 3.182, 5.841},  {4, 2.776, 4.604},
                       {5, 2.571, 4.032},   {10, 2.228, 3.169}, {30, 2.042, 2.750}, {100, 1.984, 2.626}};
  for (const Row& row : table) {
    CAPTURE(row.dof);
    CHECK(student_t_quantile(row.dof, 0.95) == Approx(row.at_95).epsilon(0).margin(1e-3));
    CHECK(student_t_quantile(row.dof, 0.99) == Approx(row.at_99).epsilon(0).margin(1e-3));
    CHECK(student_t_quantile(row.dof) == student_t_quantile(row.dof, 0.95));
  }
}

TEST_CASE("with one and two degrees of freedom the quantile has a closed form") {
  for (const double level : {0.01, 0.5, 0.9, 0.95, 0.999}) {
    CAPTURE(level);
    CHECK(student_t_quantile(1, level) == Approx(std::tan(level * std::acos(-1.0) / 2)).epsilon(1e-12));
    CHECK(student_t_quantile(2, level) == Approx(level * std::sqrt(2 / (1 - level * level))).epsilon(1e-12));
  }
}

TEST_CASE("with many degrees of freedom the quantile is the normal one") {
  CHECK(student_t_quantile(1000000, 0.95) == Approx(1.959964).epsilon(0).margin(1e-5));
}

TEST_CASE("a quantile falls with the degrees of freedom and grows with the level") {
  for (std::size_t dof = 1; dof < 40; ++dof) {
    CAPTURE(dof);
    CHECK(student_t_quantile(dof) > student_t_quantile(dof + 1));
    CHECK(student_t_quantile(dof, 0.9) < student_t_quantile(dof, 0.95));
  }
}

TEST_CASE("a quantile needs a degree of freedom and a level between 0 and 1") {
  CHECK(error_of([] { (void)student_t_quantile(0); }) == "student_t_quantile: dof must be at least 1, but is 0");
  CHECK(error_of([] { (void)student_t_quantile(3, 0); }) == "student_t_quantile: level must be in (0, 1), but is 0");
  CHECK(error_of([] { (void)student_t_quantile(3, 1); }) == "student_t_quantile: level must be in (0, 1), but is 1");
  CHECK(error_of([] { (void)student_t_quantile(3, std::numeric_limits<double>::quiet_NaN()); }) ==
        "student_t_quantile: level must be in (0, 1), but is nan");
}

TEST_CASE("a mean has the interval that one computes by hand") {
  // Mean 3, squared deviations 4 + 1 + 0 + 1 + 4 = 10, variance 10 / 4, standard error sqrt(2.5 / 5), t(4) = 2.7764451.
  const Interval interval = mean_interval(std::vector<double>{1, 2, 3, 4, 5});
  CHECK(interval.n == 5);
  CHECK(interval.mean == 3);
  CHECK(interval.half_width == Approx(2.7764451052 * std::sqrt(0.5)).epsilon(1e-9));
  CHECK(interval.low() == interval.mean - interval.half_width);
  CHECK(interval.high() == interval.mean + interval.half_width);
  CHECK(mean_interval(std::vector<double>{1, 2, 3, 4, 5}, 0.99).half_width ==
        Approx(4.6040948713 * std::sqrt(0.5)).epsilon(1e-9));
}

TEST_CASE("equal values leave no doubt") {
  const Interval interval = mean_interval(std::vector<double>{0.25, 0.25, 0.25});
  CHECK(interval.mean == 0.25);
  CHECK(interval.half_width == 0);
}

TEST_CASE("no value has no mean, and one value has no interval") {
  const Interval none = mean_interval({});
  CHECK(none.n == 0);
  CHECK(std::isnan(none.mean));
  CHECK(std::isnan(none.half_width));
  CHECK(std::isnan(none.low()));

  const Interval one = mean_interval(std::vector<double>{0.75});
  CHECK(one.n == 1);
  CHECK(one.mean == 0.75);
  CHECK(std::isnan(one.half_width));
  CHECK(std::isnan(one.high()));
}

TEST_CASE("the jackknife of a mean is the mean's interval, and another one that by hand") {
  const std::vector<double> values{1, 2, 4, 9};
  const std::vector<double> without{15.0 / 3, 14.0 / 3, 12.0 / 3, 7.0 / 3};
  const Interval expected = mean_interval(values, 0.9);
  const Interval found = regimen::jackknife_interval(4, without, 0.9);
  CHECK(found.mean == 4);
  CHECK(found.n == 4);
  CHECK(found.half_width == Approx(expected.half_width).epsilon(1e-12));
  // Squared distances from 7/3 sum to 14/3, times 2/3 are 28/9; Student's t of 2 degrees of freedom is 4.3026527.
  CHECK(regimen::jackknife_interval(5, std::vector<double>{1, 2, 4}).half_width ==
        Approx(4.302652729911275 * std::sqrt(28.0) / 3).epsilon(1e-9));
  CHECK(std::isnan(regimen::jackknife_interval(1, std::vector<double>{1}).half_width));
  CHECK(std::isnan(regimen::jackknife_interval(1, std::vector<double>{}).half_width));
}

TEST_CASE("a paired difference is the interval of the differences") {
  // Differences 1, 2, 3: mean 2, variance 1, standard error sqrt(1 / 3), t(2) = 4.3026527.
  const std::vector<double> a = {11, 22, 33};
  const std::vector<double> b = {10, 20, 30};
  const Interval difference = paired_difference(a, b);
  CHECK(difference.n == 3);
  CHECK(difference.mean == 2);
  CHECK(difference.half_width == Approx(4.3026527297 / std::sqrt(3.0)).epsilon(1e-9));
  CHECK(paired_difference(b, a).mean == -2);
  CHECK(paired_difference(a, b, 0.99).half_width == Approx(9.9248432009 / std::sqrt(3.0)).epsilon(1e-9));
}

TEST_CASE("pairing takes out what the runs share") {
  const std::vector<double> a = {0.50, 0.70, 0.90};
  const std::vector<double> b = {0.49, 0.69, 0.89};
  CHECK(paired_difference(a, b).low() > 0.0099);
  CHECK(mean_interval(a).low() < mean_interval(b).high());
}

TEST_CASE("a paired difference needs as many runs of one arm as of the other") {
  const std::vector<double> three = {1, 2, 3};
  const std::vector<double> two = {1, 2};
  CHECK(error_of([&] { (void)paired_difference(three, two); }) ==
        "paired_difference: b.size() must be a.size() = 3, but is 2");
  CHECK(error_of([&] { (void)paired_difference(two, three); }) ==
        "paired_difference: b.size() must be a.size() = 2, but is 3");
  CHECK(paired_difference({}, {}).n == 0);
}
