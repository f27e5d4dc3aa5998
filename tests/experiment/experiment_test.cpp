// Jobs of a results folder, and an experiment conducted whole, by units, and resumed.

#include "support/training.hpp"

#include <regimen/experiment/conduct.hpp>
#include <regimen/experiment/done_file.hpp>
#include <regimen/experiment/errors.hpp>
#include <regimen/experiment/job.hpp>
#include <regimen/experiment/job_files.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <stop_token>
#include <thread>

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
      units.push_back({name,
                       {{.name = name + "-train",
                         .kind = "train",
                         .cost = ex::cost({.training = 100}, "net", paces),
                         .factors = {{"unit", name}}}}});
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
  void show(const ex::Results& results) override {
    std::string table;
    for (const std::string name : {"one", "two", "three"}) {
      const ex::Result* const result = results.find({{"unit", name}});
      table += name + " " + (result != nullptr ? rg::detail::text(result->history.back().train_loss) : "-") + "\n";
    }
    ex::write_file(folder_ + "/table.txt", table);
  }
  ex::Paces measure_pace() override { return {{"net", {.training = 100, .scoring = 100}}}; }
  void keep_to(const std::string& plan) override { epochs = std::stoi(plan); }
  Sized fit_to_budget(double /*passed*/, const ex::Paces& /*paces*/) override { return {"1", "An epoch."}; }

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

