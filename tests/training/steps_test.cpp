// What acts in a step, in which order, how often the network is run meanwhile, and the averages of its weights.

#include "training/python.hpp"

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

/// One step on 24 points unless told otherwise.
rg::Phase phase_with(rg::OptimizerRef optimizer, std::vector<rg::AnyRegularizer> regularize, int epochs = 1) {
  return {.data = points(24, 5),
          .optimizer = optimizer,
          .epochs = epochs,
          .batch = 24,
          .regularize = std::move(regularize),
          .seed = 3};
}

struct Trained {
  explicit Trained(std::vector<rg::AnyRegularizer> regularize, int epochs = 1, double rate = 0.1)
      : sgd(net->parameters(), torch::optim::SGDOptions(rate)), phase(phase_with(sgd, std::move(regularize), epochs)) {}

  template <class... Observers>
  rg::History run(Observers&&... observers) {
    return rg::run(net, {phase}, {}, observers...);
  }

  [[nodiscard]] at::Tensor buffer(const std::string& name) const { return net->named_buffers()[name].clone(); }

  torch::nn::Sequential net = network(8);
  torch::optim::SGD sgd;
  rg::Phase phase;
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

TEST_CASE("ExponentialAverage: follows its formula from the first step's weights on, buffers too or not") {
  for (const bool buffers : {true, false}) {
    for (const bool warm_up : {true, false}) {
      CAPTURE(buffers, warm_up);
      Trained trained({}, 6);
      rg::ExponentialAverage average(trained.net, {.decay = 0.6, .warm_up = warm_up, .buffers = buffers});
      std::vector<at::Tensor> mean;
      int updates = 0;
      trained.run(average, [&](const rg::Step&) {
        const auto now = weights(trained.net);
        const double decay = warm_up ? std::min(0.6, 1 - std::pow(1.0 + updates, -2.0 / 3)) : 0.6;
        for (std::size_t i = 0; i < now.size(); ++i) {
          if (updates == 0) {
            mean.push_back(now[i]);
          } else if (!now[i].is_floating_point() || (!buffers && i >= trained.net->parameters().size())) {
            mean[i] = now[i];
          } else {
            mean[i] = decay * mean[i] + (1 - decay) * now[i];
          }
        }
        ++updates;
      });
      CHECK(average.updates() == 6);
      for (std::size_t i = 0; i < mean.size(); ++i) {
        CHECK(torch::allclose(average.weights().tensors()[i].tensor, mean[i], 1e-5, 1e-6));
      }
    }
  }
}

TEST_CASE("averages: complex weights have means, and those of 16 bits do not stand still") {
  // One step of (w + 2i) a time; both kinds of mean by hand.
  struct Numbers {
    at::Tensor weight;
    at::Tensor forward(const at::Tensor& x) { return x; }
    std::vector<at::Tensor> parameters() { return {weight}; }
    std::vector<at::Tensor> buffers() { return {}; }
  };
  const auto complex = [](double real, double imaginary) { return c10::complex<double>(real, imaginary); };
  Numbers net{at::full({2}, complex(2, 2), at::kComplexDouble)};
  rg::ExponentialAverage exponential(net, {.decay = 0.5});
  rg::StochasticAverage stochastic(net);
  for (const auto& value : {complex(2, 2), complex(4, 0), complex(0, 1)}) {
    net.weight.fill_(value);
    exponential.update();
    stochastic.update();
  }
  const auto is = [](const rg::Snapshot& mean, c10::complex<double> right) {
    return at::allclose(mean.tensors()[0].tensor, at::full({2}, right, at::kComplexDouble));
  };
  CHECK(is(exponential.weights(), complex(1.5, 1)));  // ((2+2i + 4) / 2 + i) / 2
  CHECK(is(stochastic.weights(), complex(2, 1)));

  // From 1 towards 2, a thousandth of the way at a time: 2 - 0.999^n. In bf16 1 + 1/1000 is 1.
  for (const at::ScalarType type : {at::kBFloat16, at::kHalf, at::kFloat}) {
    Numbers low{at::ones({3}, type)};
    rg::ExponentialAverage average(low, {.decay = 0.999});
    average.update();
    low.weight.fill_(2);
    for (int n = 0; n < 1500; ++n) {
      average.update();
    }
    CHECK(average.weights().tensors()[0].tensor.scalar_type() == type);
    CHECK(average.weights().tensors()[0].tensor[0].item<double>() == Approx(2 - std::pow(0.999, 1500)).epsilon(0.01));
    // And goes on from a file as if it had not been stored.
    torch::serialize::OutputArchive out;
    average.save(out);
    std::stringstream file;
    out.save_to(file);
    torch::serialize::InputArchive in;
    in.load_from(file);
    rg::ExponentialAverage again(low, {.decay = 0.999});
    again.load(in);
    for (rg::ExponentialAverage* const each : {&average, &again}) {
      each->update();
    }
    CHECK(again.weights().tensors()[0].tensor.equal(average.weights().tensors()[0].tensor));
  }
}

TEST_CASE("averages: of the named phase only, at the named steps and epochs") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  rg::Phase first = phase_with(sgd, {}, 5);
  first.name = "memorize";
  first.batch = 6;  // four steps an epoch
  rg::Phase second = first;
  second.name = "learn";
  rg::ExponentialAverage every(net);
  rg::ExponentialAverage third(net, {.every = 3, .phase = "learn"});
  rg::StochasticAverage epochs(net, {.first = 2, .every = 2, .phase = "learn"});
  std::vector<at::Tensor> sum;
  rg::run(net, {first, second}, {}, every, third, epochs, [&](const rg::Epoch& epoch) {
    if (epoch.phase == "learn" && (epoch.clock.epoch == 2 || epoch.clock.epoch == 4)) {
      const auto now = weights(net);
      for (std::size_t i = 0; i < now.size(); ++i) {
        sum.size() <= i ? sum.push_back(now[i]) : void(sum[i] += now[i]);
      }
    }
  });
  CHECK(every.updates() == 40);
  CHECK(third.updates() == 6);
  CHECK(epochs.updates() == 2);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    CHECK(torch::allclose(epochs.weights().tensors()[i].tensor, sum[i] / 2, 1e-5, 1e-6));
  }
}

