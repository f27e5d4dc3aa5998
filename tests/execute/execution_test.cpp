// How a network is computed changes its speed, and what comes out only by rounding.

#include "support/training.hpp"

#include <memory>
#include <stop_token>

namespace execution_test {

namespace {

using namespace training;

struct OwnSgd : torch::optim::SGD {
  using SGD::SGD;
};

/// Evaluates its closure twice a step, as LBFGS may, and is not recognisable as one that does.
struct TwiceSgd : torch::optim::SGD {
  using SGD::SGD;

  torch::Tensor step(LossClosure closure = nullptr) override {
    {
      const at::AutoGradMode with_gradients(true);
      closure();
    }
    return SGD::step(std::move(closure));
  }
};

struct OwnLbfgs : torch::optim::LBFGS {
  using LBFGS::LBFGS;
};

/// A run of four epochs of 10 batches, objects of its own each time.
struct Training {
  explicit Training(const rg::Execution& execute) : phase{.data = points(80, 11)} {
    phase.optimizer = sgd;
    phase.epochs = 4;
    phase.lr_scale = rg::Cosine{.epochs = 4};
    phase.batch = 8;
    phase.augment = {rg::GaussianNoise{.stddev = 0.1}};
    phase.regularize = {rg::L2{.strength = 1e-3}, rg::ClipGradients{.max_norm = 1}, rg::MaxNorm{.bound = 2}};
    phase.execute = execute;
    phase.seed = 4;
  }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  template <class... Observers>
  rg::History run(const rg::RunOptions& options, Observers&&... observers) {
    return rg::run(net, {phase}, {.clean = phase.data}, options, observers...);
  }

  torch::nn::Sequential net = network(21);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.2).momentum(0.9).weight_decay(1e-3)};
  rg::Phase phase;
};

/// Stops after the 17th step, goes on with fresh objects from the checkpoint, and ends in the same bits.
void check_resume(const rg::Execution& execute) {
  Training whole(execute);
  whole.run({});

  const Folder folder;
  const std::string path = folder / "run.pt";
  {
    Training part(execute);
    std::stop_source stop;
    int steps = 0;
    rg::Checkpoint keep(path, {.seconds = 0}, part.net, part.sgd);
    part.run({.stop = stop.get_token()}, keep, [&](const rg::Step&) {
      if (++steps == 17) {
        stop.request_stop();
      }
    });
  }
  Training rest(execute);
  const rg::State from = rg::load_checkpoint(path, rest.net, rest.sgd);
  REQUIRE(from.clock.step == 17);
  CHECK((from.loss_scale > 0) == (execute.precision == rg::Precision::fp16));
  rest.run({.from = from});
  CHECK(same(weights(rest.net), weights(whole.net)));
}

std::string error_of_run(Training& training) {
  return error_of([&] { training.run({}); });
}

}  // namespace

TEST_CASE("a fused step trains the same network to rounding, with schedules, penalties and hooks on") {
  Training plain({});
  Training fused({.fused = true});
  const rg::History expected = plain.run({});
  const rg::History history = fused.run({});
  CHECK(difference(weights(fused.net), weights(plain.net)) < 1e-5);
  CHECK(history.back().train_loss == Approx(expected.back().train_loss).epsilon(1e-5));
}

TEST_CASE("a fused step resumes in the same bits") {
  check_resume({.fused = true});
}

TEST_CASE("a fused step is refused, before anything is lost, where there is none") {
  Training training({.fused = true});
  const auto before = weights(training.net);
  const auto refused = [&] {
    const std::string message = error_of_run(training);
    CHECK(contains(message, "execute.fused"));
    CHECK(contains(message, "torch::optim::SGD"));
  };
  torch::optim::Adam adam(training.net->parameters(), 0.01);
  training.phase.optimizer = adam;
  refused();
  OwnSgd own(training.net->parameters(), torch::optim::SGDOptions(0.1));
  training.phase.optimizer = own;
  refused();
  torch::optim::Optimizer& base = training.sgd;
  training.phase.optimizer = base;
  refused();
  CHECK(same(weights(training.net), before));
}

TEST_CASE("a run moves the network to its device, and all phases must name the same") {
  Training training({.device = "cpu"});
  CHECK(training.run({}).back().train_loss < 1);

  Training lost({.device = "gpu"});
  CHECK(contains(error_of_run(lost), "Execution.device"));

  Training two({});
  rg::Phase elsewhere = two.phase;
  elsewhere.name = "elsewhere";
  elsewhere.execute.device = "meta";
  const std::string message = error_of([&] { rg::run(two.net, {two.phase, elsewhere}, {}); });
  CHECK(contains(message, "\"elsewhere\""));
  CHECK(contains(message, "execute.device"));
  CHECK(contains(message, "\"meta\""));
}

