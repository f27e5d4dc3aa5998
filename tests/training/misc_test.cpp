// What lies around the loop: the borrowed optimizer, the manifest of a run, and the observers that write files.

#include "training/helpers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <tuple>

namespace misc_test {

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

TEST_CASE("a distance budget ends a phase when the weights have gone far enough") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Scoring scoring{.every = 2};
  scoring.measures["distance"] = rg::DistanceFrom{rg::Snapshot(net)};
  const rg::Phase phase{.data = points(40, 11),
                        .optimizer = sgd,
                        .epochs = 50,
                        .until = rg::MeasureExceeds{.measure = "distance", .bound = 0.5},
                        .batch = 8};
  const rg::History history = rg::run(net, {phase}, scoring);
  CHECK(history.ended() == rg::Ended::criterion);
  CHECK(history.size() < 50);
  CHECK(history.size() % 2 == 0);  // counted in scorings
  CHECK(history.back().measures.at("distance") > 0.5);
  CHECK(history.epochs[history.size() - 3].measures.at("distance") <= 0.5);
}

TEST_CASE("a criterion on a measure sees every scoring, also where nothing else is scored") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Scoring scoring{.every = 2, .score_fit = false};
  scoring.measures["distance"] = rg::DistanceFrom{rg::Snapshot(net)};
  const rg::Phase phase{.data = points(40, 11),
                        .optimizer = sgd,
                        .epochs = 50,
                        .until = rg::MeasureExceeds{.measure = "distance", .bound = 0.01, .hold = 3},
                        .batch = 8};
  const rg::History history = rg::run(net, {phase}, scoring);
  CHECK(history.ended() == rg::Ended::criterion);
  CHECK(history.size() == 6);
}

TEST_CASE("regularizers act on what the optimizer trains, and leave the model's other parameters alone") {
  auto net = plain_network();
  const std::vector<at::Tensor> all = net->parameters();
  torch::optim::SGD sgd(std::vector<at::Tensor>(all.end() - 2, all.end()), 0.1);
  const auto before = weights(net);
  const rg::Phase phase{.data = points(40, 11),
                        .optimizer = sgd,
                        .epochs = 2,
                        .batch = 8,
                        .regularize = {rg::DecoupledDecay{.decay = 0.1}, rg::MaxNorm{.bound = 0.01}}};
  rg::run(net, {phase}, {});
  CHECK(at::equal(net->parameters()[0], before[0]));
  CHECK_FALSE(at::equal(net->parameters()[all.size() - 2], before[all.size() - 2]));
}

TEST_CASE("changes of predictions: a share, none at first, shared by copies, kept in a checkpoint") {
  auto net = plain_network();
  const rg::Source data = points(40, 11);
  const rg::PredictionChanges changes(data, {.batch = 7});
  const rg::AnyMeasure copy = changes;
  const auto predicted = [&] {
    const at::NoGradGuard no_grad;
    return net->forward(rg::materialize(data).data).argmax(1);
  };
  const at::Tensor before = predicted();
  CHECK(std::isnan(changes(net)));
  CHECK(copy(net) == 0);
  const at::NoGradGuard no_grad;
  net->parameters().back().add_(torch::tensor({-0.3F, 0.3F, 0.0F}));
  const at::Tensor after = predicted();
  const double expected = before.ne(after).to(torch::kDouble).mean().item<double>();
  CHECK(expected > 0);
  CHECK(expected < 1);

  const Folder folder;
  rg::PredictionChanges saved = changes;
  rg::save_checkpoint(folder / "at.pt", {}, saved);
  CHECK(changes(net) == expected);
  CHECK(changes(net) == 0);
  rg::PredictionChanges loaded(data);
  (void)rg::load_checkpoint(folder / "at.pt", loaded);
  CHECK(loaded(net) == expected);
  loaded.forget();
  rg::save_checkpoint(folder / "empty.pt", {}, loaded);
  (void)rg::load_checkpoint(folder / "empty.pt", saved);
  CHECK(std::isnan(saved(net)));
  CHECK(error_of([] { rg::PredictionChanges none{rg::Source()}; }) ==
        "PredictionChanges takes a source that ends: limit(stream, samples) makes one");
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
  CHECK(contains(manifest, "\"libtorch\": \"" TORCH_VERSION "\""));
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

TEST_CASE("the realised noise is the share of labels that differ from the clean ones") {
  const rg::Source train = points(200, 11);
  const at::Tensor labels = rg::materialize(train).target;
  const auto share_of = [&](const rg::Source& noisy) {
    return (rg::materialize(noisy).target != labels).to(torch::kDouble).mean().item<double>();
  };
  CHECK(rg::realised_noise(train, train) == 0);
  const rg::Source permuted = rg::permuted_labels(train, 3);
  CHECK(rg::realised_noise(permuted, train) == share_of(permuted));
  CHECK(rg::realised_noise(permuted, train) > 0.4);  // about 1 - sum of squared class shares, 0.62
  CHECK(rg::realised_noise(permuted, train) < 0.8);
  const rg::UniformLabels others{.classes = 3, .exclude_true = true};
  CHECK(rg::realised_noise(rg::frozen(train, others, 1), train) == 1);
  for (const double share : {0.0, 0.25, 0.4, 1.0}) {
    CHECK(rg::realised_noise(rg::frozen(train, others, 1, rg::exactly(share)), train) == Approx(share));
  }
  // Copies are compared with the sample that they were made from.
  CHECK(rg::realised_noise(rg::frozen(rg::repeat(train, 3), others, 1), train) == 1);
  const rg::Source some = rg::subset(permuted, torch::tensor({5, 9, 11, 100}));
  CHECK(rg::realised_noise(some, train) >= 0);
  // Where nothing can be compared it is unknown, not zero.
  CHECK(std::isnan(rg::realised_noise(train, {})));
  CHECK(std::isnan(rg::realised_noise(train, rg::subset(train, torch::tensor({5, 9})))));
  CHECK(std::isnan(rg::realised_noise(rg::frozen(train, rg::LabelSmoothing{.classes = 3}, 1), train)));
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

}  // namespace misc_test
