// What is set of a borrowed optimizer: rates, momenta, weight decays and its state, by hand and by a phase's schedules.

#include "support/training.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace scheduled_options_test {

using namespace training;

TEST_CASE("a borrowed optimizer tells and takes one rate a group, and a scale lasts as long as its scope") {
  auto net = plain_network();
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{net->parameters()[0]}, std::make_unique<torch::optim::SGDOptions>(0.3));
  groups.emplace_back(std::vector<at::Tensor>{net->parameters()[1], net->parameters()[2]},
                      std::make_unique<torch::optim::SGDOptions>(0.1));
  torch::optim::SGD sgd(std::move(groups), torch::optim::SGDOptions(1.0));
  const rg::OptimizerRef ref(sgd);
  using Rates = std::vector<double>;
  CHECK(ref.defined());
  CHECK_FALSE(rg::OptimizerRef().defined());
  CHECK(ref.learning_rates() == Rates{0.3, 0.1});
  CHECK(ref.parameters().size() == 3);
  {
    const auto scaled = rg::detail::scaled_rates(ref, 0.5);
    CHECK(ref.learning_rates() == Rates{0.3 * 0.5, 0.1 * 0.5});
    const auto nothing = rg::detail::scaled_rates(ref, 1);
    CHECK(ref.learning_rates() == Rates{0.3 * 0.5, 0.1 * 0.5});
  }
  CHECK(ref.learning_rates() == Rates{0.3, 0.1});
  try {
    const auto scaled = rg::detail::scaled_rates(ref, 0);
    CHECK(ref.learning_rates() == Rates{0, 0});
    throw std::runtime_error("boom");
  } catch (const std::runtime_error&) {
    CHECK(ref.learning_rates() == Rates{0.3, 0.1});
  }
  ref.set_learning_rates({0.25, 0.75});
  CHECK(ref.learning_rates() == Rates{0.25, 0.75});
  rg::set_learning_rate(sgd, 0.5);
  CHECK(ref.learning_rates() == Rates{0.5, 0.5});
  const rg::OptimizerRef copy = ref;
  CHECK(copy.learning_rates() == Rates{0.5, 0.5});
}

TEST_CASE("clearing a borrowed optimizer's state forgets its momentum, and Adagrad's sums begin anew") {
  auto net = plain_network();
  const auto step = [&](auto& optimizer) {
    optimizer.zero_grad();
    net->forward(torch::ones({2, 2})).sum().backward();
    optimizer.step();
  };
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  step(sgd);
  CHECK_FALSE(sgd.state().empty());
  rg::OptimizerRef(sgd).clear_state();
  CHECK(sgd.state().empty());

  torch::optim::Adagrad adagrad(net->parameters(), torch::optim::AdagradOptions(0.1).initial_accumulator_value(0.5));
  step(adagrad);
  step(adagrad);
  rg::OptimizerRef(adagrad).clear_state();
  CHECK(adagrad.state().size() == 4);
  for (const auto& entry : adagrad.state()) {
    const auto& state = static_cast<const torch::optim::AdagradParamState&>(*entry.second);
    CHECK(state.step() == 0);
    CHECK((state.sum() == 0.5).all().item<bool>());
  }
}

TEST_CASE("momentum and weight decay are set in every group, and Adam's momentum is its first beta") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.5).weight_decay(0.25));
  torch::optim::AdamW adamw(net->parameters(), torch::optim::AdamWOptions(0.1));
  rg::set_momentum(sgd, 0.75);
  rg::set_weight_decay(sgd, 0.125);
  rg::set_momentum(adamw, 0.75);
  rg::set_weight_decay(adamw, 0.125);
  const auto& of_sgd = static_cast<torch::optim::SGDOptions&>(sgd.param_groups()[0].options());
  const auto& of_adamw = static_cast<torch::optim::AdamWOptions&>(adamw.param_groups()[0].options());
  CHECK(of_sgd.momentum() == 0.75);
  CHECK(of_sgd.weight_decay() == 0.125);
  CHECK(of_adamw.betas() == std::make_tuple(0.75, 0.999));
  CHECK(of_adamw.weight_decay() == 0.125);

  struct OwnSgd : torch::optim::SGD {
    using SGD::SGD;
  };
  OwnSgd own(net->parameters(), torch::optim::SGDOptions(0.1));
  torch::optim::RMSprop rmsprop(net->parameters(), 0.1);
  torch::optim::Adam adam(net->parameters(), 0.1);
  torch::optim::Adagrad adagrad(net->parameters(), 0.1);
  CHECK(rg::OptimizerRef(own).has_momentum());
  CHECK(rg::OptimizerRef(rmsprop).has_momentum());
  CHECK(rg::OptimizerRef(adam).momenta().get() == std::vector<double>{0.9});
  CHECK_FALSE(rg::OptimizerRef(adagrad).has_momentum());
  CHECK_FALSE(rg::OptimizerRef(static_cast<torch::optim::Optimizer&>(sgd)).has_momentum());
}

