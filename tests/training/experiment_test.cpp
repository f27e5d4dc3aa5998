// Jobs of a results folder, and an experiment conducted whole, by units, and resumed.

#include "training/helpers.hpp"

#include <regimen/experiment/conduct.hpp>
#include <regimen/experiment/job.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <stop_token>

namespace experiment_test {

using namespace training;
namespace {

namespace ex = rg::experiment;

ex::Task resumed() {
  ex::Task task;
  task.resume = true;
  task.quiet = true;
  return task;
}

ex::Task quiet() {
  ex::Task task;
  task.quiet = true;
  return task;
}

/// A training of a few epochs on points, with everything that it needs.
struct Training {
  explicit Training(double rate = 0.1, int epochs = 4)
      : data(points(60, 3)), net(network()), sgd(net->parameters(), torch::optim::SGDOptions(rate).momentum(0.9)) {
    job = {.name = "a",
           .phases = {{.name = "train", .data = data, .optimizer = sgd, .epochs = epochs, .batch = 20}},
           .scoring = {.test = data}};
  }

  rg::Batch data;
  torch::nn::Sequential net;
  torch::optim::SGD sgd;
  ex::Job job{};
};

ex::TimeLeft one_job() {
  return ex::TimeLeft({{{"a", "kind", 1}}}, 1, false);
}

std::string content(const std::string& path) {
  return ex::read_file(path);
}

/// Three units of one training; a plan says how many epochs.
class Three : public ex::Experiment {
 public:
  explicit Three(std::string folder) : folder_(std::move(folder)) {}

  [[nodiscard]] ex::FolderContents contents() const override {
    return {.path = folder_,
            .settings = [](const std::string& plan) { return R"({"type": "Three", "plan": ")" + plan + "\"}\n"; },
            .results = {"table.txt"}};
  }
  void load() override { ++loads; }
  [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
    ex::Plan units;
    for (const std::string name : {"one", "two", "three"}) {
      units.push_back({name, {{name + "-train", "train", ex::cost({.training = 100}, "net", paces)}}});
    }
    return units;
  }
  void train(const std::string& unit, ex::Jobs& jobs) override {
    trained += unit + " ";
    Training training(0.1, epochs);
    training.job.name = unit + "-train";
    training.job.phases[0].seed = unit.size();
    jobs.run(training.job, training.net, training.sgd);
  }
  bool show_results() override {
    std::string table;
    bool all = true;
    for (const ex::Unit& unit : plan({})) {
      const auto history = ex::JobFiles{folder_, unit.jobs[0].name}.history();
      all = all && history.has_value();
      table += unit.name + " " + (history ? rg::detail::text(history->back().train_loss) : "-") + "\n";
    }
    ex::write_file(folder_ + "/table.txt", table);
    return all;
  }
  ex::Paces measure() override { return {{"net", {.training = 100, .scoring = 100}}}; }
  void keep_to(const std::string& plan) override { epochs = std::stoi(plan); }
  Sized fit(double /*passed*/, const ex::Paces& /*paces*/) override { return {"1", "An epoch."}; }

  int loads = 0;
  int epochs = 2;
  std::string trained{};

 private:
  std::string folder_;
};

}  // namespace

TEST_CASE("jobs: one leaves logs, a manifest, a checkpoint, and a history at its end") {
  const Folder folder;
  Training training;
  bool at_end = false;
  training.job.at_end = [&] { at_end = true; };
  const ex::JobFiles files{folder / "out", "a"};
  CHECK_FALSE(files.history());
  const rg::History history =
      ex::Jobs(folder / "out", quiet(), one_job()).run(training.job, training.net, training.sgd);
  CHECK(at_end);
  REQUIRE(files.history());
  CHECK(files.history()->size() == history.size());
  CHECK(content(files.epochs()).find("train,4,12") != std::string::npos);
  CHECK_FALSE(content(files.seconds()).empty());
  ex::write_manifest(folder / "out", "{\"type\": \"S\"}", {"a"});
  CHECK(content(folder / "out/manifest.json").rfind("{\"settings\": {\"type\": \"S\"},\n \"jobs\": {\n  \"a\": {", 0) ==
        0);
}

