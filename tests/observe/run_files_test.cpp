// The manifest of a run, and the observers that write files.

#include "support/training.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <tuple>

namespace run_files_test {

namespace {

using namespace training;

/// Python, only to read JSON: this library writes it and reads none.
bool have_python() {
  return std::system("python3 -c 'import json' > /dev/null 2>&1") == 0;
}

/// True if python3 thinks that the file is JSON, and that the expression over it, `j`, holds.
bool python_says(const std::string& path, const std::string& expression) {
  const std::string command =
      "python3 -c \"import json; j = json.load(open('" + path + "')); assert " + expression + "\"";
  return std::system(command.c_str()) == 0;
}

/// A run with something in every field of a phase.
struct Experiment {
  torch::nn::Sequential net = plain_network();
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(5e-4)};
  torch::optim::AdamW adamw{net->parameters(), torch::optim::AdamWOptions(0.01)};
  rg::Source train = points(40, 11);
  rg::Scoring scoring{.clean = train, .test = points(20, 12), .every = 2, .fit_every = 1};
  rg::Phase memorize{
      .name = "memorize \"all\"\n",
      .data = rg::frozen(train, rg::UniformLabels{.classes = 3, .exclude_true = true}, 77, rg::exactly(0.4)),
      .optimizer = sgd,
      .epochs = 3,
      .until = rg::FitReaches{.accuracy = 0.9999} || rg::StepLimit{1000},
      .lr_scale = rg::LinearWarmup{.epochs = 1} * rg::Cosine{.epochs = 3},
      .batch = 16,
      .augment = {rg::GaussianNoise{.stddev = 0.125}},
      .preprocess = {rg::Normalize{.mean = {0.25}, .stddev = {2}}},
      .regularize = {rg::L2{.strength = rg::Cosine{.epochs = 2} * 1e-3}, rg::ClipGradients{}},
      .accumulate = 2,
      .freeze = {"0.bias"},
      .seed = 18446744073709551615U,
      .drop_last = true};
  rg::Phase vanilla{.name = "vanilla", .data = train, .optimizer = adamw, .epochs = 1, .batch = 20};

  Experiment() { scoring.measures["l2"] = rg::l2_norm; }
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  template <class... Observers>
  rg::History run(Observers&&... observers) {
    return rg::run(net, {memorize, vanilla}, scoring, observers...);
  }
};

}  // namespace

TEST_CASE("the manifest of a run can be had without running, and names the network's parameters") {
  Experiment experiment;
  const std::string asked = rg::manifest(experiment.net, {experiment.memorize, experiment.vanilla}, experiment.scoring);
  std::string told;
  experiment.run([&](const rg::RunBegin& begin) { told = begin.manifest(); });
  CHECK(told == asked);
  CHECK(contains(told, "\"type\": \"torch::nn::SequentialImpl\""));
  CHECK(contains(told, "\"0.weight\": [12, 2]"));
}