namespace {

/// Trains by `run` with the two driven, and by hand with the options set before each step; true if both end in the same
/// bits, elsewhere than without them, and the options are as they were.
template <class O, class Options>
bool driven_as_by_hand(const Options& options) {
  const rg::Source train = points(40, 11);
  const rg::OneCycle cycle{.epochs = 3, .start = 0.95, .peak = 0.5, .end = 0.9};
  const rg::LinearDecay decay{.epochs = 3, .from = 2, .to = 0.5};
  const rg::Cosine cosine{.epochs = 4};
  rg::Phase phase{.data = train, .epochs = 3, .lr_scale = cosine, .batch = 8, .seed = 9};

  auto net = plain_network();
  O optimizer(net->parameters(), options);
  phase.optimizer = optimizer;
  const std::string before = rg::OptimizerRef(optimizer).manifest();
  auto plain = plain_network();
  O undriven(plain->parameters(), options);
  rg::Phase without = phase;
  without.optimizer = undriven;
  phase.momentum = cycle;
  phase.weight_decay_scale = decay;
  rg::run(net, {phase}, {});
  rg::run(plain, {without}, {});

  auto own = plain_network();
  O by_hand(own->parameters(), options);
  auto& group = static_cast<Options&>(by_hand.param_groups()[0].options());
  const double weight_decay = group.weight_decay();
  for (rg::Clock t{.batches = 5}; t.epoch < 3; ++t.epoch) {
    const rg::Cursor next = train.read({.batch = 8, .shuffle = true, .seed = 9, .now = {t}});
    for (t.batch = 0; t.batch < t.batches; ++t.batch) {
      const rg::Batch batch = next();
      group.set_lr(options.get_lr() * cosine(t));
      group.weight_decay(weight_decay * decay(t));
      if constexpr (requires { group.betas(); }) {
        group.betas(std::make_tuple(cycle(t), std::get<1>(group.betas())));
      } else {
        group.momentum(cycle(t));
      }
      by_hand.zero_grad();
      torch::cross_entropy_loss(own->forward(batch.data), batch.target).backward();
      by_hand.step();
    }
  }
  return same(weights(net), weights(own)) && !same(weights(net), weights(plain)) &&
         rg::OptimizerRef(optimizer).manifest() == before;
}

}  // namespace

TEST_CASE("scheduled momentum and weight decay are those of a loop by hand, bit for bit, and are put back") {
  using namespace torch::optim;
  CHECK(driven_as_by_hand<SGD>(SGDOptions(0.1).momentum(0.9).weight_decay(1e-2)));
  CHECK(driven_as_by_hand<SGD>(SGDOptions(0.1).momentum(0.9).weight_decay(1e-2).nesterov(true)));
  CHECK(driven_as_by_hand<Adam>(AdamOptions(0.01).weight_decay(1e-2)));
  CHECK(driven_as_by_hand<AdamW>(AdamWOptions(0.01).weight_decay(1e-1)));
  CHECK(driven_as_by_hand<RMSprop>(RMSpropOptions(0.01).weight_decay(1e-2)));
}

