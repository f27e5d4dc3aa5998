#include <regimen/statistics.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace bootstrap_test {

using regimen::bootstrap_interval;
using regimen::Estimate;
using regimen::median;
using regimen::paired_bootstrap;

namespace {

const std::vector<double> a = {0.912, 0.885, 0.931, 0.874, 0.902, 0.918, 0.957, 0.861, 0.893, 0.925, 0.879, 0.908};
const std::vector<double> b = {0.887, 0.871, 0.912, 0.869, 0.851, 0.911, 0.872, 0.858, 0.886, 0.894, 0.880, 0.861};

void check_equal(const Estimate& one, const Estimate& other) {
  CHECK(one.value == other.value);
  CHECK(one.low == other.low);
  CHECK(one.high == other.high);
  CHECK(one.n == other.n);
}

double largest(std::span<const double> values) {
  return *std::max_element(values.begin(), values.end());
}

}  // namespace

TEST_CASE("bootstrap: from the same draws NumPy and SciPy compute the same ends") {
  // The generator, the draws and BCa written anew in Python, with scipy.stats.norm and numpy.quantile.
  const Estimate mean = paired_bootstrap(a, b, {.resamples = 1000, .seed = 7});
  CHECK(mean.n == 12);
  CHECK(mean.value == Approx(0.024416666666666668).epsilon(1e-12));
  CHECK(mean.low == Approx(0.014099847192206557).epsilon(1e-9));
  CHECK(mean.high == Approx(0.04355950296322644).epsilon(1e-9));

  const Estimate narrow = paired_bootstrap(a, b, {.level = 0.8, .resamples = 1000, .seed = 7});
  CHECK(narrow.low == Approx(0.01691666666666668).epsilon(1e-9));
  CHECK(narrow.high == Approx(0.03583333333333335).epsilon(1e-9));

  const Estimate middle = paired_bootstrap(a, b, median, {.level = 0.8, .resamples = 1000, .seed = 7});
  CHECK(middle.value == Approx(0.0165).epsilon(1e-12));
  CHECK(middle.low == Approx(0.007).epsilon(1e-9));
  CHECK(middle.high == Approx(0.028).epsilon(1e-9));
}

TEST_CASE("bootstrap: with many draws the ends are those of SciPy with draws of its own") {
  // scipy.stats.bootstrap((a - b,), ..., n_resamples=1000000, method="BCa"): numpy.mean and numpy.median.
  const Estimate mean = paired_bootstrap(a, b, {.resamples = 40000, .seed = 1});
  CHECK(mean.low == Approx(0.0135).epsilon(0).margin(4e-4));
  CHECK(mean.high == Approx(0.0425).epsilon(0).margin(8e-4));
  const Estimate middle = paired_bootstrap(a, b, median, {.resamples = 20000, .seed = 1});
  CHECK(middle.low == Approx(0.006).epsilon(0).margin(1e-9));
  CHECK(middle.high == Approx(0.039).epsilon(0).margin(1e-9));
}

TEST_CASE("bootstrap: of pairs it is that of their differences") {
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(a[i] - b[i]);
  }
  check_equal(paired_bootstrap(a, b, {.seed = 3}), bootstrap_interval(differences, {.seed = 3}));
  check_equal(paired_bootstrap(a, b, median, {.seed = 3}), bootstrap_interval(differences, median, {.seed = 3}));

  const Estimate forth = paired_bootstrap(a, b, {.seed = 3});
  const Estimate back = paired_bootstrap(b, a, {.seed = 3});
  CHECK(back.value == Approx(-forth.value));
  CHECK(back.low == Approx(-forth.high).epsilon(1e-9));
  CHECK(back.high == Approx(-forth.low).epsilon(1e-9));
}

TEST_CASE("bootstrap: equal seeds give equal bits, others differ by the noise of the draws") {
  check_equal(paired_bootstrap(a, b, {.seed = 5}), paired_bootstrap(a, b, {.seed = 5}));
  const Estimate one = paired_bootstrap(a, b, {.seed = 5});
  const Estimate other = paired_bootstrap(a, b, {.seed = 6});
  CHECK(one.low != other.low);
  CHECK(one.low == Approx(other.low).epsilon(0).margin(1e-3));
}

