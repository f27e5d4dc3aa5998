// What acts in a step, in which order, and how often the network is run meanwhile.

#include "support/training.hpp"

#include "support/python.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

namespace steps_test {

namespace {

using namespace training;

using Log = std::vector<std::string>;

struct Hooks {
  std::string name;
  Log* log = nullptr;

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const {
    log->push_back("penalty " + name);
    CHECK_FALSE(pass.recompute_gradients);
    return pass.parameters[0].sum() * 0;
  }
  void gradient(const rg::Pass& pass) const {
    log->push_back("gradient " + name);
    CHECK(pass.parameters[0].grad().defined());
    CHECK(pass.recompute_gradients);
  }
  void weights(const rg::Pass& pass) const {
    log->push_back("weights " + name);
    CHECK_FALSE(pass.recompute_gradients);
  }
};

struct LoggingSgd : torch::optim::SGD {
  using SGD::SGD;

  torch::Tensor step(LossClosure closure = nullptr) override {
    log->push_back("step");
    return SGD::step(closure);
  }

  Log* log = nullptr;
};

std::vector<at::Tensor> copies_of(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copies;
  for (const at::Tensor& tensor : tensors) {
    copies.push_back(tensor.detach().clone());
  }
  return copies;
}

}  // namespace

TEST_CASE("in a step penalties come first, then gradient hooks, the optimizer, weight hooks, each kind in its order") {
  Log log;
  auto net = plain_network();
  LoggingSgd sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  sgd.log = &log;
  rg::Phase phase = phase_with(sgd, {Hooks{"a", &log}, Hooks{"b", &log}});
  phase.batch = 12;
  phase.accumulate = 2;
  rg::run(net, {phase}, {}, [&](const rg::Step& step) {
    log.push_back("observer");
    CHECK_FALSE(step.pass.recompute_gradients);
  });
  const Log expected{"penalty a",  "penalty b", "penalty a", "penalty b", "gradient a",
                     "gradient b", "step",      "weights a", "weights b", "observer"};
  CHECK(log == expected);
}

TEST_CASE("where gradients overflow in fp16 the step ends before the gradient hooks") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  Log log;
  auto net = plain_network();
  LoggingSgd sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  sgd.log = &log;
  rg::Phase phase = phase_with(sgd, {Hooks{"a", &log}});
  phase.execute.precision = rg::Precision::fp16;
  phase.loss = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target) / 0.0;
  };
  rg::run(net, {phase}, {});
  CHECK(log == Log{"penalty a"});
}

TEST_CASE("in fp16 gradient hooks see gradients that are unscaled already, and observers hear of steps left out") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  struct Length {
    std::vector<double>* lengths;
    void gradient(const rg::Pass& pass) const { lengths->push_back(pass.parameters[0].grad().norm().item<double>()); }
  };
  std::vector<double> lengths;
  for (const rg::Precision precision : {rg::Precision::fp32, rg::Precision::fp16}) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
    rg::Phase phase = phase_with(sgd, {Length{&lengths}});
    phase.execute.precision = precision;
    rg::run(net, {phase}, {});
  }
  REQUIRE(lengths.size() == 2);
  CHECK(lengths[1] == Approx(lengths[0]).epsilon(0.02));

  Trained trained({rg::MaxNorm{.bound = 1e-3}});
  trained.phase.execute.precision = rg::Precision::fp16;
  trained.phase.loss = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target) / 0.0;
  };
  const auto before = copies_of(trained.net->parameters());
  rg::ExponentialAverage average(trained.net);
  int heard = 0;
  trained.run(average, [&](const rg::Step&) { ++heard; });
  CHECK(same(trained.net->parameters(), before));  // no step, and no weight hook
  CHECK(heard == 1);
  CHECK(average.updates() == 1);
}

