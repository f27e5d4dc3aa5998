#include "100-bad-minima/table.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "100-bad-minima/plan.hpp"
#include "support/numbers.hpp"

namespace rg = regimen;

namespace {

Settings two_seeds() {
  Settings settings;
  settings.seeds = 2;
  settings.recipe.images = 5000;
  return settings;
}

rg::History history(double fit, rg::Ended ended) {
  rg::Epoch epoch;
  epoch.clock.epoch = 7;
  epoch.fit = {.accuracy = fit, .loss = 0.1, .samples = 800};
  epoch.measures["start_cosine"] = 0.5;
  rg::History result;
  result.epochs.push_back(epoch);
  result.outcomes.push_back({.phase = "phase", .ended = ended});
  return result;
}

/// Every arm of the settings at its end: from random 80 % and 90 %, from random labels 70 % and 88 %, and with each
/// seed a little more.
ex::Results everything(const Settings& settings) {
  ex::Results results;
  for (const Unit& unit : units_of(settings)) {
    if (unit.copies > 0) {
      results.add({unit.job(memorizing), unit.factors(memorizing), history(1, rg::Ended::criterion)});
    }
    for (const kit::Subset& set : sets_of(settings)) {
      const double accuracy = (set.none() ? 0.8 : 0.9) -
                              (unit.copies == 0 ? 0
                               : set.none()     ? 0.1
                                                : 0.02) +
                              0.01 * static_cast<double>(unit.seed * (unit.copies == 0 ? 2 : 1));
      rg::History at_end = history(1, rg::Ended::epochs);
      at_end.epochs.back().measures["log_frobenius"] = unit.copies == 0 ? 40 : 43.06;
      at_end.epochs.back().measures["adaptive_sharpness_value"] = unit.copies == 0 ? 0.1 : unit.seed == 1 ? 0.3 : 0.05;
      results.add({.job = unit.job(set.name),
                   .factors = unit.factors(set.name),
                   .history = at_end,
                   .score = {.accuracy = accuracy, .loss = 1, .samples = 10'000},
                   .has_score = true});
    }
  }
  return results;
}

/// The result of this job.
ex::Result& in(ex::Results& results, const std::string& job) {
  const auto found =
      std::find_if(results.begin(), results.end(), [&](const ex::Result& each) { return each.job == job; });
  REQUIRE(found != results.end());
  return *found;
}

ex::Results without(const ex::Results& results, const std::string& job) {
  ex::Results others;
  for (const ex::Result& each : results) {
    each.job == job ? void() : (void)others.add(each);
  }
  return others;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("report: the head says the images that there were, and the seeds") {
  const Settings settings = two_seeds();
  const std::string text = report(groups_of(everything(settings), settings), settings);
  CHECK(has(text, "pooled, 2 seeds, confusion set: 400 images x 2 copies"));
  CHECK(has(text, "hole (points)     training labels   epochs\nvanilla "));
}

TEST_CASE("report: measures of both starts, and the seeds that they tell") {
  const Settings settings = two_seeds();
  ex::Results results = everything(settings);
  const std::string text = report(groups_of(results, settings), settings);
  CHECK(has(text, "start left        log norms                adaptive sharpness"));
  CHECK(has(text, "vanilla                      0.50 0.50         40.0 43.1  2 of 2        0.100 0.175  1 of 2"));
  in(results, Unit{"pooled", 2, 1}.job("vanilla")).history.epochs.back().measures["log_frobenius"] =
      std::numeric_limits<double>::quiet_NaN();
  CHECK(has(report(groups_of(results, settings), settings), "40.0 -  1 of 1"));
}

TEST_CASE("report: both differences have their intervals, and both margins are told") {
  const Settings settings = two_seeds();
  const std::string text = report(groups_of(everything(settings), settings), settings);
  CHECK(has(text, "ends 11.5 points (95 % interval 5.1 to 17.9) below"));
  CHECK(has(text, "the difference is 3.5 points (95 % interval -2.9 to 9.9)."));
  CHECK(has(text,
            "both end above vanilla SGD from random: the random start by 10.0 points, the adversarial start by 6.5"));
}

TEST_CASE("report: a seed counts once all its arms are there, in every row and for the random labels") {
  const Settings settings = two_seeds();
  ex::Results results = everything(settings);
  const Unit second{"pooled", 2, 2};
  results = without(results, Unit{"pooled", 0, 2}.job("all three"));
  in(results, second.job(memorizing)).history = history(0.2, rg::Ended::epochs);
  const std::vector<Group> groups = groups_of(results, settings);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].seeds == std::vector<std::string>{"1"});
  CHECK(groups[0].memorized.least_fit == 1);
  for (const kit::Comparison& row : groups[0].rows) {
    CHECK(row.a.mean_accuracy.n == 1);
  }
  CHECK(has(report(groups, settings), "pooled, 1 of 2 seeds, "));
}

TEST_CASE("report: without a complete seed there are no rows") {
  const Settings settings = two_seeds();
  CHECK(groups_of({}, settings).empty());
  CHECK(has(report({}, settings), "nothing to compare"));
}

TEST_CASE("report: a diverged arm is named, and its row has no hole") {
  const Settings settings = two_seeds();
  ex::Results results = everything(settings);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ex::Result& arm = in(results, Unit{"pooled", 2, 2}.job("vanilla"));
  arm.history = history(nan, rg::Ended::diverged);
  arm.history.epochs.back().measures.clear();
  arm.score.accuracy = 0.1;
  const std::vector<Group> groups = groups_of(results, settings);
  const std::string text = report(groups, settings);
  CHECK(groups[0].seeds.size() == 2);
  CHECK(has(
      text,
      "vanilla                      83.00 +- 12.71    diverged          diverged          100.00   0.00 %   7 7\n"));
  CHECK(has(text, "vanilla                      0.50 -            40.0 -  1 of 1           0.100 -  1 of 1\n"));
  CHECK(has(text, "Diverged: vanilla from the adversarial start with seed 2.\n"));
  CHECK(has(text, "Arms diverged, so there is no answer"));
  CHECK(has(text, "all three                    93.00 +- 12.71    89.50 +- 6.35"));
}

TEST_CASE("report: an arm whose test loss is no number has diverged") {
  const Settings settings = two_seeds();
  ex::Results results = everything(settings);
  in(results, Unit{"pooled", 0, 2}.job("all three")).score.loss = std::numeric_limits<double>::quiet_NaN();
  CHECK(groups_of(results, settings)[0].rows[1].a.diverged == std::vector<std::string>{"2"});
}

TEST_CASE("report: random labels on which training diverged were not fitted") {
  const Settings settings = two_seeds();
  ex::Results results = everything(settings);
  in(results, Unit{"pooled", 2, 2}.job(memorizing)).history =
      history(std::numeric_limits<double>::quiet_NaN(), rg::Ended::diverged);
  const std::vector<Group> groups = groups_of(results, settings);
  CHECK(groups[0].memorized.least_fit == 0);
  CHECK(has(report(groups, settings), "The random labels were not fitted (0.00 % at least)"));
}