TEST_CASE("averages: watch and change nothing, and stand in for the weights only while asked to") {
  Trained plain({}, 4);
  Trained watched({}, 4);
  rg::ExponentialAverage fast(watched.net, {.decay = 0.5});
  rg::StochasticAverage mean(watched.net);
  plain.run();
  watched.run(fast, mean, [&](const rg::Epoch&) { const auto averaged = fast.in_place(); });
  CHECK(same(weights(plain.net), weights(watched.net)));

  const auto own = weights(watched.net);
  const auto attempt = [&] {
    const auto averaged = mean.in_place();
    CHECK_FALSE(same(weights(watched.net), own));
    CHECK(torch::equal(watched.net->parameters()[0].detach(), mean.weights().tensors()[0].tensor));
    throw std::runtime_error("while evaluating");
  };
  CHECK_THROWS_AS(attempt(), std::runtime_error);
  CHECK(same(weights(watched.net), own));
  CHECK(watched.net->parameters()[0].requires_grad());

  auto other = network(99);
  fast.weights().restore(other);
  CHECK(torch::equal(other->parameters()[0].detach(), fast.weights().tensors()[0].tensor));
}

TEST_CASE("averages: go on from a checkpoint in the same bits, and refuse another model's") {
  const Folder folder;
  const auto averages_after = [&](bool in_two) {
    Trained trained({}, 5);
    rg::ExponentialAverage fast(trained.net, {.decay = 0.7, .warm_up = true});
    rg::StochasticAverage mean(trained.net, {.first = 2});
    if (in_two) {
      Trained part({}, 5);
      rg::ExponentialAverage fast_part(part.net, {.decay = 0.7, .warm_up = true});
      rg::StochasticAverage mean_part(part.net, {.first = 2});
      rg::Checkpoint keep(folder / "run.pt", {}, part.net, part.sgd, fast_part, mean_part);
      std::stop_source stop;
      rg::run(part.net, {part.phase}, {}, {.stop = stop.get_token()}, keep, fast_part, mean_part,
              [&](const rg::Step& step) {
                if (step.clock.step == 3) {
                  stop.request_stop();
                }
              });
      const rg::State from = rg::load_checkpoint(folder / "run.pt", trained.net, trained.sgd, fast, mean);
      CHECK(fast.updates() == 3);
      rg::run(trained.net, {trained.phase}, {}, {.from = from}, fast, mean);
    } else {
      trained.run(fast, mean);
    }
    std::vector<at::Tensor> all;
    for (const rg::Snapshot* each : {&fast.weights(), &mean.weights()}) {
      for (const rg::Named& named : each->tensors()) {
        all.push_back(named.tensor);
      }
    }
    CHECK(fast.updates() == 5);
    CHECK(mean.updates() == 4);
    return all;
  };
  CHECK(same(averages_after(false), averages_after(true)));

  auto wider = torch::nn::Sequential(torch::nn::Linear(2, 13));
  rg::ExponentialAverage stranger(wider);
  Trained trained({});
  CHECK(contains(error_of([&] { (void)rg::load_checkpoint(folder / "run.pt", trained.net, trained.sgd, stranger); }),
                 "average of 0.weight"));
}