TEST_CASE("a gradient hook sees what those before it made of the gradients, a weight hook those of the weights") {
  struct AddToGradient {
    double amount;
    void gradient(const rg::Pass& pass) const { pass.parameters[0].grad().add_(amount); }
  };
  struct AddToWeights {
    double amount;
    void weights(const rg::Pass& pass) const {
      const at::NoGradGuard no_grad;
      at::Tensor weight = pass.parameters[0];
      weight.add_(amount);
    }
  };
  struct NoGradient {
    void gradient(const rg::Pass& pass) const { pass.parameters[0].grad().zero_(); }
  };
  struct NoWeights {
    void weights(const rg::Pass& pass) const {
      const at::NoGradGuard no_grad;
      at::Tensor weight = pass.parameters[0];
      weight.zero_();
    }
  };
  const auto weight_after = [](const std::vector<rg::AnyRegularizer>& regularize) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.5).weight_decay(0.25));
    rg::run(net, {phase_with(sgd, regularize)}, {});
    return net->parameters()[0].detach().clone();
  };
  const at::Tensor before = plain_network()->parameters()[0].detach().clone();
  // The optimizer's own decay is added to what the hooks have left.
  CHECK(torch::allclose(weight_after({AddToGradient{1}, NoGradient{}, AddToGradient{2}}),
                        before - 0.5 * (2 + 0.25 * before), 1e-6, 1e-7));
  CHECK(torch::equal(weight_after({AddToWeights{1}, NoWeights{}, AddToGradient{9}, AddToWeights{3}}),
                     at::full_like(before, 3)));
}

TEST_CASE("Sam: a run with it is a loop by hand with two passes, over SGD with momentum and over Adam") {
  const auto check = [](auto make_optimizer, const auto& regularizer, const std::function<at::Tensor(at::Tensor)>& t) {
    auto net = plain_network();
    auto optimizer = make_optimizer(net);
    rg::Phase phase = phase_with(*optimizer, {rg::L2{.strength = 0.01}, regularizer}, 5);
    rg::run(net, {phase}, {});

    auto own = plain_network();
    auto by_hand = make_optimizer(own);
    const rg::Batch all = rg::materialize(phase.data);
    const auto gradient = [&] {
      by_hand->zero_grad();
      const at::Tensor loss = torch::cross_entropy_loss(own->forward(all.data), all.target);
      (loss + rg::L2{.strength = 0.01}.penalty({.parameters = own->parameters()})).backward();
    };
    for (int step = 0; step < 5; ++step) {
      gradient();
      const auto before = copies_of(own->parameters());
      double square = 0;
      for (const at::Tensor& p : own->parameters()) {
        square += (p.grad() * t(p.detach())).square().sum().item<double>();
      }
      {
        const at::NoGradGuard no_grad;
        for (at::Tensor p : own->parameters()) {
          p.add_(p.grad() * t(p).square() * (0.2 / std::sqrt(square)));
        }
      }
      gradient();
      {
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < before.size(); ++i) {
          own->parameters()[i].copy_(before[i]);
        }
      }
      by_hand->step();
    }
    CHECK(difference(weights(net), weights(own)) < 1e-5);
    CHECK(difference(weights(net), weights(plain_network())) > 1e-2);
  };
  const auto sgd = [](torch::nn::Sequential& net) {
    return std::make_unique<torch::optim::SGD>(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  };
  const auto adam = [](torch::nn::Sequential& net) {
    return std::make_unique<torch::optim::Adam>(net->parameters(), torch::optim::AdamOptions(0.01));
  };
  const auto one = [](const at::Tensor& w) { return at::ones_like(w); };
  const auto scale = [](const at::Tensor& w) { return w.abs() + 0.05; };
  check(sgd, rg::Sam{.rho = 0.2}, one);
  check(adam, rg::Sam{.rho = 0.2}, one);
  check(sgd, rg::Asam{.rho = 0.2, .eta = 0.05}, scale);
}

TEST_CASE("Sam: the weights come back bit for bit, however far uphill they were") {
  Trained trained({rg::Sam{.rho = 1e3}}, 4, /*rate=*/0);
  const auto before = copies_of(trained.net->parameters());
  trained.run();
  CHECK(same(trained.net->parameters(), before));
}

TEST_CASE("Sam: both passes of a step draw the same dropout masks, and other steps draw others") {
  auto net = plain_network();
  std::vector<at::Tensor> masks;
  const rg::Model with_dropout(net, [&](torch::nn::Sequential& n, const rg::Batch& batch) {
    masks.push_back(torch::dropout(at::ones({batch.size(), 2}), 0.5, /*train=*/true));
    return n->forward(batch.data * masks.back());
  });
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  rg::Phase phase = phase_with(sgd, {rg::Sam{}}, 2);
  phase.batch = 12;
  phase.accumulate = 2;
  rg::run(with_dropout, {phase}, {.score_fit = false});
  REQUIRE(masks.size() == 8);  // of each step two batches, twice
  for (const std::size_t step : {0, 4}) {
    CHECK(torch::equal(masks[step], masks[step + 2]));
    CHECK(torch::equal(masks[step + 1], masks[step + 3]));
    CHECK_FALSE(torch::equal(masks[step], masks[step + 1]));
  }
  CHECK_FALSE(torch::equal(masks[0], masks[4]));
}

