// What a run's manifest holds beside its phases: the observers that have a word to say, and models and snapshots that
// regularizers consult.

#include "training/helpers.hpp"

namespace manifest_test {

namespace {

using namespace training;

/// A run's manifest, as an observer hears it.
struct Told {
  std::string text;
  void operator()(const rg::RunBegin& begin) { text = begin.manifest(); }
};

}  // namespace

TEST_CASE("manifest: averages of the weights are in that of the run that they watch") {
  torch::nn::Sequential net = network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase{.data = points(16, 1), .optimizer = sgd, .epochs = 1, .batch = 8};
  rg::ExponentialAverage running(net, {.decay = 0.5, .every = 2});
  rg::StochasticAverage mean(net, {.first = 3});
  Told told;
  rg::run(net, {phase}, {}, running, told, mean);

  const std::string expected =
      R"("observers": [{"type": "ExponentialAverage", "rule": {"type": "ExponentialAverage::Rule", "decay": 0.5, )"
      R"("warm_up": false, "every": 2, "buffers": true, "phase": ""}}, {"type": "StochasticAverage", "rule": )"
      R"({"type": "StochasticAverage::Rule", "first": 3, "every": 1, "phase": ""}}])";
  CAPTURE(told.text);
  CHECK(contains(told.text, expected));
  CHECK(contains(rg::manifest(net, {phase}, {}, running, told, mean), expected));
  CHECK(contains(rg::manifest(net, {phase}, {}), R"("observers": [])"));
}

TEST_CASE("manifest: trackers are there by what they follow, measures by all that they hold") {
  torch::nn::Sequential net = network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Source data = points(16, 1);
  const rg::Phase phase{.name = "one", .data = data, .optimizer = sgd, .epochs = 1, .batch = 8};
  rg::ForgettingEvents forgetting(data, "one");
  rg::AreaUnderMargin area(data);
  rg::Best best(net, rg::Metric::clean_accuracy, "one");
  const rg::Snapshot start(net);
  const std::string start_manifest = start.manifest();
  const rg::Splits splits{.clean = data,
                          .measures = {{"distance", rg::DistanceFrom{start}},
                                       {"changes", rg::PredictionChanges(data)},
                                       {"mine", [](const rg::Model&) { return 1.0; }}}};
  Told told;
  rg::run(net, {phase}, splits, forgetting, area, best, told);
  CAPTURE(told.text);
  CHECK(contains(told.text, R"("observers": [{"type": "ForgettingEvents", "samples": 16, "phase": "one"}, )"
                            R"({"type": "AreaUnderMargin", "samples": 16, "phase": ""}, )"
                            R"({"type": "Best", "metric": "clean_accuracy", "phase": "one"}])"));
  CHECK(contains(told.text, R"("distance": {"type": "DistanceFrom", "start": )" + start_manifest + "}"));
  CHECK(contains(told.text, R"("changes": {"type": "PredictionChanges", "data": )" + data.manifest()));
  CHECK(contains(told.text, R"("mine": "lambda")"));
}

TEST_CASE("manifest: a model and a snapshot are known by the CRC-32 of all their numbers") {
  torch::nn::BatchNorm1d net(2);
  const std::string model = R"({"type": "torch::nn::BatchNorm1dImpl", "parameters": 4, "crc32": "15deff4c"})";
  const std::string snapshot = R"({"type": "Snapshot", "tensors": 5, "crc32": "15deff4c"})";
  CHECK(rg::manifest(rg::Model(net)) == model);
  CHECK(rg::manifest(rg::Snapshot(net)) == snapshot);

  SECTION("of a parameter") {
    net->weight.data()[1].fill_(1.5);
  }
  SECTION("of a buffer") {
    net->running_mean[0].fill_(1e-3);
  }
  CHECK(rg::manifest(rg::Model(net)) != model);
  CHECK(rg::manifest(rg::Snapshot(net)) != snapshot);
}

}  // namespace manifest_test