TEST_CASE("jobs: a stopped one goes on where it was, and ends in the same bits") {
  const Folder folder;
  Training whole;
  ex::Jobs(folder / "whole", quiet(), one_job()).run(whole.job, whole.net, whole.sgd);

  std::stop_source stop;
  ex::Task task = quiet();
  task.stop = stop.get_token();
  {
    Training training;
    training.job.scoring.measures["stop"] = [&](const rg::Model&) {
      stop.request_stop();
      return 0.0;
    };
    CHECK_THROWS_AS(ex::Jobs(folder / "parts", task, one_job()).run(training.job, training.net, training.sgd),
                    ex::Interrupted);
    CHECK_FALSE(ex::JobFiles{folder / "parts", "a"}.history());
  }
  Training training;
  ex::Jobs(folder / "parts", resumed(), one_job()).run(training.job, training.net, training.sgd);
  CHECK(same(weights(training.net), weights(whole.net)));
}

TEST_CASE("jobs: one that diverges is at its end, though its checkpoint has finite weights") {
  const Folder folder;
  Training training(1e30);
  ex::Jobs(folder / "out", quiet(), one_job()).run(training.job, training.net, training.sgd);
  const ex::JobFiles files{folder / "out", "a"};
  CHECK_FALSE(content(files.divergence()).empty());
  REQUIRE(files.history());
  CHECK(files.history()->ended() == rg::Ended::diverged);
}

TEST_CASE("jobs: a score comes back from its file to the last bit, NaN too") {
  const Folder folder;
  CHECK_FALSE(ex::read_score(folder / "none"));
  ex::write_score(folder / "score",
                  {.accuracy = 1.0 / 3, .loss = -std::numeric_limits<double>::quiet_NaN(), .samples = 7});
  const auto score = ex::read_score(folder / "score");
  REQUIRE(score);
  CHECK(score->accuracy == 1.0 / 3);
  CHECK(std::isnan(score->loss));
  CHECK(score->samples == 7);
}

TEST_CASE("conduct: units one by one and collected are what a whole run is") {
  const Folder folder;
  Three whole(folder / "whole");
  ex::conduct(whole, quiet(), {});
  CHECK(whole.trained == "one two three ");
  CHECK_FALSE(content(folder / "whole/complete").empty());

  ex::Task task = quiet();
  for (const char* const name : {"three", "one"}) {
    Three parts(folder / "parts");
    task.unit = name;
    ex::conduct(parts, task, {});
    CHECK(parts.trained == name + std::string(" "));
  }
  Three parts(folder / "parts");
  task.unit.clear();
  task.collect = true;
  ex::conduct(parts, task, {});
  CHECK(parts.loads == 0);
  CHECK(content(folder / "parts/table.txt").find("two -") != std::string::npos);
  CHECK(content(folder / "parts/complete").empty());
  CHECK_THROWS_AS(ex::conduct(parts, quiet(), {}), rg::Error);  // it would remove two units

  ex::conduct(parts, resumed(), {});
  CHECK(parts.trained == "two ");
  CHECK(content(folder / "parts/table.txt") == content(folder / "whole/table.txt"));
}

TEST_CASE("conduct: a unit that another process holds, or that no plan has, is an error") {
  const Folder folder;
  Three three(folder / "out");
  ex::Task task = quiet();
  task.unit = "four";
  CHECK_THROWS_AS(ex::conduct(three, task, {}), rg::Error);
  CHECK(three.loads == 0);
  task.unit = "two";
  const rg::Lock held((folder / "out") + "/locks/two");
  CHECK_THROWS_WITH(ex::conduct(three, task, {}), "another process works on two: wait for it, or train another unit");
  CHECK(three.trained.empty());
}

TEST_CASE("conduct: what a budget leaves is kept to by a resumed run") {
  const Folder folder;
  Three three(folder / "out");
  ex::Task task = quiet();
  task.budget = 10;
  ex::conduct(three, task, {});
  CHECK(content(folder / "out/plan") == "1");
  CHECK(ex::JobFiles{folder / "out", "one-train"}.history()->size() == 1);
  std::filesystem::remove(ex::JobFiles{folder / "out", "one-train"}.checkpoint());
  Three again(folder / "out");
  ex::conduct(again, resumed(), {});
  CHECK(again.epochs == 1);
  CHECK(again.trained == "one ");
}

}  // namespace experiment_test