TEST_CASE("BatchNorm's running statistics move once a forward pass of the step, and with Sam once a step") {
  Trained plain({});
  Trained sharp({rg::Sam{.rho = 0.5}});
  plain.run();
  sharp.run();
  for (const char* const name : {"1.running_mean", "1.running_var", "1.num_batches_tracked"}) {
    CHECK(torch::equal(plain.buffer(name), sharp.buffer(name)));
  }
  CHECK(sharp.buffer("1.num_batches_tracked").item<int>() == 1);
  CHECK_FALSE(same(weights(plain.net), weights(sharp.net)));

  Trained halves({rg::Sam{}});
  halves.phase.batch = 12;
  halves.phase.accumulate = 2;
  halves.run();
  CHECK(halves.buffer("1.num_batches_tracked").item<int>() == 2);

  auto net = network(8);
  torch::optim::LBFGS lbfgs(net->parameters(), torch::optim::LBFGSOptions(0.01).max_iter(3).max_eval(50));
  int forwards = 0;
  const rg::Model counted(net, [&](torch::nn::Sequential& n, const rg::Batch& batch) {
    forwards += n->is_training() ? 1 : 0;
    return n->forward(batch.data);
  });
  rg::run(counted, {phase_with(lbfgs, {})}, {});
  CHECK(forwards > 1);
  CHECK(net->named_buffers()["1.num_batches_tracked"].item<int>() == forwards);
}

TEST_CASE("Sam: with gradients of several batches in a step it is Sam of all of them together") {
  const auto run_with = [](int parts) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
    rg::Phase phase = phase_with(sgd, {rg::Sam{.rho = 0.3}}, 3);
    phase.batch = 24 / parts;
    phase.accumulate = parts;
    rg::run(net, {phase}, {});
    return weights(net);
  };
  CHECK(difference(run_with(1), run_with(3)) < 1e-6);
}

TEST_CASE("Sam: watchers see the loss and the output at the weights, not uphill") {
  double losses[2];
  at::Tensor outputs[2];
  int i = 0;
  for (const std::vector<rg::AnyRegularizer>& regularize :
       std::vector<std::vector<rg::AnyRegularizer>>{{rg::L2{.strength = 0}}, {rg::Sam{.rho = 1}}}) {
    Trained trained(regularize);
    trained.run([&](const rg::Step& step) {
      losses[i] = step.loss.item<double>();
      outputs[i] = step.pass.output.detach().clone();
    });
    ++i;
  }
  CHECK(losses[0] == losses[1]);
  CHECK(torch::equal(outputs[0], outputs[1]));
}

TEST_CASE("Sam: hooks behind it see its gradient, and a hook of one's own may ask for the gradient again") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0));
  std::vector<at::Tensor> first;
  struct Probe {
    std::vector<at::Tensor>* first;
    void gradient(const rg::Pass& pass) const {
      first->push_back(pass.parameters[0].grad().clone());
      pass.recompute_gradients();
      first->push_back(pass.parameters[0].grad().clone());
    }
  };
  rg::run(net, {phase_with(sgd, {Probe{&first}, rg::Sam{.rho = 1}, Probe{&first}})}, {});
  REQUIRE(first.size() == 4);
  CHECK(torch::equal(first[0], first[1]));
  CHECK_FALSE(torch::allclose(first[2], first[0]));
  CHECK(torch::equal(first[3], first[0]));
}

TEST_CASE("Sam: in a step that was to be recorded it says why it is not, and computes the same") {
  auto net = network(8);
  auto own = network(8);
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  torch::optim::SGD own_sgd(own->parameters(), torch::optim::SGDOptions(0.1));
  const auto evaluate = [](torch::nn::Sequential& network, torch::optim::SGD& optimizer, rg::detail::Slots* slots) {
    const rg::Phase phase = phase_with(optimizer, {rg::Sam{.rho = [](const rg::Clock&) { return 0.3; }}});
    const rg::Model model(network);
    rg::detail::GeneratorGuard generators(at::kCPU);
    rg::detail::StepObjective objective(model, phase, generators);
    const rg::Moment now{.clock = {.step = 2}, .slots = slots};
    objective.prepare({rg::materialize(phase.data)}, now);
    objective.seed_step(now.clock);
    (void)objective();
  };
  rg::detail::Slots slots(at::kCPU);
  slots.begin({.clock = {.step = 2}}, {});
  evaluate(net, sgd, &slots);
  evaluate(own, own_sgd, nullptr);
  CHECK(contains(slots.refused(), "same random numbers"));
  for (std::size_t i = 0; i < net->parameters().size(); ++i) {
    CHECK(torch::allclose(net->parameters()[i].grad(), own->parameters()[i].grad(), 1e-6, 1e-7));
  }
}

