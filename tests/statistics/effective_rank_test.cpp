// Effective ranks of spectra, and means over pairs.

#include <regimen/statistics.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/coverage.hpp"
#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace effective_rank_test {

namespace {

using coverage::check_coverage;
using coverage::Draws;
using Values = std::vector<double>;

}  // namespace

TEST_CASE("effective ranks: those of 4, 2, 1, 1 in any order and scale") {
  for (const double scale : {1.0, 1e-200, 1e200}) {
    const Values spectrum = {scale, 4 * scale, 2 * scale, scale};
    CAPTURE(scale);
    CHECK(regimen::effective_rank(spectrum) == Approx(2).epsilon(1e-14));
    CHECK(regimen::effective_rank(spectrum, 1) == Approx(2).epsilon(1e-14));
    CHECK(regimen::effective_rank(spectrum, 3) == 1);
    CHECK(regimen::squared_effective_rank(spectrum) == Approx(64.0 / 22).epsilon(1e-14));
    CHECK(regimen::squared_effective_rank(spectrum, 1) == Approx(16.0 / 6).epsilon(1e-14));
    CHECK(regimen::entropy_rank(spectrum) == Approx(std::pow(2, 1.75)).epsilon(1e-14));
    CHECK(regimen::stable_rank(spectrum) == Approx(1.375).epsilon(1e-14));
  }
  CHECK(std::pow(2, 1.75) == Approx(3.3635856610).epsilon(1e-9));
}

TEST_CASE("effective ranks: equal values count all, one counts one, zeros none") {
  const Values equal(7, 0.3);
  const Values one = {0, 5, 0};
  CHECK(regimen::effective_rank(equal) == Approx(7));
  CHECK(regimen::squared_effective_rank(equal) == Approx(7));
  CHECK(regimen::entropy_rank(equal) == Approx(7));
  CHECK(regimen::stable_rank(equal) == Approx(7));
  CHECK(regimen::effective_rank(one) == 1);
  CHECK(regimen::squared_effective_rank(one) == 1);
  CHECK(regimen::entropy_rank(one) == 1);
  CHECK(regimen::stable_rank(one) == 1);
  CHECK(std::isnan(regimen::effective_rank(one, 1)));
  CHECK(std::isnan(regimen::entropy_rank(Values{0, 0})));
  CHECK(std::isnan(regimen::stable_rank(Values{0})));
}

TEST_CASE("benign_split: the first k whose tail has an effective rank of at least b n") {
  const Values spectrum = {4, 2, 1, 1, 1, 1};  // r_0 = 10 / 4, r_1 = 6 / 2, r_2 = 4, then 3, 2, 1
  CHECK(regimen::benign_split(spectrum, 2, 1.25) == 0);
  CHECK(regimen::benign_split(spectrum, 3) == 1);
  CHECK(regimen::benign_split(spectrum, 2, 2) == 2);
  CHECK_FALSE(regimen::benign_split(spectrum, 5).has_value());
  CHECK_FALSE(regimen::benign_split(Values{0, 0}, 1).has_value());
}

TEST_CASE("effective ranks: no values, negative ones and k out of range are errors") {
  CHECK(error_of([] { (void)regimen::effective_rank(Values{}); }) ==
        "effective_rank: spectrum.size() must be at least 1, but is 0");
  CHECK(error_of([] { (void)regimen::entropy_rank(Values{1, -1}); }) ==
        "entropy_rank: spectrum[1] must be finite and at least 0, but is -1");
  CHECK(error_of([] { (void)regimen::stable_rank(Values{std::numeric_limits<double>::quiet_NaN()}); }) ==
        "stable_rank: spectrum[0] must be finite and at least 0, but is nan");
  CHECK(error_of([] { (void)regimen::squared_effective_rank(Values{1, 2}, 2); }) ==
        "squared_effective_rank: k must be less than spectrum.size() = 2, but is 2");
  CHECK(error_of([] { (void)regimen::benign_split(Values{1}, 0); }) == "benign_split: n must be at least 1, but is 0");
}

TEST_CASE("mean_over_pairs: mean, range, and the jackknife over members by hand") {
  // Three members: without one, a single pair is left, so the jackknife's values are 1, 2, 6 around their mean 3.
  const Values pairs = {0, 1, 2, 1, 0, 6, 2, 6, 0};
  const regimen::PairsMean found = regimen::mean_over_pairs(pairs, 3);
  CHECK(found.mean == 3);
  CHECK(found.least == 1);
  CHECK(found.largest == 6);
  CHECK(found.members == 3);
  CHECK(found.half_width == Approx(4.302652729911275 * std::sqrt((4.0 + 1 + 9) * 2 / 3)).epsilon(1e-9));
  CHECK(found.low() == found.mean - found.half_width);
}

TEST_CASE("mean_over_pairs: two members have a mean without an interval, one has nothing") {
  const regimen::PairsMean two = regimen::mean_over_pairs(Values{0, 0.25, 0.25, 0}, 2);
  CHECK(two.mean == 0.25);
  CHECK(std::isnan(two.half_width));
  CHECK(std::isnan(regimen::mean_over_pairs(Values{0}, 1).mean));
  CHECK(regimen::mean_over_pairs(Values{NAN, 1, 1, 7}, 2).mean == 1);  // the diagonal is not read
}

TEST_CASE("mean_over_pairs: other sizes, asymmetry and NaN are errors") {
  CHECK(error_of([] { (void)regimen::mean_over_pairs(Values{1, 2}, 2); }) ==
        "mean_over_pairs: of_pairs.size() must be k^2 = 4, but is 2");
  CHECK(error_of([] { (void)regimen::mean_over_pairs(Values{0, 1, 2, 0}, 2); }) ==
        "mean_over_pairs: of_pairs[0, 1] must be that of the same pair, 2, but is 1");
  CHECK(error_of([] { (void)regimen::mean_over_pairs(Values{0, NAN, NAN, 0}, 2); }) ==
        "mean_over_pairs: of_pairs[0, 1] must be finite, but is nan");
}

TEST_CASE("pairs coverage: the mean of |x - y| over all pairs of 10 uniform numbers, 1 / 3") {
  check_coverage([](Draws& draws, std::uint64_t) {
    const Values x = draws.of(10, [&] { return draws.uniform(); });
    Values pairs;
    for (const double a : x) {
      for (const double b : x) {
        pairs.push_back(std::abs(a - b));
      }
    }
    const regimen::PairsMean found = regimen::mean_over_pairs(pairs, 10);
    return found.low() <= 1.0 / 3 && 1.0 / 3 <= found.high();
  });
}

}  // namespace effective_rank_test