TEST_CASE("the manifest of a run holds every field, every option and every seed, and is JSON") {
  Experiment experiment;
  std::string manifest;
  experiment.run([&](const rg::RunBegin& begin) { manifest = begin.manifest(); });
  for (const char* const field : {"regimen",    "libtorch",
                                  "compiler",   "device",
                                  "threads",    "parameters",
                                  "phases",     "phase",
                                  "samples",    "realised_noise",
                                  "name",       "data",
                                  "optimizer",  "epochs",
                                  "until",      "lr_scale",
                                  "batch",      "loss",
                                  "augment",    "preprocess",
                                  "momentum",   "weight_decay_scale",
                                  "regularize", "accumulate",
                                  "freeze",     "execute",
                                  "precision",  "memory_format",
                                  "seed",       "shuffle",
                                  "drop_last",  "carry_optimizer_state",
                                  "clean",      "test",
                                  "validation", "every",
                                  "fit_every",  "score_fit",
                                  "measures"}) {
    CAPTURE(field);
    CHECK(contains(manifest, "\"" + std::string(field) + "\": "));
  }
  for (const char* const part : {"\"device\": \"cpu\"",
                                 "\"parameters\": 75",
                                 "\"exact_share\": 0.4",
                                 "\"seed\": 77",
                                 "\"seed\": 18446744073709551615",
                                 "\"stddev\": 0.125",
                                 "\"momentum\": 0.9",
                                 "\"weight_decay\": 5e-04",
                                 "torch::optim::SGD",
                                 "torch::optim::AdamW",
                                 "\"FitReaches\"",
                                 "0.9999",
                                 "\"StepLimit\"",
                                 "\"UniformLabels\"",
                                 "\"exclude_true\": true",
                                 "\"GaussianNoise\"",
                                 "\"Normalize\"",
                                 "\"Cosine\"",
                                 "\"LinearWarmup\"",
                                 "\"ClipGradients\"",
                                 "\"CrossEntropy\"",
                                 "\"0.bias\"",
                                 "\"fp32\""}) {
    CAPTURE(part);
    CHECK(contains(manifest, part));
  }
  CHECK(contains(manifest, "\"regimen\": \"" + std::string(rg::version) + "\""));
  CHECK(contains(manifest, "\"measures\": {\"l2\": "));
  CHECK(contains(manifest, "\"threads\": " + std::to_string(torch::get_num_threads()) + ","));
  CHECK(contains(manifest, std::string("\"libtorch\": \"") + regimen::libtorch_version + "\""));
  if (!have_python()) {
    WARN("no python3: the manifest was not parsed");
    return;
  }
  const Folder folder;
  std::ofstream(folder / "m.json") << manifest;
  CHECK(std::system(("python3 -m json.tool " + (folder / "m.json") + " > /dev/null").c_str()) == 0);
  CHECK(python_says(folder / "m.json", "j['phases'][0]['phase']['name'] == 'memorize \\\"all\\\"\\n'"));
  CHECK(python_says(folder / "m.json", "j['phases'][0]['phase']['seed'] == 2 ** 64 - 1"));
  CHECK(python_says(folder / "m.json", "j['phases'][0]['samples'] == 40"));
  CHECK(python_says(folder / "m.json", "j['phases'][0]['realised_noise'] == 0.4"));
  CHECK(python_says(folder / "m.json", "j['phases'][1]['realised_noise'] == 0"));
  CHECK(python_says(folder / "m.json", "j['scoring']['validation'] is None"));
}

TEST_CASE("ManifestFile writes before the first step, and once more when it is known how each phase ended") {
  const Folder folder;
  const std::string path = folder / "results/m.json";
  Experiment experiment;
  std::string early;
  const auto look = [&](const rg::Step&) {
    if (early.empty()) {
      early = content_of(path);
    }
  };
  experiment.run(rg::ManifestFile(path), look);
  const std::string late = content_of(path);
  CHECK(contains(early, "\"outcomes\": null"));
  CHECK(contains(late, "\"ended\": \"epochs\""));
  CHECK_FALSE(std::filesystem::exists(path + ".part"));
  CHECK(early.substr(0, early.find("\"outcomes\"")) == late.substr(0, late.find("\"outcomes\"")));
  if (have_python()) {
    CHECK(python_says(path, "[o['phase'] for o in j['outcomes']] == ['memorize \\\"all\\\"\\n', 'vanilla']"));
    CHECK(python_says(path, "[o['epochs'] for o in j['outcomes']] == [3, 1]"));
    CHECK(python_says(path, "[o['steps'] for o in j['outcomes']] == [3, 2]"));
    CHECK(python_says(path, "j['run']['phases'][1]['phase']['name'] == 'vanilla'"));
  }
}

TEST_CASE("ManifestFile keeps a null where a run did not come to its end") {
  const Folder folder;
  Experiment experiment;
  const auto die = [](const rg::Step&) { throw std::runtime_error("power cut"); };
  CHECK_THROWS_WITH(experiment.run(rg::ManifestFile(folder / "m.json"), die), "power cut");
  CHECK(contains(content_of(folder / "m.json"), "\"outcomes\": null"));
}