TEST_CASE("Sam: in fp16 it trains near fp32, and leaves a step out that overflows uphill") {
  if (!rg::detail::autocast_by_device) {
    return;
  }
  const auto loss_in = [](rg::Precision precision) {
    Trained trained({rg::Sam{.rho = 0.05}}, 20);
    trained.phase.execute.precision = precision;
    return trained.run().back().train_loss;
  };
  CHECK(loss_in(rg::Precision::fp16) == Approx(loss_in(rg::Precision::fp32)).epsilon(0.05));

  // Uphill, at once, the loss is infinite.
  Trained trained({rg::Sam{.rho = 1}, rg::DecoupledDecay{.decay = 0.5}});
  trained.phase.execute.precision = rg::Precision::fp16;
  int evaluations = 0;
  trained.phase.loss = [&](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target) / (++evaluations == 2 ? 0.0 : 1.0);
  };
  const auto before = copies_of(trained.net->parameters());
  trained.run();
  CHECK(evaluations >= 2);
  CHECK(same(trained.net->parameters(), before));

  // What acted before Sam has acted: a decay that is named there is not taken back.
  Trained decayed({rg::DecoupledDecay{.decay = 0.5}, rg::Sam{.rho = 1}, rg::MaxNorm{.bound = 1e-3}});
  decayed.phase.execute.precision = rg::Precision::fp16;
  decayed.phase.loss = trained.phase.loss;
  evaluations = 0;
  const auto whole = copies_of(decayed.net->parameters());
  decayed.run();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(torch::equal(decayed.net->parameters()[i].detach(), whole[i] * 0.5));
  }
}

TEST_CASE("DecoupledDecay: in a run with Adam it is AdamW whose rate follows the same schedule, also with LBFGS once") {
  const rg::Cosine cosine{.epochs = 6};
  auto net = plain_network();
  auto own = plain_network();
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01));
  torch::optim::AdamW adamw(own->parameters(), torch::optim::AdamWOptions(0.01).weight_decay(0.5));
  rg::Phase ours = phase_with(adam, {rg::DecoupledDecay{.decay = cosine * (0.01 * 0.5)}}, 6);
  rg::Phase theirs = phase_with(adamw, {}, 6);
  ours.lr_scale = theirs.lr_scale = cosine;
  rg::run(net, {ours}, {});
  rg::run(own, {theirs}, {});
  CHECK(difference(weights(net), weights(own)) < 1e-6);

  auto halved = plain_network();
  torch::optim::LBFGS lbfgs(halved->parameters(), torch::optim::LBFGSOptions(0).max_iter(4).tolerance_change(-1));
  const auto before = copies_of(halved->parameters());
  rg::run(halved, {phase_with(lbfgs, {rg::DecoupledDecay{.decay = 0.5}})}, {});
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(torch::equal(halved->parameters()[i].detach(), before[i] * 0.5));
  }
}

TEST_CASE("GradientNoise: a run with it is repeated by its seed, and resumes in the same bits") {
  const auto run_with = [](std::uint64_t seed, bool in_two) {
    Trained trained({rg::GradientNoise{.eta = 0.1, .seed = seed}}, 4);
    std::stop_source stop;
    rg::State state;
    const auto watch = [&](const rg::Step& step) {
      if (in_two && step.clock.step == 2) {
        stop.request_stop();
      }
    };
    const auto keep = [&](const rg::Boundary& boundary) { state = boundary.state(); };
    rg::run(trained.net, {trained.phase}, {}, {.stop = stop.get_token()}, watch, keep);
    if (in_two) {
      rg::run(trained.net, {trained.phase}, {}, {.from = state});
    }
    return weights(trained.net);
  };
  CHECK(same(run_with(1, false), run_with(1, true)));
  CHECK_FALSE(same(run_with(1, false), run_with(2, false)));
}