TEST_CASE("bootstrap: a higher level gives a wider interval around the value") {
  const Estimate narrow = bootstrap_interval(a, {.level = 0.5, .resamples = 2000});
  const Estimate wide = bootstrap_interval(a, {.level = 0.99, .resamples = 2000});
  CHECK(wide.low < narrow.low);
  CHECK(narrow.low < narrow.value);
  CHECK(narrow.value < narrow.high);
  CHECK(narrow.high < wide.high);
}

TEST_CASE("bootstrap: equal values leave no doubt") {
  const Estimate estimate = bootstrap_interval(std::vector<double>{0.25, 0.25, 0.25});
  CHECK(estimate.value == 0.25);
  CHECK(estimate.low == 0.25);
  CHECK(estimate.high == 0.25);
}

TEST_CASE("bootstrap: any callable of the values is a statistic, one that captures too") {
  const double cut = 0.9;
  const auto share_above = [cut](std::span<const double> values) {
    return static_cast<double>(std::count_if(values.begin(), values.end(), [cut](double v) { return v > cut; })) /
           static_cast<double>(values.size());
  };
  const Estimate share = bootstrap_interval(a, share_above);
  CHECK(share.value == Approx(7.0 / 12));
  CHECK(share.low >= 0);
  CHECK(share.high <= 1);
  CHECK(share.low < share.value);
}

TEST_CASE("bootstrap: nothing tells the ends where every resample lies on one side") {
  const auto different = [](std::span<const double> values) {
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    return static_cast<double>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
  };
  std::vector<double> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(i);
  }
  const Estimate estimate = bootstrap_interval(many, different, {.resamples = 200});
  CHECK(estimate.value == 100);
  CHECK(std::isnan(estimate.low));
  CHECK(std::isnan(estimate.high));
  CHECK(bootstrap_interval(many, largest, {.resamples = 200}).high == 99);
}

TEST_CASE("bootstrap: too few values, other lengths, NaN and fields out of range are errors") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> one = {1};
  const std::vector<double> two = {1, 2};
  CHECK(error_of([&] { (void)bootstrap_interval(one); }) ==
        "bootstrap_interval: the number of values must be in [2, 2^31], but is 1");
  CHECK(error_of([&] { (void)paired_bootstrap({}, {}); }) ==
        "paired_bootstrap: the number of values must be in [2, 2^31], but is 0");
  CHECK(error_of([&] { (void)paired_bootstrap(two, one); }) ==
        "paired_bootstrap: b.size() must be a.size() = 2, but is 1");
  CHECK(error_of([&] { (void)paired_bootstrap(two, std::vector<double>{1, nan}); }) ==
        "paired_bootstrap: value 1 must be finite, but is nan");
  CHECK(error_of([&] { (void)bootstrap_interval(std::vector<double>{INFINITY, 1}); }) ==
        "bootstrap_interval: value 0 must be finite, but is inf");
  CHECK(error_of([&] { (void)bootstrap_interval(two, {.level = 1}); }) ==
        "bootstrap_interval: level must be in (0, 1), but is 1");
  CHECK(error_of([&] { (void)bootstrap_interval(two, {.resamples = 99}); }) ==
        "bootstrap_interval: resamples must be at least 100, but is 99");
  const auto ratio = [](std::span<const double> values) { return 1 / (values[0] - values[1]); };
  CHECK(error_of([&] { (void)bootstrap_interval(two, ratio); }) ==
        "bootstrap_interval: the statistic of the values drawn anew must be finite, but is inf");
}

TEST_CASE("median: the middle value, or the mean of the two in the middle") {
  CHECK(median(std::vector<double>{3}) == 3);
  CHECK(median(std::vector<double>{5, 1, 3}) == 3);
  CHECK(median(std::vector<double>{4, 1, 3, 2}) == 2.5);
  CHECK(median(std::vector<double>{2, 2, 1, 9}) == 2);
  CHECK(std::isnan(median({})));
}

}  // namespace bootstrap_test
