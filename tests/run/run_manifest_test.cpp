// What a run's manifest holds beside its phases: the observers that have a word to say, and models and snapshots that
// regularizers consult.

#include "support/training.hpp"

namespace run_manifest_test {

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
  const rg::Scoring scoring{.clean = data,
                            .measures = {{"distance", rg::DistanceFrom{start}},
                                         {"changes", rg::PredictionChanges(data)},
                                         {"mine", [](const rg::Model&) { return 1.0; }}}};
  Told told;
  rg::run(net, {phase}, scoring, forgetting, area, best, told);
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
  const std::string model = rg::manifest(rg::Model(net));
  const std::string snapshot = rg::manifest(rg::Snapshot(net));
  CHECK(contains(model, R"({"type": "torch::nn::BatchNorm1dImpl", "parameters": 4, "crc32": "15deff4c")"));
  CHECK(contains(snapshot, R"({"type": "Snapshot", "tensors": 5, "crc32": "15deff4c")"));

  SECTION("of a parameter") {
    net->weight.data()[1].fill_(1.5);
  }
  SECTION("of a buffer") {
    net->running_mean[0].fill_(1e-3);
  }
  SECTION("or its type, or its shape, of which the numbers are the same bytes") {
    net->running_mean = net->running_mean.view({1, 2});
    net->named_buffers(false)["running_mean"].set_data(net->running_mean);
  }
  CHECK(rg::manifest(rg::Model(net)) != model);
  CHECK(rg::manifest(rg::Snapshot(net)) != snapshot);
}

TEST_CASE("manifest: what an optimizer's groups step, and what of the model requires no gradient") {
  torch::nn::Linear net(3, 4);
  const rg::Batch data{.data = torch::zeros({8, 3}), .target = torch::zeros({8}, torch::kLong)};
  const auto of = [&](torch::optim::Optimizer& optimizer) {
    return rg::manifest(net, {rg::Phase{.data = data, .optimizer = optimizer, .epochs = 1}}, {});
  };
  const auto groups = [](const at::Tensor& one, const at::Tensor& other) {
    std::vector<torch::optim::OptimizerParamGroup> both;
    both.emplace_back(std::vector<at::Tensor>{one}, std::make_unique<torch::optim::SGDOptions>(0.1));
    both.emplace_back(std::vector<at::Tensor>{other}, std::make_unique<torch::optim::SGDOptions>(0.2));
    return torch::optim::SGD(both, torch::optim::SGDOptions(0.1));
  };
  torch::optim::SGD weight_first = groups(net->weight, net->bias);
  torch::optim::SGD bias_first = groups(net->bias, net->weight);
  CHECK(contains(of(weight_first), R"("optimizer_steps": [["weight"], ["bias"]])"));
  CHECK(contains(of(bias_first), R"("optimizer_steps": [["bias"], ["weight"]])"));
  const at::Tensor own = torch::ones({2});  // of a loss, say
  torch::optim::SGD with_own({net->weight, own}, 0.1);
  CHECK(contains(of(with_own), R"("optimizer_steps": [["weight", {"kind": "[2] float", "crc32": ")"));

  torch::optim::SGD all(net->parameters(), 0.1);
  CHECK(contains(of(all), R"("without_gradient": [])"));
  const std::string in_train_mode = of(all);
  net->eval();  // `run` puts every part into train mode, so this is the same run
  CHECK(of(all) == in_train_mode);
  net->bias.set_requires_grad(false);
  CHECK(contains(of(all), R"("without_gradient": ["bias"])"));
}

TEST_CASE("manifest: the state that an optimizer carries into a phase") {
  torch::nn::Linear net(3, 4);
  const rg::Batch data{.data = torch::rand({8, 3}), .target = torch::zeros({8}, torch::kLong)};
  const auto step = [&](auto& optimizer, double input) {
    const rg::Snapshot before(net);
    optimizer.zero_grad();
    net->forward(torch::full({1, 3}, input)).sum().backward();
    optimizer.step();
    before.restore(net);
  };
  const auto check = [&](auto make) {
    auto one = make();
    auto other = make();
    const auto of = [&](auto& optimizer, bool carries) {
      return rg::manifest(
          net, {rg::Phase{.data = data, .optimizer = optimizer, .epochs = 1, .carry_optimizer_state = carries}}, {});
    };
    CHECK(of(one, true) == of(other, true));
    CHECK_FALSE(contains(of(one, false), "optimizer_state_crc32"));
    step(one, 1);
    CHECK(of(one, true) != of(other, true));
    CHECK(of(one, false) == of(other, false));  // cleared when the phase begins
    step(other, 1);
    CHECK(of(one, true) == of(other, true));
    CHECK_FALSE(contains(of(one, true), R"("optimizer_state_crc32": "unknown")"));
    step(one, 1);
    step(other, 2);
    CHECK(of(one, true) != of(other, true));
  };
  check([&] { return torch::optim::Adam(net->parameters(), 1e-3); });
  check([&] { return torch::optim::SGD(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)); });
  check([&] { return torch::optim::RMSprop(net->parameters(), 0.1); });
}

