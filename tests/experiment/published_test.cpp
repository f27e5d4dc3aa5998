// Results that are read back from the tables that every experiment writes.

#include <regimen/experiment/copy_published.hpp>
#include <regimen/experiment/files.hpp>
#include <regimen/experiment/over_seeds.hpp>
#include <regimen/experiment/published.hpp>
#include <regimen/experiment/results_table.hpp>
#include <regimen/report/csv.hpp>

#include <cmath>
#include <filesystem>
#include <string>

#include "support/histories.hpp"
#include "support/numbers.hpp"

#include "support/folder.hpp"

namespace published_test {

namespace ex = regimen::experiment;
namespace rg = regimen;

namespace {

/// A job of two phases and three epochs, scored at its end unless it prepares others.
ex::Result result(const std::string& what, const std::string& seed, bool scored) {
  ex::Result job{.job = what + "-" + seed, .factors = {{"arm", what}, {"seed", seed}}, .has_score = scored};
  for (const int epoch : {1, 2, 1}) {
    rg::Epoch& each = job.history.epochs.emplace_back();
    each.phase = "train";
    each.clock.epoch = epoch;
    each.clock.step = 10 * static_cast<int>(job.history.size());
    each.clock.phase = job.history.size() == 3 ? 1 : 0;
    each.learning_rate = 0.1;
    each.train_loss = 1.0 / epoch;
  }
  rg::Epoch& last = job.history.epochs.back();
  last.fit = {.accuracy = 0.987654321, .loss = 0.5, .samples = 1};
  job.history.outcomes = {{"train", rg::Ended::criterion, last.clock}};
  if (scored) {
    last.measures["norm"] = 2.5;
    job.score = {.accuracy = 0.75, .loss = 0, .samples = 1};
  }
  return job;
}

ex::Plan plan() {
  const auto job = [](const std::string& what, bool scored) {
    return ex::ExpectedJob{.name = what + "-1", .factors = {{"arm", what}, {"seed", "1"}}, .scored = scored};
  };
  return {{"one", {job("memorize", false), job("a, b", true), job("missing", true)}}};
}

ex::Plan plan_with_second_seed() {
  ex::Plan all = plan();
  all[0].jobs.push_back({.name = "a, b-2", .factors = {{"arm", "a, b"}, {"seed", "2"}}, .scored = true});
  return all;
}

/// Writes the tables into this folder, and returns its path.
std::string filled(const Folder& temporary, const ex::Results& results, bool epochs) {
  std::string folder = temporary / "published";
  ex::write_file(folder + "/results.csv", rg::report::csv(ex::table_of(results)));
  if (epochs) {
    ex::write_file(folder + "/epochs.csv", ex::epochs_csv(results));
  }
  return folder;
}

}  // namespace

TEST_CASE("read_published: what the tables have is what was written") {
  const Folder temporary;
  const ex::Results written{{result("memorize", "1", false), result("a, b", "1", true), result("a, b", "2", true)}};
  const ex::Results read = ex::read_published(filled(temporary, written, true), plan_with_second_seed());
  CHECK(read.jobs() == std::vector<std::string>{"memorize-1", "a, b-1", "a, b-2"});
  const ex::Result& first = *written.begin();
  CHECK(read.begin()->history.epochs == first.history.epochs);
  const ex::Result& scored = *(read.begin() + 1);
  CHECK(scored.history == (written.begin() + 1)->history);
  CHECK(scored.score.accuracy == 0.75);
  CHECK(std::isnan(scored.score.loss));  // in no table
  CHECK(scored.has_score);
  CHECK(!scored.diverged());
  CHECK(ex::over_seeds(read.where({{"arm", "a, b"}})).mean_accuracy.mean == 75);
}

TEST_CASE("read_published: a row that is not in the plan is an error, and so are none") {
  const Folder temporary;
  const ex::Results written{{result("memorize", "1", false), result("a, b", "1", true), result("a, b", "2", true)}};
  const std::string folder = filled(temporary, written, true);
  const auto message = [&] { return error_of([&] { (void)ex::read_published(folder, plan()); }); };
  CHECK(message().find("results.csv has a row of arm = a, b, seed = 2, which is not in the plan of these options: give "
                       "the options that the results were made with") != std::string::npos);
  const std::string heads = "arm,seed,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy\n";
  ex::write_file(folder + "/results.csv", heads);
  CHECK(message().find("epochs.csv has a row of arm = a, b, seed = 2") != std::string::npos);
  std::filesystem::remove(folder + "/epochs.csv");
  CHECK(message().find("results.csv has no row of any job of the plan") != std::string::npos);
  const std::string row = "\"a, b\",1,1,10,epochs,1,,0.5\n";
  ex::write_file(folder + "/results.csv", heads + row + row);
  CHECK(message().find("results.csv has two rows of arm = a, b, seed = 1") != std::string::npos);
}

TEST_CASE("read_published: a network that diverged in its last step is still known as one") {
  const Folder temporary;
  ex::Result diverged = result("a, b", "1", true);
  diverged.score.loss = rg::unknown;
  REQUIRE(diverged.diverged());
  const ex::Results read = ex::read_published(filled(temporary, ex::Results{{diverged}}, true), plan());
  CHECK(read.begin()->diverged());
}

TEST_CASE("read_published: without epochs.csv a history is its last epoch") {
  const Folder temporary;
  const ex::Results written{{result("a, b", "1", true)}};
  const ex::Results read = ex::read_published(filled(temporary, written, false), plan());
  REQUIRE(read.size() == 1);
  CHECK(read.begin()->history.size() == 1);
  CHECK(read.begin()->history.back().clock.step == 30);
  CHECK(read.begin()->history.back().fit.accuracy == 0.9877);
  CHECK(read.begin()->measure("norm") == 2.5);
  CHECK(read.begin()->history.ended() == rg::Ended::criterion);
}

TEST_CASE("read_published: a folder of something else is an error that says so") {
  const Folder temporary;
  const std::string folder = temporary / "published";
  CHECK(error_of([&] { (void)ex::read_published(folder, plan()); }).find("there is no ") == 0);
  ex::write_file(folder + "/results.csv", "arm,seed\n1\n");
  CHECK(error_of([&] { (void)ex::read_published(folder, plan()); }).find("results.csv:2: a line must have 2 fields") !=
        std::string::npos);
  ex::write_file(folder + "/results.csv", "arm,ended,epochs\na,epochs,1\n");
  CHECK(error_of([&] { (void)ex::read_published(folder, plan()); }).find("has no column \"seed\"") !=
        std::string::npos);
  ex::write_file(folder + "/results.csv", ex::read_file(filled(temporary, {}, false) + "/results.csv"));
  ex::write_file(folder + "/epochs.csv", "seed,arm,phase\n");
  CHECK(error_of([&] {
          (void)ex::read_published(folder, plan());
        }).find("epochs.csv: column 1 must be the factor \"arm\"") != std::string::npos);
}

TEST_CASE("copy_published: tables and pictures alone, into a new folder alone") {
  const Folder temporary;
  const std::string from = filled(temporary, ex::Results{{result("a, b", "1", true)}}, true);
  ex::write_file(from + "/pictures/a.svg", "<svg/>");
  ex::write_file(from + "/checkpoints/a.pt", "weights");
  ex::write_file(from + "/manifest.json", "{}");
  const std::string out = temporary / "new";
  ex::copy_published(from, out);
  CHECK(ex::read_file(out + "/results.csv") == ex::read_file(from + "/results.csv"));
  CHECK(ex::read_file(out + "/pictures/a.svg") == "<svg/>");
  CHECK(ex::read_file(out + "/manifest.json") == "{}");
  CHECK(ex::read_file(out + "/shown-again.txt") == "published\n");
  CHECK(!std::filesystem::exists(out + "/checkpoints"));
  CHECK(error_of([&] { ex::copy_published(from, out); }).find(" is not empty: name another one with --out") !=
        std::string::npos);
  ex::write_file(temporary / "file", "");
  CHECK(error_of([&] { ex::copy_published(from + "/", temporary / "file/below"); }).find("cannot be copied to ") !=
        std::string::npos);
}

}  // namespace published_test