TEST_CASE("Progress writes one plain line an epoch where there is no terminal, with the scores where there are some") {
  const Folder folder;
  Experiment experiment;
  experiment.scoring.fit_every = 0;
  std::FILE* const file = std::fopen((folder / "log").c_str(), "w");
  experiment.run(rg::Progress("seed 7: ", file));
  std::fclose(file);
  std::ifstream log(folder / "log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    lines.push_back(line);
  }
  // A name with a line break in it breaks its lines: "memorize "all"", then " epoch 1/3 ...".
  std::vector<std::string> epochs;
  for (const std::string& line : lines) {
    if (contains(line, " epoch ")) {
      epochs.push_back(line);
    }
  }
  REQUIRE(epochs.size() == 4);
  CHECK(contains(epochs[0], " epoch 1/3 loss "));
  CHECK_FALSE(contains(epochs[0], "fit"));
  CHECK(contains(epochs[1], " epoch 2/3 loss "));
  CHECK(contains(epochs[1], " % clean "));
  CHECK(contains(epochs[1], " % test "));
  CHECK_FALSE(contains(epochs[1], "validation"));
  CHECK(contains(epochs[3], "seed 7: vanilla epoch 1/1 loss "));
  for (const std::string& line : lines) {
    CHECK_FALSE(contains(line, "\r"));
    CHECK_FALSE(contains(line, "\033"));
  }
}

TEST_CASE("where steps cannot be recorded Progress says so once a phase, and what is trained stays the same") {
  const Folder folder;
  Experiment eager;
  eager.run();
  Experiment graph;
  graph.memorize.execute.graph = true;
  graph.vanilla.execute.graph = true;
  std::FILE* const file = std::fopen((folder / "log").c_str(), "w");
  graph.run(rg::Progress("", file));
  std::fclose(file);
  CHECK(same(weights(graph.net), weights(eager.net)));

  const std::string log = content_of(folder / "log");
  const std::string notice = "operation by operation, not by replaying a recording: ";
  const std::size_t first = log.find(notice + "there is nothing to record steps on cpu");
  const std::size_t second = log.find(notice + "of the optimizers only torch::optim::SGD");
  CHECK(first < second);
  CHECK(second != std::string::npos);
  CHECK(log.find(notice) == first);
  CHECK(log.find(notice, first + 1) == second);
  CHECK(log.find(notice, second + 1) == std::string::npos);
}

TEST_CASE("a log that cannot be written is an Error that names the file, and ends the run before its first step") {
  Experiment experiment;
  const auto before = weights(experiment.net);
  const Folder folder;
  std::ofstream(folder / "file") << "not a folder";
  const std::string path = folder / "file/log.csv";
  CHECK(contains(error_of([&] { experiment.run(rg::CsvLog(path)); }), folder / "file"));
  CHECK(contains(error_of([&] { experiment.run(rg::ManifestFile(path)); }), folder / "file"));
  CHECK(same(weights(experiment.net), before));
}

TEST_CASE("the logs hold a line an epoch, the same bytes for equal seeds, and wall time is in a file of its own") {
  const Folder folder;
  Experiment first;
  first.run(rg::CsvLog(folder / "a.csv"), rg::JsonLog(folder / "a.jsonl"), rg::TimeLog(folder / "a.time"));
  Experiment second;
  second.run(rg::CsvLog(folder / "b.csv"), rg::JsonLog(folder / "b.jsonl"));
  CHECK((content_of(folder / "a.csv") == content_of(folder / "b.csv")));
  CHECK((content_of(folder / "a.jsonl") == content_of(folder / "b.jsonl")));
  const auto lines = [&](const std::string& name) {
    const std::string content = content_of(folder / name);
    return std::count(content.begin(), content.end(), '\n');
  };
  CHECK(lines("a.jsonl") == 4);
  CHECK(lines("a.csv") == 1 + 4 + 3);  // the first phase's name has a line break in it
  CHECK(lines("a.time") == 1 + 4 + 3);
  CHECK(contains(content_of(folder / "a.csv"), "validation_loss,l2\n\"memorize \"\"all\"\"\n\",1,1,"));
  CHECK_FALSE(contains(content_of(folder / "a.csv"), "seconds"));
}

}  // namespace run_files_test