TEST_CASE("steps agree with PyTorch's own functions, or the published formulas in PyTorch, to 1e-5") {
  const std::optional<std::string> python = python_with_torch();
  if (!python) {
    return;
  }
  constexpr double bound = 0.4;
  constexpr double factor = 0.05;
  constexpr double floor = 1e-2;
  constexpr double decay = 0.8;
  const rg::Sam sam{.rho = 0.1};
  const rg::Asam asam{.rho = 0.7, .eta = 0.02};
  torch::manual_seed(7);
  std::vector<at::Tensor> exchange{torch::tensor({bound, factor, floor, decay, 0.1, 0.7, 0.02}, torch::kDouble)};
  std::vector<at::Tensor> results;
  const auto give = [&](const at::Tensor& tensor) {
    exchange.push_back(tensor.detach().clone());
    return exchange.back();
  };
  const auto parameter_with = [&](const at::Tensor& value, const at::Tensor& gradient) {
    at::Tensor parameter = value.clone().requires_grad_(true);
    parameter.mutable_grad() = gradient.clone();
    return parameter;
  };

  const at::Tensor clipped = parameter_with(at::zeros({6, 3}), give(at::randn({6, 3})));
  rg::ClipValues{.bound = bound}.gradient({.parameters = {clipped}});
  results.push_back(clipped.grad());
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{5, 4}, {4, 2, 3, 3}, {7}}) {
    const at::Tensor value = give(at::randn(shape) * 0.3);
    const at::Tensor unit = parameter_with(value, give(at::randn(shape) * 0.03));
    rg::AdaptiveClip{.factor = factor, .floor = floor}.gradient({.parameters = {unit}});
    results.push_back(unit.grad());
  }

  const auto normed = [] {
    torch::manual_seed(12);
    return torch::nn::Sequential(torch::nn::Linear(2, 6), torch::nn::BatchNorm1d(6), torch::nn::ReLU(),
                                 torch::nn::Linear(6, 3));
  };
  // Of all that is no whole number: of those PyTorch makes a rounded mean, and we keep the last.
  const auto of_floats = [](const std::vector<at::Tensor>& tensors) {
    std::vector<at::Tensor> floats;
    for (const at::Tensor& tensor : tensors) {
      if (tensor.is_floating_point()) {
        floats.push_back(tensor);
      }
    }
    return floats;
  };
  auto moving = normed();
  rg::ExponentialAverage exponential(moving, {.decay = decay});
  rg::StochasticAverage stochastic(moving);
  for (int i = 0; i < 5; ++i) {
    const at::NoGradGuard no_grad;
    for (const auto& list : {moving->parameters(), moving->buffers()}) {
      for (at::Tensor tensor : of_floats(list)) {
        tensor.copy_(give(at::randn(tensor.sizes())));
      }
    }
    exponential.update();
    stochastic.update();
  }
  for (const rg::Snapshot* const average : {&exponential.weights(), &stochastic.weights()}) {
    for (const rg::Named& named : average->tensors()) {
      if (named.tensor.is_floating_point()) {
        results.push_back(named.tensor);
      }
    }
  }

  for (const at::Tensor& tensor : weights(normed())) {
    give(tensor);
  }
  const rg::Batch all = points(48, 3);
  for (const at::Tensor& whole : {all.data, all.target}) {
    for (int i = 0; i < 3; ++i) {
      give(whole.narrow(0, 16 * i, 16));
    }
  }
  auto estimated = normed();
  rg::reestimate_batch_norm(estimated, all, {.batch = 16, .shuffle = false});
  for (const at::Tensor& buffer : estimated->buffers()) {
    results.push_back(buffer);
  }
  const auto train = [&](const auto& regularizer) {
    auto net = normed();
    const rg::Model model(net);
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
    for (int step = 0; step < 6; ++step) {
      const rg::Batch batch = rg::slice(all, 16 * (step % 3), 16);
      const auto gradient = [&] {
        sgd.zero_grad();
        torch::cross_entropy_loss(net->forward(batch.data), batch.target).backward();
      };
      gradient();
      regularizer.gradient({.parameters = net->parameters(), .model = &model, .recompute_gradients = gradient});
      sgd.step();
    }
    for (const at::Tensor& tensor : weights(net)) {
      results.push_back(tensor);
    }
  };
  train(sam);
  train(asam);

  const Folder folder;
  write_tensors(folder / "in.pt", exchange);
  REQUIRE(run_python(*python, "run/steps.py", {folder / "in.pt", folder / "out.txt"}));
  const std::vector<double> expected = numbers_in(folder / "out.txt");
  std::size_t at = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const at::Tensor flat = results[i].detach().to(torch::kDouble).flatten();
    REQUIRE(at + static_cast<std::size_t>(flat.numel()) <= expected.size());
    for (std::int64_t k = 0; k < flat.numel(); ++k) {
      CAPTURE(i, k);
      CHECK(flat[k].item<double>() == Approx(expected[at++]).epsilon(1e-5).margin(1e-5));
    }
  }
  CHECK(at == expected.size());
}

}  // namespace steps_test
