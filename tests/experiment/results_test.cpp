// What finished jobs came to: chosen by factors, over seeds, in pairs, and as tables.

#include <regimen/experiment/cost.hpp>
#include <regimen/experiment/over_seeds.hpp>
#include <regimen/experiment/results.hpp>
#include <regimen/experiment/results_table.hpp>
#include <regimen/report/csv.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/histories.hpp"
#include "support/numbers.hpp"

namespace results_test {

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

/// A job of two epochs that fits so much of its labels, and is scored at the end.
ex::Result result(const std::string& start, const std::string& seed, double accuracy, double fit = 1) {
  ex::Result job{.job = start + "-" + seed,
                 .factors = {{"start", start}, {"seed", seed}},
                 .score = {.accuracy = accuracy, .loss = 1, .samples = 100},
                 .has_score = true};
  for (const int epoch : {1, 2}) {
    rg::Epoch& each = job.history.epochs.emplace_back();
    each.phase = "train";
    each.clock.epoch = epoch;
    each.clock.step = 10 * epoch;
  }
  job.history.epochs.back().fit = {.accuracy = fit, .loss = 0.5, .samples = 50};
  job.history.outcomes.push_back({.phase = "train", .ended = rg::Ended::epochs});
  return job;
}

ex::Results two_starts() {
  return ex::Results({result("random", "1", 0.8), result("labels", "1", 0.75), result("random", "2", 0.9),
                      result("labels", "2", 0.7), result("random", "3", 0.85)});
}

ex::OverSeeds over(const ex::Results& results, const std::string& start) {
  return ex::over_seeds(results.where({{"start", start}}));
}

}  // namespace

TEST_CASE("results: factors choose jobs, in their order") {
  const ex::Results results = two_starts();
  CHECK(results.where({{"start", "labels"}}).jobs() == std::vector<std::string>{"labels-1", "labels-2"});
  CHECK(results.where({{"start", "labels"}, {"seed", "2"}}).jobs() == std::vector<std::string>{"labels-2"});
  CHECK(results.where({}).size() == 5);
  CHECK(results.where({{"start", "none"}}).empty());
  REQUIRE(results.find({{"seed", "2"}}) != nullptr);
  CHECK(results.find({{"seed", "2"}})->job == "random-2");
  CHECK(results.find({{"seed", "4"}}) == nullptr);
  CHECK(results.where({{"seed", "2"}}).values([](const ex::Result& each) { return each.score.accuracy; }) ==
        std::vector<double>{0.9, 0.7});
  CHECK(error_of([&] { (void)results.where({{"width", "4"}}); }) ==
        "the job random-1 has no factor \"width\": see ExpectedJob::factors of its plan");
}

TEST_CASE("results: a unit is complete once all its jobs are there") {
  const ex::Plan plan{{"1", {{.name = "random-1"}, {.name = "labels-1"}}},
                      {"3", {{.name = "random-3"}, {.name = "x"}}}};
  CHECK(ex::complete_units(plan, two_starts()) == 1);
  CHECK(ex::complete_units(plan, {}) == 0);
}

TEST_CASE("over seeds: mean accuracy in percent, the least fit, mean epochs and measures") {
  ex::Results results({result("random", "1", 0.8, 0.9), result("random", "2", 0.9)});
  results.begin()->history.epochs.back().measures["norm"] = 3;
  results.begin()->history.epochs.back().clock.epoch = 6;
  CHECK(std::isnan(ex::over_seeds(results).mean_measure("norm")));  // one lacks it
  (results.end() - 1)->history.epochs.back().measures["norm"] = 5;
  const ex::OverSeeds seeds = ex::over_seeds(results);
  CHECK(seeds.seeds == std::vector<std::string>{"1", "2"});
  CHECK(seeds.mean_accuracy.mean == Approx(85));
  CHECK(seeds.mean_accuracy.half_width == Approx(12.706204736 * 5));  // t of 1 degree of freedom, standard error 5
  CHECK(seeds.least_fit == 0.9);
  CHECK(seeds.epochs == 4);
  CHECK(seeds.mean_measure("norm") == 4);
  CHECK(seeds.diverged.empty());
  CHECK(ex::over_seeds({}).mean_accuracy.n == 0);
}