TEST_CASE("manifest: data of the same bytes in another shape or type are other data") {
  // Zeros are the same bytes in any shape, and in any type of as many bytes.
  const rg::Batch zeros{.data = torch::zeros({8, 3}), .target = torch::zeros({8}, torch::kLong)};
  const auto with = [&](const at::Tensor& target, const at::Tensor& mask) {
    rg::Batch batch = zeros;
    batch.target = target;
    if (mask.defined()) {
      batch.extra["mask"] = mask;
    }
    return rg::Source(batch).manifest();
  };
  std::vector<std::string> all = {
      with(zeros.target, {}),
      with(torch::zeros({8}, torch::kDouble), {}),
      with(torch::zeros({8, 1}, torch::kLong), {}),
      with({}, {}),
      with(zeros.target, torch::zeros({8, 4})),
      with(zeros.target, torch::zeros({8, 2, 2})),
      with(zeros.target, torch::zeros({8, 4}, torch::kInt)),
  };
  std::sort(all.begin(), all.end());
  CHECK(std::unique(all.begin(), all.end()) == all.end());
}

TEST_CASE("manifest: the options of loss modules") {
  using namespace torch::nn;
  const auto differ = [](const rg::AnyLoss& one, const rg::AnyLoss& other) {
    CAPTURE(one.manifest());
    CHECK(one.manifest() != other.manifest());
  };
  const at::Tensor nine = torch::tensor({9.F});
  differ(CrossEntropyLoss(), CrossEntropyLoss(CrossEntropyLossOptions().label_smoothing(0.5)));
  differ(CrossEntropyLoss(), CrossEntropyLoss(CrossEntropyLossOptions().ignore_index(3)));
  differ(CrossEntropyLoss(), CrossEntropyLoss(CrossEntropyLossOptions().weight(nine)));
  differ(BCEWithLogitsLoss(), BCEWithLogitsLoss(BCEWithLogitsLossOptions().pos_weight(nine)));
  differ(BCEWithLogitsLoss(BCEWithLogitsLossOptions().weight(nine)),
         BCEWithLogitsLoss(BCEWithLogitsLossOptions().pos_weight(nine)));
  differ(BCELoss(), BCELoss(BCELossOptions().weight(nine)));
  differ(SmoothL1Loss(), SmoothL1Loss(SmoothL1LossOptions().beta(0.01)));
  differ(HuberLoss(), HuberLoss(HuberLossOptions().delta(0.01)));
  differ(PoissonNLLLoss(), PoissonNLLLoss(PoissonNLLLossOptions().log_input(false)));
  differ(PoissonNLLLoss(), PoissonNLLLoss(PoissonNLLLossOptions().full(true)));
  differ(PoissonNLLLoss(), PoissonNLLLoss(PoissonNLLLossOptions().eps(0.1)));
  differ(KLDivLoss(), KLDivLoss(KLDivLossOptions().log_target(true)));
  differ(HingeEmbeddingLoss(), HingeEmbeddingLoss(HingeEmbeddingLossOptions().margin(2)));
  differ(MultiMarginLoss(), MultiMarginLoss(MultiMarginLossOptions().p(2)));
  differ(MultiMarginLoss(), MultiMarginLoss(MultiMarginLossOptions().margin(2)));
  differ(MultiMarginLoss(), MultiMarginLoss(MultiMarginLossOptions().weight(nine)));
  differ(MultiLabelSoftMarginLoss(), MultiLabelSoftMarginLoss(MultiLabelSoftMarginLossOptions().weight(nine)));
  differ(L1Loss(), L1Loss(L1LossOptions(torch::kSum)));
}

}  // namespace run_manifest_test