TEST_CASE("averages: one that was not loaded is an error, before the first step; one that begins later is not") {
  const Folder folder;
  Trained first({}, 5);
  rg::Checkpoint keep(folder / "run.pt", {}, first.net, first.sgd);
  std::stop_source stop;
  rg::run(first.net, {first.phase}, {}, {.stop = stop.get_token()}, keep, [&](const rg::Step& step) {
    if (step.clock.step == 3) {
      stop.request_stop();
    }
  });
  Trained second({}, 5);
  const rg::State from = rg::load_checkpoint(folder / "run.pt", second.net, second.sgd);
  const auto trained = weights(second.net);
  const auto resumed = [&](auto&& average) {
    return error_of([&] { rg::run(second.net, {second.phase}, {}, {.from = from}, average); });
  };
  CHECK(contains(resumed(rg::ExponentialAverage(second.net)), "ExponentialAverage did not see the beginning"));
  CHECK(contains(resumed(rg::StochasticAverage(second.net, {.first = 2})), "StochasticAverage did not see"));
  CHECK(same(weights(second.net), trained));
  rg::ExponentialAverage from_here_on(second.net);
  from_here_on.begin_anew();
  CHECK(resumed(from_here_on).empty());
  CHECK(from_here_on.updates() == 2);
  CHECK(resumed(rg::StochasticAverage(second.net, {.first = 4})).empty());
  CHECK(resumed(rg::ExponentialAverage(second.net, {.phase = "another"})).empty());
}

TEST_CASE("averages: rules are checked, and are in the manifest by themselves") {
  auto net = plain_network();
  using Rule = rg::ExponentialAverage::Rule;
  CHECK(contains(error_of([&] { rg::ExponentialAverage(net, Rule{.decay = 1.5}); }), "ExponentialAverage.decay"));
  CHECK(contains(error_of([&] { rg::ExponentialAverage(net, Rule{.every = 0}); }), "ExponentialAverage.every"));
  CHECK(contains(error_of([&] { rg::StochasticAverage(net, {.first = 0}); }), "StochasticAverage.first"));
  CHECK(contains(error_of([&] { rg::StochasticAverage(net, {.first = 1, .every = 0}); }), "StochasticAverage.every"));
  rg::ExponentialAverage wild(net, {.decay = [](const rg::Clock& clock) { return clock.epoch + 0.5; }});
  CHECK_NOTHROW(wild.update());
  CHECK(contains(error_of([&] { wild.update({.clock = {.epoch = 1}}); }), "is 1.5"));
  CHECK(
      rg::manifest(Rule{.decay = 0.5}) ==
      R"({"type": "ExponentialAverage::Rule", "decay": 0.5, "warm_up": false, "every": 1, "buffers": true, "phase": ""})");
  CHECK(rg::manifest(rg::StochasticAverage::Rule{}) ==
        R"({"type": "StochasticAverage::Rule", "first": 1, "every": 1, "phase": ""})");
}