namespace {

/// Trains two phases by `run`, without momentum and then with a scheduled one on the optimizer's state as it is, and
/// the same by hand: `step(optimizer, state of a parameter, momentum)`. True if both end in the same weights.
template <class O, class Options, class Step>
bool momentum_begins_late(const Options& options, Step&& step) {
  const rg::Source train = points(40, 11);
  const rg::LinearDecay momentum{.epochs = 2, .from = 0.9, .to = 0.5};
  rg::Phase first{.name = "first", .data = train, .epochs = 2, .batch = 8, .seed = 9};
  auto net = plain_network();
  O optimizer(net->parameters(), options);
  first.optimizer = optimizer;
  rg::Phase second = first;
  second.name = "second";
  second.momentum = momentum;
  second.carry_optimizer_state = true;
  rg::run(net, {first, second}, {});

  auto own = plain_network();
  std::vector<std::map<std::string, at::Tensor>> states(own->parameters().size());
  for (int phase = 0; phase < 2; ++phase) {
    for (rg::Clock t{.batches = 5}; t.epoch < 2; ++t.epoch) {
      const rg::Cursor next = train.read({.batch = 8, .shuffle = true, .seed = 9, .now = {t}});
      for (t.batch = 0; t.batch < t.batches; ++t.batch) {
        const rg::Batch batch = next();
        own->zero_grad();
        torch::cross_entropy_loss(own->forward(batch.data), batch.target).backward();
        const at::NoGradGuard no_grad;
        for (std::size_t i = 0; i < states.size(); ++i) {
          step(own->parameters()[i], states[i], phase == 0 ? 0 : momentum(t));
        }
      }
    }
  }
  return difference(weights(net), weights(own)) < 1e-5;
}

at::Tensor& state_at(std::map<std::string, at::Tensor>& state, const std::string& name, const at::Tensor& like) {
  return state.try_emplace(name, at::zeros_like(like)).first->second;
}

}  // namespace

TEST_CASE("a momentum that begins in a later phase goes on from a state that has none") {
  using namespace torch::optim;
  constexpr double rate = 0.01;
  const auto rmsprop = [](bool centered) {
    return [centered](at::Tensor p, std::map<std::string, at::Tensor>& state, double momentum) {
      at::Tensor& square = state_at(state, "square", p);
      at::Tensor& mean = state_at(state, "mean", p);
      at::Tensor& buffer = state_at(state, "momentum", p);
      square = 0.99 * square + 0.01 * p.grad().square();
      mean = 0.99 * mean + 0.01 * p.grad();
      const at::Tensor variance = centered ? square - mean.square() : square;
      buffer = momentum * buffer + p.grad() / (variance.sqrt() + 1e-8);
      p.sub_(rate * buffer);
      if (momentum == 0) {
        buffer = at::zeros_like(p);
      }
    };
  };
  CHECK(momentum_begins_late<RMSprop>(RMSpropOptions(rate), rmsprop(false)));
  CHECK(momentum_begins_late<RMSprop>(RMSpropOptions(rate).centered(true), rmsprop(true)));
  // SGD fills its buffer with the first gradient that it sees with a momentum, whatever was before.
  CHECK(momentum_begins_late<SGD>(SGDOptions(rate),
                                  [](at::Tensor p, std::map<std::string, at::Tensor>& state, double momentum) {
                                    at::Tensor& buffer = state_at(state, "momentum", p);
                                    buffer = momentum * buffer + p.grad();
                                    p.sub_(rate * buffer);
                                    if (momentum == 0) {
                                      buffer = at::zeros_like(p);
                                    }
                                  }));
}

TEST_CASE("set_momentum: an RMSprop that has stepped without momentum goes on with one, in a loop of one's own") {
  const at::Tensor w = torch::tensor({1.0, -2.0}, torch::kDouble).requires_grad_();
  torch::optim::RMSprop rmsprop({w}, torch::optim::RMSpropOptions(0.1).alpha(0.5).eps(0));
  const auto step = [&](double slope) {
    w.mutable_grad() = at::full({2}, slope, torch::kDouble);
    rmsprop.step();
  };
  step(2);  // v = 2, w falls by 0.1 * 2 / sqrt(2)
  const at::Tensor before = w.detach().clone();
  rg::set_momentum(rmsprop, 0.5);
  step(2);  // v = 3, b = 2 / sqrt(3)
  step(1);  // v = 2, b = 1 / sqrt(3) + 1 / sqrt(2)
  const double fall = 0.1 * (3 / std::sqrt(3) + 1 / std::sqrt(2));
  CHECK(torch::allclose(w.detach(), before - fall, 1e-12, 1e-12));
}

TEST_CASE("a fused step is driven as an ordinary one") {
  const auto trained = [](bool fused) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-2));
    rg::run(net,
            {{.data = points(40, 11),
              .optimizer = sgd,
              .epochs = 3,
              .momentum = rg::OneCycle{.epochs = 3, .start = 0.95, .peak = 0.5, .end = 0.9},
              .weight_decay_scale = rg::LinearDecay{.epochs = 3},
              .batch = 8,
              .execute = {.fused = fused},
              .seed = 9}},
            {});
    return weights(net);
  };
  CHECK(difference(trained(true), trained(false)) < 1e-6);
}