TEST_CASE("fp16 trains near fp32, with gradients that are scaled and unscaled, and resumes in the same bits") {
  const rg::Execution fp16{.precision = rg::Precision::fp16};
  if (!rg::detail::autocast_by_device) {
    Training training(fp16);
    CHECK(contains(error_of_run(training), "LibTorch 2.4"));
    return;
  }
  Training plain({});
  Training in_half(fp16);
  const double expected = plain.run({}).back().train_loss;
  const double loss = in_half.run({}).back().train_loss;
  CHECK(loss == Approx(expected).epsilon(0.2));
  check_resume(fp16);
}

TEST_CASE("fp16 leaves a step out whose gradients overflow, and calls it divergence if none is left") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  // In the first epoch the loss is so large that gradients times 65536 overflow; the factor adapts until they fit.
  const auto run_with = [](double size) {
    Training training({.precision = rg::Precision::fp16});
    training.phase.loss = [size](const at::Tensor& output, const at::Tensor& target) {
      return size * at::cross_entropy_loss(output, target);
    };
    training.phase.regularize = {};
    training.phase.augment = {};
    training.phase.lr_scale = 1e-3 / size;
    double scale = 0;
    const auto before = weights(training.net);
    const rg::History history =
        training.run({}, [&](const rg::Boundary& boundary) { scale = boundary.state().loss_scale; });
    CHECK_FALSE(same(weights(training.net), before));
    CHECK(std::isfinite(history.back().train_loss));
    return scale;
  };
  CHECK(run_with(1) == 65536);
  CHECK(run_with(1e4) < 65536);

  Training lost({.precision = rg::Precision::fp16});
  lost.phase.loss = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target) / 0.0;
  };
  CHECK(lost.run({}).ended() == rg::Ended::diverged);
}

TEST_CASE("fp16: a run that is over and gets more epochs goes on with the scale that it had reached") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  // Gradients times 65536 overflow, so the first steps are left out until the factor is small enough. A run that began
  // at 65536 again would leave steps out once more, and end in other weights than one of four epochs in one go.
  const auto training = [](std::int64_t epochs) {
    auto made = std::make_unique<Training>(rg::Execution{.precision = rg::Precision::fp16});
    made->phase.loss = [](const at::Tensor& output, const at::Tensor& target) {
      return 1e4 * at::cross_entropy_loss(output, target);
    };
    made->phase.regularize = {};
    made->phase.lr_scale = 1e-7;
    made->phase.epochs = epochs;
    return made;
  };
  const auto whole = training(4);
  whole->run({});

  const Folder folder;
  const auto first = training(2);
  rg::Checkpoint keep(folder / "run.pt", {}, first->net, first->sgd);
  first->run({}, keep);
  const auto second = training(4);
  const rg::State from = rg::load_checkpoint(folder / "run.pt", second->net, second->sgd);
  CHECK(from.loss_scale > 0);
  CHECK(from.loss_scale < 65536);
  second->run({.from = from});
  CHECK(same(weights(second->net), weights(whole->net)));

  // A next phase has a scale of its own.
  Training two({.precision = rg::Precision::fp16});
  two.phase.loss = whole->phase.loss;
  two.phase.regularize = {};
  two.phase.lr_scale = 1e-7;
  two.phase.epochs = 1;
  rg::Phase next = two.phase;
  next.name = "next";
  next.loss = rg::CrossEntropy{};
  double scale = 0;
  rg::run(two.net, {two.phase, next}, {}, [&](const rg::Boundary& boundary) { scale = boundary.state().loss_scale; });
  CHECK(scale == 65536);
}