TEST_CASE("reestimate_batch_norm: gives the means of the batches' statistics, whatever the layers' momentum") {
  using torch::nn::BatchNorm1dOptions;
  const rg::Batch data = points(36, 9);
  for (const double momentum : {0.1, 0.01, 0.5, 1.0 / 3, 1.0, -1.0}) {
    CAPTURE(momentum);
    auto options = BatchNorm1dOptions(2);
    options.momentum(momentum < 0 ? torch::optional<double>() : torch::optional<double>(momentum));
    torch::nn::Sequential net{torch::nn::BatchNorm1d(options), torch::nn::Dropout(0.4), torch::nn::Linear(2, 3)};
    torch::nn::BatchNorm1d unused(2);
    net->register_module("unused", unused);
    unused->running_mean.fill_(7);
    net->eval();
    torch::manual_seed(1);
    const at::Tensor generator = generator_state();
    rg::reestimate_batch_norm(net, data, {.batch = 12, .shuffle = false});
    CHECK(torch::equal(generator_state(), generator));
    CHECK_FALSE(net->is_training());

    const at::Tensor batches = data.data.view({3, 12, 2});
    const auto buffers = net->named_buffers();
    CHECK(torch::allclose(buffers["0.running_mean"], batches.mean(1).mean(0), 1e-5, 1e-6));
    CHECK(torch::allclose(buffers["0.running_var"], batches.var(1).mean(0), 1e-5, 1e-6));
    CHECK(buffers["0.num_batches_tracked"].item<int>() == 3);
    CHECK(buffers["unused.running_mean"][0].item<double>() == 7);
    CHECK(buffers["unused.num_batches_tracked"].item<int>() == 0);
  }
}

TEST_CASE("reestimate_batch_norm: a smaller last batch counts as much as the others, or is left out") {
  const rg::Batch data = points(36, 9);
  torch::nn::Sequential net(torch::nn::BatchNorm1d(2), torch::nn::Linear(2, 3));
  const auto statistics = [&](bool drop_last) {
    rg::reestimate_batch_norm(net, data, {.batch = 16, .shuffle = false, .drop_last = drop_last});
    return net->named_buffers();
  };
  const auto mean = [&](std::int64_t begin, std::int64_t n) { return data.data.narrow(0, begin, n).mean(0); };
  const auto variance = [&](std::int64_t begin, std::int64_t n) { return data.data.narrow(0, begin, n).var(0); };
  const auto all = statistics(false);
  CHECK(torch::allclose(all["0.running_mean"], (mean(0, 16) + mean(16, 16) + mean(32, 4)) / 3, 1e-5, 1e-6));
  CHECK(torch::allclose(all["0.running_var"], (variance(0, 16) + variance(16, 16) + variance(32, 4)) / 3, 1e-5, 1e-6));
  CHECK(all["0.num_batches_tracked"].item<int>() == 3);
  const auto whole = statistics(true);
  CHECK(torch::allclose(whole["0.running_mean"], (mean(0, 16) + mean(16, 16)) / 2, 1e-5, 1e-6));
  CHECK(torch::allclose(whole["0.running_var"], (variance(0, 16) + variance(16, 16)) / 2, 1e-5, 1e-6));
  CHECK(whole["0.num_batches_tracked"].item<int>() == 2);
}

