#include <algorithm>
#include <string>
#include <vector>

#include <regimen/experiment/budget.hpp>

#include "support/numbers.hpp"

using namespace regimen::experiment;

namespace {

/// So many seeds of so many images.
struct Cut {
  int seeds = 0;
  int images = 0;
};

double seconds(const Cut& cut) {
  return cut.seeds * (2.0 + cut.images / 100.0);
}

/// Images go first, then seeds.
std::vector<Cut> cuts() {
  std::vector<Cut> all;
  for (int images = 1000; images >= 500; images -= 50) {
    all.push_back({5, images});
  }
  for (int seeds = 4; seeds >= 3; --seeds) {
    all.push_back({seeds, 500});
  }
  return all;
}

}  // namespace

TEST_CASE("budget: what fits is the longest of all cuts that do") {
  for (double budget = 0; budget < 70; budget += 0.5) {
    double longest = -1;
    for (const Cut& cut : cuts()) {
      longest = seconds(cut) <= budget ? std::max(longest, seconds(cut)) : longest;
    }
    const Fitted<Cut> fitted = first_that_fits(budget, cuts(), seconds);
    CHECK(fitted.fits == (longest >= 0));
    CHECK(fitted.seconds == (longest >= 0 ? longest : seconds({3, 500})));
    CHECK(fitted.seconds == seconds(fitted.cut));
  }
}

TEST_CASE("budget: without a cut there is nothing to fit") {
  CHECK_THROWS_AS(first_that_fits(1, std::vector<Cut>{}, seconds), regimen::Error);
}

TEST_CASE("budget: a share is the largest that fits, to nine digits") {
  for (const double limit : {0.001, 0.3, 0.999}) {
    CHECK(largest_share([&](double share) { return share <= limit; }) == Approx(limit).epsilon(1e-9));
  }
  CHECK(largest_share([](double) { return false; }) == 1e-9);
  CHECK(largest_share([](double) { return false; }, 0.1) == 0.1);
}

TEST_CASE("budget: a part is kept in reserve, and what has passed counts") {
  const auto fit = [](double limit) { return first_that_fits(limit, cuts(), seconds); };
  // 0.5 * 100 - 10 = 40 s leave 5 seeds of 600 images.
  CHECK(fit_to_budget({.seconds = 100, .planned = 0.5}, 10, fit).cut.images == 600);
  CHECK(fit_to_budget({.seconds = 100, .planned = 1}, 10, fit).cut.images == 1000);
}

TEST_CASE("budget: one that is too small names one that is enough, or leaves the smallest") {
  const auto fit = [](double limit) { return first_that_fits(limit, cuts(), seconds); };
  // The smallest takes 21 s: 1.1 * (21 + 5) / 0.8 = 35.75.
  CHECK_THROWS_WITH(fit_to_budget({.seconds = 10}, 5, fit),
                    "--budget must be at least about 36s here, but is 10s: the smallest experiment takes 21 s");
  CHECK(fit_to_budget({.seconds = 36}, 5, fit).fits);
  const auto smallest = fit_to_budget({.seconds = 10, .must_fit = false}, 5, fit);
  CHECK_FALSE(smallest.fits);
  CHECK(smallest.cut.seeds == 3);
}

TEST_CASE("budget: what came of it in a sentence") {
  const Fitted<Cut> whole{.seconds = 50};
  CHECK(sentence_of(whole, "", 60, " Hm.") == "The whole experiment fits into 1 min 00 s.");
  CHECK(sentence_of(whole, "3 seeds instead of 5", 60, " Hm.") == "To fit into 1 min 00 s: 3 seeds instead of 5. Hm.");
  const Fitted<Cut> large{.seconds = 90, .fits = false};
  CHECK(sentence_of(large, "3 seeds instead of 5", 60, " Hm.") ==
        "Even the smallest experiment, 3 seeds instead of 5, takes about 1 min 30 s, more than 1 min 00 s. Hm.");
  CHECK(sentence_of(large, "", 60, " Hm.") == "The experiment takes about 1 min 30 s, more than 1 min 00 s.");
}