TEST_CASE("weight decay is scaled group by group, and momentum leaves its bounds with an Error that names it") {
  auto net = plain_network();
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<at::Tensor>{net->parameters()[0]},
                      std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(0.1).weight_decay(0.5)));
  groups.emplace_back(std::vector<at::Tensor>{net->parameters()[1], net->parameters()[2], net->parameters()[3]},
                      std::make_unique<torch::optim::SGDOptions>(0.1));
  torch::optim::SGD sgd(std::move(groups), torch::optim::SGDOptions(0.1));
  const rg::OptimizerRef ref(sgd);
  {
    const auto decays = rg::detail::scaled_weight_decays(ref, 0.5);
    CHECK(ref.weight_decays().get() == std::vector<double>{0.25, 0});
    const auto momenta = rg::detail::set_momenta(ref, 0.75);
    CHECK(ref.momenta().get() == std::vector<double>{0.75, 0.75});
  }
  CHECK(ref.weight_decays().get() == std::vector<double>{0.5, 0});
  CHECK(ref.momenta().get() == std::vector<double>{0, 0});

  rg::Phase phase{.data = points(40, 11), .optimizer = sgd, .epochs = 2, .batch = 20};
  phase.momentum = [](const rg::Clock& clock) { return clock.step < 3 ? 0.5 : 1.0; };
  CHECK(error_of([&] { rg::run(net, {phase}, {}); }) == "Phase \"train\".momentum must be in (0, 1), but is 1");
  CHECK(ref.momenta().get() == std::vector<double>{0, 0});
}

TEST_CASE("what drives an optimizer is checked before the first step") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  torch::optim::Adagrad adagrad(net->parameters(), 0.1);
  const rg::Phase good{.data = points(40, 11), .optimizer = sgd, .epochs = 1};
  const auto error = [&](const auto& spoil) {
    rg::Phase phase = good;
    spoil(phase);
    return error_of([&] { rg::run(net, {phase}, {}); });
  };
  CHECK(error([](auto& p) { p.momentum = 1; }) == "Phase \"train\".momentum must be in (0, 1), but is 1");
  CHECK(error([](auto& p) { p.momentum = 0; }) == "Phase \"train\".momentum must be in (0, 1), but is 0");
  CHECK(error([](auto& p) { p.weight_decay_scale = -1; }) ==
        "Phase \"train\".weight_decay_scale must be at least 0 and finite, but is -1");
  CHECK(error([](auto& p) { p.momentum = rg::PlateauDecay{.metric = rg::Metric::test_loss}; }) ==
        "Phase \"train\".momentum reads test_loss, which is never scored: set that data in Scoring");
  CHECK(error([](auto& p) { p.weight_decay_scale = rg::PlateauDecay{.metric = rg::Metric::test_loss}; }) ==
        "Phase \"train\".weight_decay_scale reads test_loss, which is never scored: set that data in Scoring");
  const std::string none_of_them =
      " drives SGD, Adam, AdamW, RMSprop, and what derives from them, given as themselves: this optimizer is none of "
      "them";
  CHECK(error([&](auto& p) {
          p.optimizer = adagrad;
          p.momentum = 0.5;
        }) == "Phase \"train\".momentum" + none_of_them);
  CHECK(error([&](auto& p) {
          p.optimizer = adagrad;
          p.weight_decay_scale = rg::Cosine{.epochs = 2};
        }) == "Phase \"train\".weight_decay_scale" + none_of_them);
  CHECK(error([](auto& p) { p.until = rg::MeasureExceeds{.measure = "distance", .bound = 1}; }) ==
        "Phase \"train\".until reads the measure \"distance\", which is never taken: add it to Scoring::measures");
}

TEST_CASE("an optimizer that makes its state in its constructor clears it itself; Adagrad must come as itself") {
  struct Counting : torch::optim::SGD {
    using SGD::SGD;
    void clear_state() { ++cleared; }
    int cleared = 0;
  };
  auto net = plain_network();
  Counting counting(net->parameters(), 0.1);
  rg::OptimizerRef(counting).clear_state();
  CHECK(counting.cleared == 1);

  torch::optim::Adagrad adagrad(net->parameters(), torch::optim::AdagradOptions(0.1));
  torch::optim::Optimizer& base = adagrad;
  CHECK(contains(error_of([&] { static_cast<void>(rg::OptimizerRef(base)); }), "Adagrad must be given as itself"));
  torch::optim::Optimizer& sgd = counting;
  CHECK(rg::OptimizerRef(sgd).defined());
}

}  // namespace scheduled_options_test