TEST_CASE("reestimate_batch_norm: large statistics are no trouble, and what fails leaves everything as it was") {
  rg::Batch data = points(32, 9);
  data.data = data.data * 300 + 4000;
  torch::nn::Sequential net(torch::nn::BatchNorm1d(2), torch::nn::Linear(2, 3));
  rg::reestimate_batch_norm(net, data, {.batch = 16, .shuffle = false});
  const auto buffers = net->named_buffers();
  CHECK(torch::allclose(buffers["0.running_mean"], data.data.mean(0), 1e-5, 0));
  CHECK(torch::allclose(buffers["0.running_var"], data.data.view({2, 16, 2}).var(1).mean(0), 1e-4, 0));

  const auto before = weights(net);
  int calls = 0;
  const rg::Model fails(net, [&](torch::nn::Sequential& n, const rg::Batch& batch) {
    if (++calls == 3) {
      throw std::runtime_error("no output");
    }
    return n->forward(batch.data * 2);
  });
  CHECK_THROWS_AS(rg::reestimate_batch_norm(fails, data, {.batch = 16}), std::runtime_error);
  CHECK(same(weights(net), before));

  CHECK(error_of([&] { rg::reestimate_batch_norm(net, data, {.batch = 0}); }) ==
        "Reestimation.batch must be at least 1, but is 0");
  CHECK(error_of([&] { rg::reestimate_batch_norm(net, data, {.batch = 33, .drop_last = true}); }) ==
        "Reestimation.batch must be at most source.size() = 32 with drop_last, but is 33");
  CHECK(same(weights(net), before));

  auto without = plain_network();
  CHECK_NOTHROW(rg::reestimate_batch_norm(without, data));
  CHECK(contains(error_of([&] { rg::reestimate_batch_norm(net, {}); }), "source that ends"));
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
  REQUIRE(run_python(*python, "steps.py", {folder / "in.pt", folder / "out.txt"}));
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

namespace {

/// A BatchNorm that a pass calls as often as the batch's first id says: not at all, once or twice.
struct AsOftenAs : torch::nn::Module {
  explicit AsOftenAs(std::vector<int> of_batch) : calls(std::move(of_batch)) {
    norm = register_module("norm", torch::nn::BatchNorm1d(2));
    last = register_module("last", torch::nn::Linear(2, 3));
  }
  torch::Tensor forward(torch::Tensor x) {
    const int times = calls[static_cast<std::size_t>(x.select(1, 2)[0].item<double>())];
    x = x.narrow(1, 0, 2);
    for (int call = 0; call < times; ++call) {
      x = norm(x + call) * 3 + 1;
    }
    return last(x);
  }

  std::vector<int> calls;
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Linear last{nullptr};
};

/// Ten samples a batch; the third column is the batch's number.
rg::Batch numbered_batches(std::int64_t count) {
  rg::Batch data = points(10 * count, 9);
  const at::Tensor number = torch::arange(count, torch::kFloat).repeat_interleave(10).unsqueeze(1);
  data.data = torch::cat({data.data * torch::linspace(1, 4, 10 * count).unsqueeze(1), number}, 1);
  return data;
}

}  // namespace

TEST_CASE("reestimate_batch_norm: a layer's mean is over its calls, where it is skipped, used twice, or both") {
  for (const std::vector<int>& calls :
       {std::vector<int>{1, 0, 1, 0}, {0, 1, 1, 1}, {2, 2, 2, 2}, {0, 2, 1, 0}, {0, 0, 0, 3}}) {
    CAPTURE(calls);
    AsOftenAs net(calls);
    const auto count = static_cast<std::int64_t>(calls.size());
    const rg::Batch data = numbered_batches(count);
    // By hand: each call normalizes what it is given, as LibTorch's does with fresh gains.
    at::Tensor mean = torch::zeros({2}, torch::kDouble);
    at::Tensor variance = torch::zeros({2}, torch::kDouble);
    int all = 0;
    for (std::int64_t b = 0; b < count; ++b) {
      at::Tensor x = data.data.narrow(0, 10 * b, 10).narrow(1, 0, 2).to(torch::kDouble);
      for (int call = 0; call < calls[static_cast<std::size_t>(b)]; ++call, ++all) {
        x = x + call;
        mean += x.mean(0);
        variance += x.var(0);
        x = (x - x.mean(0)) / (x.var(0, false) + 1e-5).sqrt() * 3 + 1;
      }
    }
    rg::reestimate_batch_norm(rg::Model(&net), data, {.batch = 10, .shuffle = false});
    CHECK(torch::allclose(net.norm->running_mean.to(torch::kDouble), mean / all, 1e-5, 1e-6));
    CHECK(torch::allclose(net.norm->running_var.to(torch::kDouble), variance / all, 1e-5, 1e-6));
    CHECK(net.norm->num_batches_tracked.item<int>() == all);
  }
}

TEST_CASE("reestimate_batch_norm: a layer without momentum, one that no batch calls, and parts in eval mode") {
  AsOftenAs net({2, 1});
  net.norm->options.momentum() = torch::nullopt;
  const rg::Batch data = numbered_batches(2);
  const at::Tensor first = data.data.narrow(0, 0, 10).narrow(1, 0, 2);
  const at::Tensor again = (first - first.mean(0)) / (first.var(0, false) + 1e-5).sqrt() * 3 + 1 + 1;
  const at::Tensor second = data.data.narrow(0, 10, 10).narrow(1, 0, 2);
  rg::reestimate_batch_norm(rg::Model(&net), data, {.batch = 10, .shuffle = false});
  CHECK(torch::allclose(net.norm->running_mean, (first.mean(0) + again.mean(0) + second.mean(0)) / 3, 1e-4, 1e-5));
  CHECK(torch::allclose(net.norm->running_var, (first.var(0) + again.var(0) + second.var(0)) / 3, 1e-4, 1e-5));

  AsOftenAs idle({0, 0});
  idle.norm->running_mean.fill_(5);
  rg::reestimate_batch_norm(rg::Model(&idle), data, {.batch = 10, .shuffle = false});
  CHECK(idle.norm->running_mean[0].item<double>() == 5);
  AsOftenAs kept({1, 1});
  kept.norm->running_mean.fill_(5);
  rg::reestimate_batch_norm(rg::Model(&kept), data, {.batch = 10, .shuffle = false, .eval = {"norm"}});
  CHECK(kept.norm->running_mean[0].item<double>() == 5);
}

namespace {

/// BatchNorm a, a linear layer, BatchNorm b. With `frozen`, its own train() leaves a in eval mode.
struct Behind : torch::nn::Module {
  explicit Behind(bool frozen) : is_frozen(frozen) {
    torch::manual_seed(5);
    a = register_module("a", torch::nn::BatchNorm1d(2));
    linear = register_module("linear", torch::nn::Linear(2, 3));
    b = register_module("b", torch::nn::BatchNorm1d(3));
    const torch::NoGradGuard no_grad;
    a->running_mean.fill_(5);
    a->running_var.fill_(4);
  }
  void train(bool on = true) override {
    torch::nn::Module::train(on);
    if (is_frozen) {
      a->train(false);
    }
  }
  torch::Tensor forward(const torch::Tensor& x) { return b(linear(a(x))); }

  bool is_frozen;
  torch::nn::BatchNorm1d a{nullptr};
  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm1d b{nullptr};
};

}  // namespace

TEST_CASE("reestimate_batch_norm: layers behind one in eval mode see what it gives by its own statistics") {
  const rg::Batch data = points(36, 9);
  for (const bool frozen : {true, false}) {
    CAPTURE(frozen);
    Behind net(frozen);
    const std::vector<std::string> eval = frozen ? std::vector<std::string>() : std::vector<std::string>{"a"};
    // By hand: a gives (x - 5) / sqrt(4 + 1e-5), and b's statistics are of the linear layer's outputs for that.
    const torch::NoGradGuard no_grad;
    const at::Tensor y = net.linear((data.data - 5) / std::sqrt(4 + 1e-5)).view({3, 12, 3});
    rg::reestimate_batch_norm(rg::Model(&net), data, {.batch = 12, .shuffle = false, .eval = eval});
    CHECK(torch::allclose(net.b->running_mean, y.mean(1).mean(0), 1e-5, 1e-6));
    CHECK(torch::allclose(net.b->running_var, y.var(1).mean(0), 1e-5, 1e-6));
    CHECK(net.b->num_batches_tracked.item<int>() == 3);
    CHECK(torch::equal(net.a->running_mean, torch::full({2}, 5.0F)));
    CHECK(torch::equal(net.a->running_var, torch::full({2}, 4.0F)));
    CHECK(net.a->num_batches_tracked.item<int>() == 0);
  }
  // Statistics that are NaN already are no sign that a layer writes them.
  Behind broken(false);
  broken.a->running_mean.fill_(std::nan(""));
  rg::reestimate_batch_norm(rg::Model(&broken), data, {.batch = 12, .eval = {"a"}});
  CHECK(broken.a->running_mean.isnan().all().item<bool>());
  CHECK(torch::equal(broken.a->running_var, torch::full({2}, 4.0F)));
  // Nor are statistics that a batch leaves as they were a sign that it does not: estimated twice, they stay.
  Behind twice(false);
  for (int i = 0; i < 2; ++i) {
    rg::reestimate_batch_norm(rg::Model(&twice), data, {.batch = 36, .shuffle = false});
    CHECK(torch::allclose(twice.a->running_mean, data.data.mean(0), 1e-5, 1e-6));
    CHECK(twice.a->num_batches_tracked.item<int>() == 1);
  }
}

TEST_CASE("reestimate_batch_norm: as a phase trains, by its preprocessing, batch, precision and parts in eval mode") {
  torch::manual_seed(2);
  const rg::Batch bytes{.data = torch::randint(0, 256, {10, 2, 3, 3}, torch::kByte),
                        .target = torch::zeros({10}, torch::kLong)};
  torch::nn::Sequential net(torch::nn::BatchNorm2d(2), torch::nn::BatchNorm2d(2));
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase{.data = bytes,
                        .optimizer = sgd,
                        .epochs = 1,
                        .batch = 5,
                        .preprocess = {rg::Normalize{.mean = {0.5}, .stddev = {0.25}}},
                        .eval = {"1"}};
  net[1]->as<torch::nn::BatchNorm2d>()->running_mean.fill_(7);
  rg::reestimate_batch_norm(net, bytes, phase);
  const at::Tensor x = ((bytes.data.to(torch::kDouble) / 255 - 0.5) / 0.25);
  const auto buffers = net->named_buffers();
  // The mean of the means of two halves is that of all, whatever the order.
  CHECK(torch::allclose(buffers["0.running_mean"].to(torch::kDouble), x.mean(c10::IntArrayRef{0, 2, 3}), 1e-5, 1e-6));
  CHECK(buffers["0.num_batches_tracked"].item<int>() == 2);
  CHECK(torch::equal(buffers["1.running_mean"], torch::full({2}, 7.0F)));
  const rg::Reestimation how = rg::reestimation_of(phase);
  CHECK(how.batch == 5);
  CHECK(how.preprocess.size() == 1);
  CHECK(how.eval == phase.eval);
  CHECK(how.execute == phase.execute);
  rg::Phase other = phase;
  other.execute.precision = rg::Precision::bf16;
  other.drop_last = true;
  CHECK(rg::reestimation_of(other).execute.precision == rg::Precision::bf16);
  CHECK(rg::reestimation_of(other).drop_last);
}

TEST_CASE("reestimate_batch_norm: a layer of one's own is known by its buffers, if it updates them once a pass") {
  struct ByHand : torch::nn::Module {
    explicit ByHand(int times) : updates(times) {
      mean = register_buffer("running_mean", torch::zeros({2}));
      count = register_buffer("num_batches_tracked", torch::zeros({}, torch::kLong));
      weight = register_parameter("weight", torch::ones({2}));
    }
    torch::Tensor forward(const torch::Tensor& x) {
      for (int i = 0; i < updates && is_training(); ++i) {
        mean.mul_(0.75).add_(x.mean(0).detach() * 0.25);
        count += 1;
      }
      return x * weight;
    }
    int updates;
    torch::Tensor mean, count, weight;
  };
  const rg::Batch data = points(30, 9);
  ByHand once(1);
  rg::reestimate_batch_norm(rg::Model(&once), data, {.batch = 10, .shuffle = false});
  CHECK(torch::allclose(once.mean, data.data.mean(0), 1e-5, 1e-6));
  CHECK(once.count.item<int>() == 3);
  ByHand twice(2);
  twice.mean.fill_(5);
  CHECK(contains(error_of([&] { rg::reestimate_batch_norm(rg::Model(&twice), data, {.batch = 10}); }),
                 "2 times in one pass"));
  CHECK(twice.mean[0].item<double>() == 5);
}

}  // namespace steps_test