TEST_CASE("over seeds: without a score at the end it is the last epoch's, and NaN fits nothing") {
  ex::Result job = result("random", "1", 0.8, std::numeric_limits<double>::quiet_NaN());
  job.has_score = false;
  job.history.epochs.back().test.accuracy = 0.25;
  job.history.outcomes.back().ended = rg::Ended::diverged;
  const ex::OverSeeds seeds = ex::over_seeds(ex::Results({job}));
  CHECK(seeds.mean_accuracy.mean == 25);
  CHECK(seeds.least_fit == 0);
  CHECK(seeds.diverged == std::vector<std::string>{"1"});
  ex::Result infinite = result("random", "1", 0.1);
  infinite.score.loss = std::numeric_limits<double>::infinity();
  CHECK(infinite.diverged());
  CHECK_FALSE(result("random", "1", 0.1).diverged());
}

TEST_CASE("over seeds: two jobs of one seed differ in something else, which is an error") {
  CHECK(error_of([] { (void)ex::over_seeds(two_starts()); }) ==
        "over_seeds: labels-1 is the second job with seed 1: the jobs differ in more than their seed; say which by "
        "Results::where");
}

TEST_CASE("over seeds: arms are compared on the seeds that both have, pair by pair") {
  const ex::Results all = two_starts();
  CHECK(error_of([&] { (void)ex::paired_by_seed(over(all, "random"), over(all, "labels")); }) ==
        "paired_by_seed: the two arms have different seeds; take those that both have by `seeds_of_all`");
  const std::vector<std::string> seeds =
      ex::seeds_of_all({all.where({{"start", "random"}}), all.where({{"start", "labels"}})});
  CHECK(seeds == std::vector<std::string>{"1", "2"});
  CHECK(ex::seeds_of_all({}).empty());
  const ex::Results both = ex::of_seeds(all, seeds);
  const rg::Interval lost = ex::paired_by_seed(over(both, "random"), over(both, "labels"));
  CHECK(lost.mean == Approx(12.5));  // 5 and 20 points
  CHECK(lost.half_width == Approx(12.706204736 * 7.5));
  CHECK(lost.n == 2);
}

TEST_CASE("results table: jobs that prepare others have no row, and a measure that was not taken is empty") {
  ex::Results results({result("random", "1", 0.8), result("labels", "1", 0.75, 0.5)});
  (results.end() - 1)->history.epochs.back().measures["norm"] = 3;
  ex::Result prepares = result("labels", "2", 0);
  prepares.has_score = false;
  results.add(prepares);
  CHECK(rg::report::csv(ex::table_of(results)) ==
        "start,seed,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy,norm\n"
        "random,1,2,20,epochs,1.0000,,0.8000,\n"
        "labels,1,2,20,epochs,0.5000,,0.7500,3.0000\n");
  prepares.history.epochs.back().test.accuracy = 0.125;
  CHECK(rg::report::csv(ex::table_of(ex::Results({prepares}))) ==
        "start,seed,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy\n"
        "labels,2,2,20,epochs,1.0000,,0.1250\n");
}

TEST_CASE("results table: every epoch has a line behind its factors, those that prepare others first") {
  ex::Results results({result("random", "a,b", 0.8)});
  ex::Result prepares = result("labels", "2", 0);
  prepares.has_score = false;
  results.add(prepares);
  const std::string csv = ex::epochs_csv(results);
  CHECK(csv.rfind("start,seed,phase,epoch,step,learning_rate,", 0) == 0);
  CHECK(csv.find("\nlabels,2,train,1,10,") < csv.find("\nlabels,2,train,2,20,"));
  CHECK(csv.find("\nlabels,2,train,2,20,") < csv.find("\nrandom,\"a,b\",train,1,10,"));
  CHECK(csv.find("\nrandom,\"a,b\",train,2,20,") != std::string::npos);
  ex::Result other = result("random", "3", 0.8);
  other.factors = {{"seed", "3"}};
  results.add(other);
  CHECK(error_of([&] { (void)ex::epochs_csv(results); }) ==
        "the jobs random-a,b and random-3 have different factors: ExpectedJob::factors must name the same, in one "
        "order, for all jobs");
}

TEST_CASE("cost: what a training is shown follows from its length") {
  // 10 epochs of 100 images; 30 scored at epochs 4, 8 and 10; fit alone 5 times; 7 at the end.
  const ex::Shown shown =
      ex::shown({.epochs = 10, .images = 100, .each_point = 30, .every = 4, .fit_every = 2, .at_end = 7});
  CHECK(shown.training == 1000);
  CHECK(shown.scoring == 3 * 30 + 5 * 100 + 7);
  CHECK(ex::shown({.epochs = 3, .images = 10}).scoring == 0);
}

}  // namespace results_test