TEST_CASE("fused: a sparse gradient with momentum is an Error with the cure, and changes nothing") {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Embedding(torch::nn::EmbeddingOptions(10, 5).sparse(true)), torch::nn::Flatten(),
                            torch::nn::Linear(15, 3));
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  const rg::Batch words{.data = torch::arange(24).remainder(10).view({8, 3}), .target = torch::arange(8).remainder(3)};
  rg::Phase phase{.data = words, .optimizer = sgd, .epochs = 1, .batch = 4, .execute = {.fused = true}};
  const auto before = weights(net);
  const std::string message = error_of([&] { rg::run(net, {phase}, {}); });
  CAPTURE(message);
  for (const char* const part : {"Phase \"train\"", "[10, 5]", "sparse", "Execution.fused", "sparse(false)"}) {
    CHECK(contains(message, part));
  }
  CHECK(same(weights(net), before));
  phase.execute.fused = false;
  CHECK_NOTHROW(rg::run(net, {phase}, {}));

  // Without momentum and decay: w - rate * g, as the plain step's.
  const auto trained = [&](bool fused) {
    torch::manual_seed(2);
    torch::nn::Sequential fresh(torch::nn::Embedding(torch::nn::EmbeddingOptions(10, 5).sparse(true)),
                                torch::nn::Flatten(), torch::nn::Linear(15, 3));
    torch::optim::SGD plain(fresh->parameters(), 0.1);
    rg::run(fresh, {{.data = words, .optimizer = plain, .epochs = 2, .batch = 4, .execute = {.fused = fused}}}, {});
    return weights(fresh);
  };
  CHECK(difference(trained(true), trained(false)) < 1e-6);
}

TEST_CASE("fp16 is refused before the first step with LBFGS, whose later evaluations could overflow unseen") {
  Training training({.precision = rg::Precision::fp16});
  const auto before = weights(training.net);
  torch::optim::LBFGS lbfgs(training.net->parameters(), torch::optim::LBFGSOptions(0.1));
  OwnLbfgs own(training.net->parameters(), torch::optim::LBFGSOptions(0.1));
  torch::optim::Optimizer& base = lbfgs;
  for (const rg::OptimizerRef& optimizer : std::vector<rg::OptimizerRef>{lbfgs, own, base}) {
    CHECK(optimizer.evaluates_again());
    rg::Phase second = training.phase;
    second.name = "second";
    second.optimizer = optimizer;
    rg::Phase first = training.phase;
    first.execute = {};
    const std::string message = error_of([&] { rg::run(training.net, {first, second}, {}); });
    CHECK(contains(message, "Phase \"second\".execute.precision must be fp32, tf32 or bf16"));
    CHECK(contains(message, "torch::optim::LBFGS"));
    CHECK(contains(message, "but is fp16"));
  }
  CHECK(same(weights(training.net), before));
  CHECK_FALSE(rg::OptimizerRef(training.sgd).evaluates_again());
}

TEST_CASE("fp16 throws where an optimizer's own second evaluation in a step overflows, and counts a step once") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  Training training({.precision = rg::Precision::fp16});
  TwiceSgd twice(training.net->parameters(), torch::optim::SGDOptions(0.1));
  training.phase.optimizer = twice;
  training.phase.epochs = 1;
  std::int64_t steps = 0;
  std::int64_t counted = 0;
  training.run({}, [&](const rg::Boundary& boundary) {
    if (boundary.clock.step > 0) {  // not at the phase's end, where the next one begins to count
      counted = boundary.state().loss_scale_steps;
      steps = boundary.state().clock.step;
    }
  });
  CHECK(steps > 1);
  CHECK(counted == steps);

  int evaluations = 0;
  training.phase.loss = [&](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target) / (++evaluations == 2 ? 0.0 : 1.0);
  };
  const auto before = weights(training.net);
  const std::string message = error_of_run(training);
  CHECK(contains(message, "more than once a step"));
  CHECK(contains(message, "fp16"));
  const auto parameters = training.net->parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CHECK(torch::equal(parameters[i].detach(), before[i]));
  }
}

TEST_CASE("fp16 divides the gradients of a loss's own parameters too, which the model does not have") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  // d/da of a * cross entropy is the cross entropy itself.
  const auto moved = [](rg::Precision precision, int parts) {
    auto net = plain_network();
    const at::Tensor own = at::ones({}).requires_grad_();
    std::vector<at::Tensor> all = net->parameters();
    all.push_back(own);
    torch::optim::SGD sgd(all, torch::optim::SGDOptions(0.1));
    const rg::Phase phase{
        .data = points(24, 5),
        .optimizer = sgd,
        .epochs = 1,
        .batch = 24 / parts,
        .loss = [own](const at::Tensor& output,
                      const at::Tensor& target) { return own * at::cross_entropy_loss(output, target); },
        .accumulate = parts,
        .execute = {.precision = precision}};
    const rg::History history = rg::run(net, {phase}, {.score_fit = false});
    CHECK(1 - own.item<double>() == Approx(0.1 * history.back().train_loss).epsilon(1e-5));
    return own.item<double>();
  };
  CHECK(moved(rg::Precision::fp16, 1) == Approx(moved(rg::Precision::fp32, 1)).epsilon(1e-3));
  CHECK(moved(rg::Precision::fp16, 2) == Approx(moved(rg::Precision::fp32, 2)).epsilon(1e-3));
}

}  // namespace execution_test