TEST_CASE("jobs: a tracker among the things hears the run, and is saved") {
  const Folder folder;
  Training training;
  rg::ForgettingEvents forgetting(training.data);
  const ex::JobFiles files{folder / "out", "a"};
  ex::Jobs(folder / "out", quiet(), one_job()).run(training.job, training.net, training.sgd, forgetting);
  CHECK(forgetting.seen().equal(torch::full({60}, 4, torch::kLong)));
  Training other;
  rg::ForgettingEvents loaded(other.data);
  rg::load_checkpoint(files.checkpoint(), other.net, other.sgd, loaded);
  CHECK(loaded.events().equal(forgetting.events()));
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

TEST_CASE("jobs: numbers without a training are computed once, and read by a resumed run") {
  const Folder folder;
  int computed = 0;
  const auto numbers = [&] {
    ++computed;
    return rg::Numbers{{"third", 1.0 / 3}, {"nothing", std::nan("")}, {"large", 1e300}};
  };
  const auto check = [](const rg::Numbers& got) {
    CHECK(got.size() == 3);
    CHECK(got.at("third") == 1.0 / 3);
    CHECK(std::isnan(got.at("nothing")));
    CHECK(got.at("large") == 1e300);
  };
  check(ex::Jobs(folder / "results", quiet(), one_job()).compute("a", numbers));
  check(ex::Jobs(folder / "results", resumed(), one_job()).compute("a", numbers));
  CHECK(computed == 1);
  check(ex::Jobs(folder / "results", quiet(), one_job()).compute("a", numbers));
  CHECK(computed == 2);

  const auto result = ex::read_result(folder / "results", {.name = "a"});
  REQUIRE(result.has_value());
  CHECK(result->measure("third") == 1.0 / 3);
  CHECK_FALSE(result->diverged());
  CHECK(content(ex::JobFiles{folder / "results", "a"}.manifest()) == "{\"type\": \"numbers\", \"name\": \"a\"}\n");
}

TEST_CASE("jobs: numbers that fail, or of a task that was stopped, leave no result") {
  const Folder folder;
  ex::Jobs jobs(folder / "results", quiet(), one_job());
  CHECK_THROWS_AS(jobs.compute("a", []() -> rg::Numbers { throw rg::Error("no"); }), rg::Error);
  std::stop_source stop;
  stop.request_stop();
  ex::Task stopped = quiet();
  stopped.stop = stop.get_token();
  CHECK_THROWS_AS(ex::Jobs(folder / "results", stopped, one_job()).compute("a", [] { return rg::Numbers{}; }),
                  ex::Interrupted);
  CHECK_FALSE(ex::read_result(folder / "results", {.name = "a"}).has_value());
}

TEST_CASE("jobs: a network that a function calls is trained by it, and saved") {
  const Folder folder;
  Training plain(0.1), called(0.1), again(0.1);
  ex::Jobs(folder / "plain", quiet(), one_job()).run(plain.job, plain.net, plain.sgd);
  int calls = 0;
  const auto how = [&calls](auto& net, const rg::Batch& batch) {
    ++calls;
    return net->forward(batch.data);
  };
  const rg::Model model(called.net, how), of_again(again.net, how);
  ex::Jobs(folder / "called", quiet(), one_job()).run(called.job, model, called.net, called.sgd);
  CHECK(calls > 0);
  CHECK(training::same(training::weights(plain.net), training::weights(called.net)));
  ex::Jobs(folder / "called", resumed(), one_job()).run(again.job, of_again, again.net, again.sgd);
  CHECK(training::same(training::weights(again.net), training::weights(called.net)));
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

TEST_CASE("job files: each kind has a folder, and each job a name in it") {
  const ex::JobFiles files{"out", "resnet-7"};
  CHECK(files.manifest() == "out/manifests/resnet-7.json");
  CHECK(files.epochs() == "out/epochs/resnet-7.csv");
  CHECK(files.seconds() == "out/seconds/resnet-7.csv");
  CHECK(files.checkpoint() == "out/checkpoints/resnet-7.pt");
  CHECK(files.divergence() == "out/checkpoints/resnet-7.diverged");
  CHECK(files.score() == "out/scores/resnet-7.csv");
}

TEST_CASE("job files: a file of a score is a header and a line, and one that was cut short holds none") {
  const Folder folder;
  const std::string path = folder / "out/scores/a.csv";  // its folders are made
  ex::write_score(path, {.accuracy = 0.75, .loss = 1e-300, .samples = 10'000'000'000});
  CHECK(content(path) == "test_accuracy,test_loss,test_samples\n0.75,1e-300,10000000000\n");
  const auto score = ex::read_score(path);
  REQUIRE(score);
  CHECK(score->accuracy == 0.75);
  CHECK(score->loss == 1e-300);
  CHECK(score->samples == 10'000'000'000);
  for (const std::string part :
       {"", "test_accuracy,test_loss,test_samples\n", "a,b,c\n0.75", "a,b,c\n0.75,1,", "a,b,c\n0.75,1,many\n"}) {
    CAPTURE(part);
    ex::write_file(path, part);
    CHECK_FALSE(ex::read_score(path));
  }
}

TEST_CASE("job files: a history is scored once both are there, and a damaged checkpoint is an Error that names it") {
  const Folder folder;
  const ex::JobFiles files{folder / "out", "a"};
  CHECK_FALSE(files.scored_history());
  Training training;
  ex::Jobs(folder / "out", quiet(), one_job()).run(training.job, training.net, training.sgd);
  CHECK_FALSE(files.scored_history());
  ex::write_score(files.score(), {.accuracy = 0.5, .loss = 1, .samples = 60});
  REQUIRE(files.scored_history());
  CHECK(files.scored_history()->size() == 4);

  const std::string whole = content(files.checkpoint());
  ex::write_file(files.checkpoint(), whole.substr(0, whole.size() / 2));
  CHECK(contains(error_of([&] { (void)files.history(); }), "a.pt"));
}

TEST_CASE("job files: the manifest of a folder has its settings and each job's manifest, in the order of the jobs") {
  const Folder folder;
  ex::write_file(ex::JobFiles{folder / "out", "b"}.manifest(), "{\"seed\": 2}");
  ex::write_file(ex::JobFiles{folder / "out", "a"}.manifest(), "{\"seed\": 1}");
  ex::write_manifest(folder / "out", "{\"epochs\": 3}", {"b", "a"});
  CHECK(content(folder / "out/manifest.json") ==
        "{\"settings\": {\"epochs\": 3},\n \"jobs\": {\n  \"b\": {\"seed\": 2},\n  \"a\": {\"seed\": 1}\n}}\n");
  ex::write_manifest(folder / "out", "{}", {});
  CHECK(content(folder / "out/manifest.json") == "{\"settings\": {},\n \"jobs\": {\n}}\n");
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

TEST_CASE("jobs: a job that is to be scored is at its end once the score is there") {
  const Folder folder;
  const ex::ExpectedJob expected{.name = "a", .factors = {{"seed", "1"}}, .scored = true};
  Training training;
  ex::Jobs(folder / "out", quiet(), one_job()).run(training.job, training.net, training.sgd);
  CHECK_FALSE(ex::read_result(folder / "out", expected));
  training.job.score = [] { return rg::Score{.accuracy = 0.25, .loss = 2, .samples = 60}; };
  ex::Jobs(folder / "out", resumed(), one_job()).run(training.job, training.net, training.sgd);
  const auto result = ex::read_result(folder / "out", expected);
  REQUIRE(result);
  CHECK(result->score.accuracy == 0.25);
  CHECK(result->history.size() == 4);
  CHECK(result->factor("seed") == "1");
  CHECK(ex::read_results(folder / "out", {{"one", {expected, {.name = "b"}}}}).jobs() == std::vector<std::string>{"a"});
}

TEST_CASE("conduct: the folder has a row for each job, a line for each epoch, and the manifests") {
  const Folder folder;
  Three three(folder / "out");
  ex::conduct(three, quiet(), {});
  const std::string rows = content(folder / "out/results.csv");
  CHECK(rows.rfind("unit,epochs,steps,ended,fit_accuracy,clean_accuracy,test_accuracy\none,2,6,epochs,", 0) == 0);
  CHECK(std::count(rows.begin(), rows.end(), '\n') == 4);
  const std::string epochs = content(folder / "out/epochs.csv");
  CHECK(std::count(epochs.begin(), epochs.end(), '\n') == 1 + 3 * 2);
  CHECK(content(folder / "out/manifest.json").find("\"three-train\": {") != std::string::npos);
}

TEST_CASE(
    "conduct: what the plan names and the training leaves undone is an error, not a folder that is never complete") {
  struct Forgetful : Three {
    using Three::Three;
    [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
      ex::Plan units = Three::plan(paces);
      units[0].jobs[0].scored = scored;
      units[1].jobs[0].name += other_name;
      return units;
    }
    bool scored = false;
    std::string other_name;
  };
  const Folder folder;
  Forgetful unscored(folder / "unscored");
  unscored.scored = true;
  CHECK_THROWS_WITH(ex::conduct(unscored, quiet(), {}),
                    "Experiment::train has trained the unit one, but its job one-train has no score: the plan says "
                    "ExpectedJob::scored, so give it a Job::score");
  Forgetful renamed(folder / "renamed");
  renamed.other_name = "-2";
  CHECK_THROWS_WITH(ex::conduct(renamed, quiet(), {}),
                    "Experiment::train has trained the unit two, but its job two-train-2 is not at its end: Jobs::run "
                    "or Jobs::compute "
                    "must be called with each job of the plan, by its name");
}

TEST_CASE("conduct: two jobs or units of one name are an error before anything is trained") {
  struct Twice : Three {
    using Three::Three;
    [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
      ex::Plan units = Three::plan(paces);
      (unit ? units[1].name : units[1].jobs[0].name) = unit ? units[0].name : units[0].jobs[0].name;
      return units;
    }
    bool unit = false;
  };
  const Folder folder;
  Twice twice(folder / "out");
  CHECK_THROWS_WITH(ex::conduct(twice, quiet(), {}),
                    "Experiment::plan: two jobs are called one-train and would write the same files; give each a name "
                    "of its own");
  twice.unit = true;
  CHECK_THROWS_WITH(ex::conduct(twice, quiet(), {}),
                    "Experiment::plan: two units are called one; give each a name of its own");
  CHECK(twice.trained.empty());
}

TEST_CASE("conduct: a unit's name that no command line could say is an error before anything is trained") {
  struct Named : Three {
    using Three::Three;
    [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
      ex::Plan units = Three::plan(paces);
      units[1].name = name;
      return units;
    }
    std::string name;
  };
  const Folder folder;
  Named named(folder / "out");
  for (const char* const name : {"", "a b", "a,b", "a/b", "it's", "@a", "-a", "{a}", "a;b", "$a", "a*", "17"}) {
    named.name = name;
    CAPTURE(named.name);
    CHECK_THROWS_AS(ex::conduct(named, quiet(), {}), rg::Error);
  }
  CHECK(named.trained.empty());

  struct Empty : Three {
    using Three::Three;
    [[nodiscard]] ex::Plan plan(const ex::Paces& paces) const override {
      ex::Plan units = Three::plan(paces);
      units[1].jobs.clear();
      return units;
    }
  };
  Empty empty(folder / "out");
  CHECK_THROWS_WITH(ex::conduct(empty, quiet(), {}),
                    "Experiment::plan: the unit two has no jobs; it could not be told when it is done");
}

TEST_CASE("conduct: a unit that another process holds, or that no plan has, is an error") {
  const Folder folder;
  Three three(folder / "out");
  ex::Task task = quiet();
  task.unit = "four";
  CHECK_THROWS_AS(ex::conduct(three, task, {}), ex::UsageError);
  CHECK(three.loads == 0);
  task.unit = "two";
  const rg::Lock held((folder / "out") + "/locks/two");
  CHECK_THROWS_AS(ex::conduct(three, task, {}), ex::Busy);
  CHECK_THROWS_WITH(ex::conduct(three, task, {}), "another process works on two: wait for it, or train another unit");
  CHECK(three.trained.empty());
}

TEST_CASE("conduct: a unit that is done ends before the data is loaded, and one that was begun goes on") {
  const Folder folder;
  ex::Task task = quiet();
  task.unit = "two";
  Three first(folder / "out");
  ex::conduct(first, task, {});
  const std::string done = content(folder / "out/done/two.done");
  CHECK(std::count(done.begin(), done.end(), '\n') == 3);
  CHECK(done.find(" checkpoints/two-train.pt\n") != std::string::npos);
  CHECK(done.find("seconds/") == std::string::npos);  // which differ from one computer to the next

  Three second(folder / "out");
  ex::conduct(second, task, {});
  CHECK(second.loads == 0);
  CHECK(second.trained.empty());

  // Without the file the unit's checkpoints say the same, and the file is made again; a resumed whole run does it, too.
  std::filesystem::remove(folder / "out/done/two.done");
  Three third(folder / "out");
  ex::conduct(third, task, {});
  CHECK(third.loads == 1);
  CHECK(third.trained.empty());
  CHECK(content(folder / "out/done/two.done") == done);
  std::filesystem::remove(folder / "out/done/two.done");
  Three whole(folder / "out");
  ex::conduct(whole, resumed(), {});
  CHECK(whole.trained == "one three ");
  CHECK(content(folder / "out/done/two.done") == done);

  // A new whole run removes it with the results.
  Three anew(folder / "out");
  ex::conduct(anew, quiet(), {});
  CHECK(anew.trained == "one two three ");
  CHECK(content(folder / "out/done/two.done") != done);  // a checkpoint has the seconds that it took
  CHECK(ex::DoneFile(folder / "out", "two").holds());
}

TEST_CASE("conduct: a unit whose files are not as they were is not done") {
  const Folder folder;
  ex::Task task = quiet();
  task.unit = "two";
  Three first(folder / "out");
  ex::conduct(first, task, {});
  const std::string manifest = ex::JobFiles{folder / "out", "two-train"}.manifest();
  const std::string before = content(manifest);
  ex::write_file(manifest, before + " ");
  CHECK_FALSE(ex::DoneFile(folder / "out", "two").holds());
  ex::write_file(manifest, before);
  CHECK(ex::DoneFile(folder / "out", "two").holds());
  std::filesystem::remove(ex::JobFiles{folder / "out", "two-train"}.checkpoint());
  Three again(folder / "out");
  ex::conduct(again, task, {});
  CHECK(again.trained == "two ");
  CHECK(ex::DoneFile(folder / "out", "two").holds());
  for (const char* const text : {"", "\n", "12 abc", "nonsense"}) {
    ex::write_file(ex::DoneFile(folder / "out", "two").path(), text);
    CHECK_FALSE(ex::DoneFile(folder / "out", "two").holds());
  }
}

TEST_CASE("conduct: a unit of a folder with other settings is an error before the data is loaded") {
  struct Other : Three {
    using Three::Three;
    [[nodiscard]] ex::FolderContents contents() const override {
      ex::FolderContents all = Three::contents();
      all.settings = [](const std::string& plan) {
        return R"({"type": "Three", "plan": ")" + plan + "\", \"x\": 1}\n";
      };
      return all;
    }
  };
  const Folder folder;
  ex::Task task = quiet();
  task.unit = "two";
  Three first(folder / "out");
  ex::conduct(first, task, {});
  Other other(folder / "out");
  CHECK_THROWS_AS(ex::conduct(other, task, {}), ex::UsageError);
  CHECK_THROWS_WITH(ex::conduct(other, task, {}),
                    (folder / "out") +
                        "/settings.json was written with other settings:\n  x: nothing there, 1 now\n"
                        "Repeat that run's options, or name another folder with --out");
  CHECK(other.loads == 0);
}

TEST_CASE("conduct: the budget of a unit stops it, with a checkpoint that the next try goes on from") {
  struct Slow : Three {
    using Three::Three;
    void train(const std::string& unit, ex::Jobs& jobs) override {
      Training training(0.1, 4);
      training.job.name = unit + "-train";
      training.job.phases[0].seed = unit.size();
      training.job.scoring.measures["wait"] = [&](const rg::Model&) {
        ++epochs_trained;
        while (waits && !jobs.task().stop.stop_requested()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return 0.0;
      };
      jobs.run(training.job, training.net, training.sgd);
    }
    int epochs_trained = 0;
    bool waits = true;
  };
  const Folder folder;
  ex::Task task = quiet();
  task.unit = "two";
  task.budget = 0.5;
  Slow slow(folder / "out");
  CHECK_THROWS_AS(ex::conduct(slow, task, {}), ex::Interrupted);
  CHECK(slow.epochs_trained <= 1);  // none on a machine so slow that the time is over at the first step
  CHECK_FALSE(ex::DoneFile(folder / "out", "two").holds());
  task.budget = 0;
  Slow rest(folder / "out");
  rest.waits = false;
  ex::conduct(rest, task, {});
  CHECK(rest.epochs_trained == 4 - slow.epochs_trained);
  Slow whole(folder / "whole");
  whole.waits = false;
  ex::conduct(whole, task, {});
  CHECK(ex::DoneFile(folder / "out", "two").holds());
  const std::string lines = content(folder / "out/epochs/two-train.csv");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 5);
  CHECK(lines == content(folder / "whole/epochs/two-train.csv"));
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
