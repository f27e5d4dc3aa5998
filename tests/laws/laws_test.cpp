// The laws of `run`: what never changes, what comes back, what is refused. Bit for bit.

#include "support/training.hpp"

#include <limits>
#include <stdexcept>
#include <stop_token>
#include <thread>

namespace laws_test {

namespace {

using namespace training;

/// Everything that a run needs, the same each time that one is made.
struct Experiment {
  torch::nn::Sequential net = network();
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9)};
  rg::Source train = points(60, 11);
  rg::Source test = points(40, 12);
  rg::Scoring scoring{.clean = train, .test = test};
  rg::Phase phase{.name = "train",
                  .data = rg::frozen(train, rg::UniformLabels{.classes = 3, .fraction = 0.3}, 5),
                  .optimizer = sgd,
                  .epochs = 4,
                  .lr_scale = rg::Cosine{.epochs = 4},
                  .batch = 16,
                  .augment = {rg::GaussianNoise{.stddev = 0.05}},
                  .regularize = {rg::L2{.strength = 1e-3}},
                  .seed = 3};

  Experiment() = default;
  Experiment(const Experiment&) = delete;
  Experiment& operator=(const Experiment&) = delete;

  template <class... Observers>
  rg::History run(Observers&&... observers) {
    return rg::run(net, {phase}, scoring, observers...);
  }
};

/// A network that also draws random numbers while it is scored, as Monte Carlo dropout does.
struct Restless : torch::nn::Module {
  torch::nn::Linear linear{register_module("linear", torch::nn::Linear(2, 3))};

  torch::Tensor forward(const torch::Tensor& x) { return linear->forward(torch::dropout(x, 0.5, /*train=*/true)); }
};

/// Throws when its time has come.
struct Fuse {
  int left = -1;

  void burn() {
    if (left >= 0 && left-- == 0) {
      throw std::runtime_error("boom");
    }
  }
};

}  // namespace

TEST_CASE("observers change neither weights nor history, whatever they do") {
  Experiment plain;
  const rg::History expected = plain.run();

  SECTION("one that draws random numbers at every event") {
    Experiment watched;
    int events = 0;
    const auto draw = [&](const auto& event) {
      static_cast<void>(event);
      static_cast<void>(torch::rand({static_cast<std::int64_t>(1 + events++ % 3)}));
    };
    CHECK(watched.run(draw) == expected);
    CHECK(events > 20);
    CHECK(same(weights(watched.net), weights(plain.net)));
  }
  SECTION("one that evaluates the model") {
    Experiment watched;
    const auto evaluate = [&](const rg::Step&) { static_cast<void>(rg::evaluate(watched.net, watched.test)); };
    CHECK(watched.run(evaluate) == expected);
    CHECK(same(weights(watched.net), weights(plain.net)));
  }
  SECTION("one that computes gradients of its own and leaves them") {
    Experiment watched;
    const auto differentiate = [&](const rg::Step&) {
      watched.net->eval();
      watched.net->forward(torch::ones({3, 2})).sum().backward();
      watched.net->train();
    };
    CHECK(watched.run(differentiate) == expected);
    CHECK(same(weights(watched.net), weights(plain.net)));
  }
  SECTION("one that leaves the model in eval mode, at the end of an epoch or of a step") {
    Experiment watched;
    CHECK(watched.run([&](const rg::Epoch&) { watched.net->eval(); }) == expected);
    CHECK(same(weights(watched.net), weights(plain.net)));
    Experiment watched_closely;
    CHECK(watched_closely.run([&](const rg::Step&) { watched_closely.net->eval(); }) == expected);
    CHECK(same(weights(watched_closely.net), weights(plain.net)));
  }
  SECTION("all those of the library at once") {
    Experiment watched;
    const Folder folder;
    std::FILE* const sink = std::fopen((folder / "progress").c_str(), "w");
    rg::Checkpoint keep(folder / "run.pt", {.steps = 1}, watched.net, watched.sgd);
    rg::GapTracker gap;
    CHECK(watched.run(rg::CsvLog(folder / "a.csv"), rg::JsonLog(folder / "a.jsonl"), rg::TimeLog(folder / "t.csv"),
                      rg::ManifestFile(folder / "m.json"), rg::Progress("", sink), keep, gap) == expected);
    CHECK(same(weights(watched.net), weights(plain.net)));
    CHECK(gap.values().size() == 4);
    std::fclose(sink);
  }
}

TEST_CASE("observers do not change the scores of a model or a measure that draws random numbers") {
  const auto history_with = [](auto&&... observers) {
    torch::manual_seed(1);
    Restless net;
    torch::optim::SGD sgd(net.parameters(), 0.1);
    rg::Scoring scoring{.test = points(40, 12)};
    scoring.measures["drawn"] = [](const rg::Model&) { return torch::rand({}).item<double>(); };
    return rg::run(net, {{.data = points(40, 11), .optimizer = sgd, .epochs = 3, .batch = 16}}, scoring, observers...);
  };
  const rg::History expected = history_with();
  CHECK(history_with([](const auto&) { static_cast<void>(torch::rand({5})); }) == expected);
  CHECK(expected.epochs[0].measures.at("drawn") != expected.epochs[1].measures.at("drawn"));
}

TEST_CASE("the scoring interval changes neither the weights nor the scores that are taken") {
  Experiment often;
  const rg::History expected = often.run();
  for (const int every : {2, 3, 100}) {
    Experiment seldom;
    seldom.scoring.every = every;
    const rg::History history = seldom.run();
    CHECK(same(weights(seldom.net), weights(often.net)));
    REQUIRE(history.size() == expected.size());
    for (std::size_t i = 0; i < history.size(); ++i) {
      const bool due = (i + 1) % static_cast<std::size_t>(every) == 0 || i + 1 == history.size();
      CHECK(history.epochs[i].test.scored() == due);
      CHECK(history.epochs[i].train_loss == expected.epochs[i].train_loss);
      if (due) {
        CHECK(history.epochs[i] == expected.epochs[i]);
      }
    }
  }
}

TEST_CASE("leaving fit, or everything, unscored changes neither the weights nor the scores that are taken") {
  Experiment all;
  const rg::History expected = all.run();
  Experiment some;
  some.scoring.score_fit = false;
  const rg::History history = some.run();
  CHECK(same(weights(some.net), weights(all.net)));
  REQUIRE(history.size() == expected.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    CHECK_FALSE(history.epochs[i].fit.scored());
    CHECK(history.epochs[i].clean == expected.epochs[i].clean);
    CHECK(history.epochs[i].test == expected.epochs[i].test);
  }
  Experiment none;
  none.scoring = {.score_fit = false};
  CHECK(none.run().back().train_loss == expected.back().train_loss);
  CHECK(same(weights(none.net), weights(all.net)));
}

TEST_CASE("the scoring interval moves the end of a phase only where a criterion reads scores") {
  const auto epochs_with = [](int every, int fit_every) {
    Experiment experiment;
    experiment.phase.data = experiment.train;
    experiment.phase.epochs = 200;
    experiment.phase.lr_scale = 1;
    experiment.phase.until = rg::FitReaches{.accuracy = 0.9};
    experiment.scoring.every = every;
    experiment.scoring.fit_every = fit_every;
    const rg::History history = experiment.run();
    CHECK(history.ended() == rg::Ended::criterion);
    CHECK(history.back().test.scored());  // the last epoch is scored whole, whatever the interval
    return history.size();
  };
  const std::size_t needed = epochs_with(1, 0);
  CHECK(needed > 1);
  CHECK(needed < 50);
  CHECK(epochs_with(50, 0) == 50);
  CHECK(epochs_with(50, 1) == needed);
}

TEST_CASE("equal seeds give equal histories, whatever the global generator holds") {
  Experiment first;
  Experiment second;
  torch::manual_seed(1);
  const rg::History expected = first.run();
  torch::manual_seed(987654321);
  static_cast<void>(torch::rand({7}));
  CHECK(second.run() == expected);
  CHECK(same(weights(second.net), weights(first.net)));
}

TEST_CASE("another seed gives another run, through each of the order, augmentation and dropout") {
  const auto weights_with = [](std::uint64_t seed, bool shuffle, bool augment, double dropout) {
    auto net = torch::nn::Sequential(torch::nn::Linear(2, 12), torch::nn::Dropout(dropout), torch::nn::Linear(12, 3));
    torch::manual_seed(1);
    for (auto& parameter : net->parameters()) {
      torch::nn::init::uniform_(parameter, -0.5, 0.5);
    }
    torch::optim::SGD sgd(net->parameters(), 0.1);
    rg::Phase phase{
        .data = points(60, 11), .optimizer = sgd, .epochs = 2, .batch = 16, .seed = seed, .shuffle = shuffle};
    if (augment) {
      phase.augment = {rg::GaussianNoise{.stddev = 0.1}};
    }
    rg::run(net, {phase}, {});
    return weights(net);
  };
  for (const int kind : {0, 1, 2}) {
    const bool shuffle = kind == 0;
    const bool augment = kind == 1;
    const double dropout = kind == 2 ? 0.3 : 0;
    CHECK(same(weights_with(1, shuffle, augment, dropout), weights_with(1, shuffle, augment, dropout)));
    CHECK_FALSE(same(weights_with(1, shuffle, augment, dropout), weights_with(2, shuffle, augment, dropout)));
  }
  CHECK(same(weights_with(1, false, false, 0), weights_with(2, false, false, 0)));
}

TEST_CASE("a phase run twice does the same thing twice, for the optimizer's state is cleared") {
  Experiment experiment;
  const rg::Snapshot start(experiment.net);
  const rg::History first = experiment.run();
  const auto ended_at = weights(experiment.net);

  SECTION("in two runs") {
    start.restore();
    CHECK(experiment.run() == first);
    CHECK(same(weights(experiment.net), ended_at));
  }
  SECTION("as two phases of one run") {
    start.restore();
    const auto restore = [&](const rg::PhaseBegin&) { start.restore(); };
    const rg::History both = rg::run(experiment.net, {experiment.phase, experiment.phase}, experiment.scoring, restore);
    CHECK(same(weights(experiment.net), ended_at));
    const rg::History second = both.of_phase(1);
    REQUIRE(second.size() == first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      CHECK(second.epochs[i].fit == first.epochs[i].fit);
      CHECK(second.epochs[i].train_loss == first.epochs[i].train_loss);
    }
  }
  SECTION("unless the phase carries the state on") {
    start.restore();
    experiment.phase.carry_optimizer_state = true;
    experiment.run();
    CHECK_FALSE(same(weights(experiment.net), ended_at));
  }
}

TEST_CASE("carrying the optimizer's state makes two short phases of one long one") {
  const auto run_phases = [](const std::vector<int>& epochs) {
    auto net = plain_network();
    torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01));
    std::vector<rg::Phase> phases;
    for (const int each : epochs) {
      phases.push_back({.data = points(64, 11), .optimizer = adam, .epochs = each, .batch = 16, .shuffle = false});
      phases.back().carry_optimizer_state = true;
    }
    rg::run(net, phases, {});
    return weights(net);
  };
  CHECK(same(run_phases({2, 3}), run_phases({5})));
}

namespace {

/// A network whose forward pass can fail, with parts in both modes and parameters of both kinds.
struct Fragile : torch::nn::Module {
  Fuse fuse;
  torch::nn::Linear first{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Dropout drop{nullptr};
  torch::nn::Linear last{nullptr};

  Fragile() {
    torch::manual_seed(1);
    first = register_module("first", torch::nn::Linear(2, 8));
    norm = register_module("norm", torch::nn::BatchNorm1d(8));
    drop = register_module("drop", torch::nn::Dropout(0.5));
    last = register_module("last", torch::nn::Linear(8, 3));
    norm->eval();                         // as somebody fine-tuning might leave it
    last->bias.set_requires_grad(false);  // the same
  }

  torch::Tensor forward(const torch::Tensor& x) {
    fuse.burn();
    return last->forward(drop->forward(norm->forward(first->forward(x))));
  }
};

/// An optimizer that fails half-way, after the closure and with its rates scaled.
struct Failing : torch::optim::SGD {
  Fuse fuse;

  using SGD::SGD;

  torch::Tensor step(LossClosure closure = nullptr) override {
    const auto loss = SGD::step(std::move(closure));
    fuse.burn();
    return loss;
  }
};

/// A regularizer with all three hooks, each of which can fail.
struct Pull {
  std::shared_ptr<Fuse> in_penalty = std::make_shared<Fuse>();
  std::shared_ptr<Fuse> in_gradient = std::make_shared<Fuse>();
  std::shared_ptr<Fuse> in_weights = std::make_shared<Fuse>();

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const {
    in_penalty->burn();
    return pass.parameters.front().square().sum() * 1e-3;
  }
  void gradient(const rg::Pass&) const { in_gradient->burn(); }
  void weights(const rg::Pass&) const { in_weights->burn(); }
};

}  // namespace

TEST_CASE("run leaves rates, modes, requires_grad and the generator as it found them, however it ends") {
  const std::string how =
      GENERATE(as<std::string>{}, "well", "observer", "loss", "penalty", "gradient", "weights", "forward", "optimizer",
               "closure", "augment", "source", "until", "measure", "schedule");
  CAPTURE(how);
  Fragile net;
  Failing sgd(net.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  torch::optim::LBFGS lbfgs(net.parameters(), torch::optim::LBFGSOptions(0.3).max_iter(3));
  Fuse observer;
  Pull pull;
  const auto loss_fuse = std::make_shared<Fuse>();
  const auto other_fuse = std::make_shared<Fuse>();
  const rg::Source train = points(48, 11);
  rg::Phase phase{.data = train,
                  .optimizer = sgd,
                  .epochs = 3,
                  .lr_scale = rg::Cosine{.epochs = 3},
                  .batch = 16,
                  .loss =
                      [loss_fuse](const at::Tensor& output, const at::Tensor& target) {
                        if (output.requires_grad()) {  // in training alone
                          loss_fuse->burn();
                        }
                        return torch::cross_entropy_loss(output, target);
                      },
                  .regularize = {pull},
                  .freeze = {"first", "norm.weight"}};
  rg::Scoring scoring{.test = train};

  if (how == "observer") {
    observer.left = 4;
  } else if (how == "loss") {
    loss_fuse->left = 4;
  } else if (how == "closure") {  // in a later evaluation of a step
    phase.optimizer = lbfgs;
    loss_fuse->left = 4;
  } else if (how == "penalty") {
    pull.in_penalty->left = 4;
  } else if (how == "gradient") {
    pull.in_gradient->left = 4;
  } else if (how == "weights") {
    pull.in_weights->left = 4;
  } else if (how == "forward") {
    net.fuse.left = 4;
  } else if (how == "optimizer") {
    sgd.fuse.left = 4;
  } else if (how == "augment") {
    other_fuse->left = 4;
    phase.augment = {[other_fuse](const rg::Batch& batch, const rg::Key&) {
      other_fuse->burn();
      return batch;
    }};
  } else if (how == "source") {
    other_fuse->left = 4;
    phase.data = rg::frozen(
        train,
        [other_fuse](const rg::Batch& batch, const rg::Key&) {
          other_fuse->burn();
          return batch;
        },
        1);
  } else if (how == "until") {
    phase.until = rg::Stop([](const rg::Epoch&) -> bool { throw std::runtime_error("boom"); });
  } else if (how == "measure") {
    scoring.measures["fails"] = [](const rg::Model&) -> double { throw std::runtime_error("boom"); };
  } else if (how == "schedule") {
    phase.lr_scale = [](const rg::Clock& clock) -> double {
      return clock.step < 4 ? 0.5 : throw std::runtime_error("boom");
    };
  }

  torch::manual_seed(77);
  static_cast<void>(torch::randn({3}));
  const at::Tensor generator = generator_state();
  const auto modes = [&] {
    std::vector<bool> all;
    for (const auto& module : net.modules(/*include_self=*/false)) {
      all.push_back(module->is_training());
    }
    all.push_back(net.is_training());
    return all;
  };
  const auto trainable = [&] {
    std::vector<bool> all;
    for (const auto& parameter : net.parameters()) {
      all.push_back(parameter.requires_grad());
    }
    return all;
  };
  const std::vector<bool> modes_before = modes();
  const std::vector<bool> trainable_before = trainable();
  const auto before = weights(rg::Model(net));
  int steps = 0;
  const auto observe = [&](const rg::Step&) {
    ++steps;
    observer.burn();
  };
  const auto go = [&] { return rg::run(net, {phase}, scoring, observe); };
  if (how == "well") {
    CHECK(go().ended() == rg::Ended::epochs);
  } else {
    CHECK_THROWS_WITH(go(), "boom");
  }

  CHECK((steps > 0 || how == "closure" || how == "source"));  // it failed in the middle, not at the door
  CHECK(torch::equal(generator_state(), generator));
  CHECK(modes() == modes_before);
  CHECK(trainable() == trainable_before);
  CHECK(rg::OptimizerRef(sgd).learning_rates() == std::vector<double>{0.1});
  CHECK(rg::OptimizerRef(lbfgs).learning_rates() == std::vector<double>{0.3});
  CHECK(torch::GradMode::is_enabled());
  const auto after = weights(rg::Model(net));
  CHECK(torch::equal(after[0], before[0]));  // first.weight was frozen
  CHECK(net.first->weight.requires_grad());

  // And the process is free for the next run.
  phase = {.data = train, .optimizer = sgd, .epochs = 1};
  net.fuse.left = -1;
  sgd.fuse.left = -1;
  CHECK(rg::run(net, {phase}, {}).ended() == rg::Ended::epochs);
}

TEST_CASE("a run that finds gradients switched off trains, and leaves them off") {
  Experiment plain;
  const rg::History expected = plain.run();
  Experiment experiment;
  const torch::NoGradGuard no_grad;
  CHECK(experiment.run() == expected);
  CHECK_FALSE(torch::GradMode::is_enabled());
}

TEST_CASE("a second run inside a run is refused, and the first goes on as if nothing had been") {
  Experiment plain;
  const rg::History expected = plain.run();
  Experiment outer;
  Experiment inner;
  const auto untouched = weights(inner.net);
  std::string refusal;
  const auto meddle = [&](const rg::Step&) { refusal = error_of([&] { inner.run(); }); };
  CHECK(outer.run(meddle) == expected);
  CHECK(contains(refusal, "another run is in progress"));
  CHECK(same(weights(inner.net), untouched));
  CHECK(same(weights(outer.net), weights(plain.net)));
  CHECK(inner.run() == expected);
}

TEST_CASE("a second run in another thread is refused") {
  Experiment outer;
  std::string refusal;
  const auto meddle = [&](const rg::PhaseBegin&) {
    std::thread([&] {
      Experiment inner;
      refusal = error_of([&] { inner.run(); });
    }).join();
  };
  outer.run(meddle);
  CHECK(contains(refusal, "another run is in progress"));
}

TEST_CASE("dropout is a function of the seed and the step") {
  // Two steps on the same batch from the same weights: the masks differ; the same step again: the same mask.
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Dropout(0.5), torch::nn::Linear(torch::nn::LinearOptions(64, 1).bias(false)));
  torch::optim::SGD sgd(net->parameters(), 1.0);
  const rg::Batch ones{.data = torch::ones({1, 64}), .target = torch::zeros({1, 1})};
  const auto masks = [&](std::uint64_t seed) {
    std::vector<at::Tensor> seen;
    const rg::Snapshot start(net);
    // The loss is the output itself, so its gradient is the input as dropout let it through.
    const auto loss = [](const at::Tensor& output, const at::Tensor&) { return output.sum(); };
    rg::run(net, {{.data = ones, .optimizer = sgd, .epochs = 3, .lr_scale = 0, .loss = loss, .seed = seed}}, {},
            [&](const rg::Step& step) { seen.push_back(step.pass.parameters.front().grad().clone()); });
    return seen;
  };
  const auto first = masks(5);
  CHECK(first.size() == 3);
  CHECK_FALSE(torch::equal(first[0], first[1]));
  CHECK_FALSE(torch::equal(first[1], first[2]));
  torch::manual_seed(99);
  CHECK(same(masks(5), first));
  CHECK_FALSE(same(masks(6), first));
}

namespace {

/// Zeros without end, and without a size.
struct Endless {
  rg::Cursor operator()(const rg::Order& order) const {
    return [n = order.batch, id = order.first * order.batch]() mutable -> rg::Batch {
      const rg::Batch batch{.data = torch::ones({n, 2}),
                            .target = torch::zeros({n}, torch::kLong),
                            .id = torch::arange(id, id + n, torch::kLong)};
      id += n;
      return batch;
    };
  }
};

}  // namespace

TEST_CASE("epochs bounds a phase even if its criterion never says stop") {
  Experiment experiment;
  experiment.phase.until = rg::Stop([](const rg::History&) { return false; });
  const rg::History history = experiment.run();
  CHECK(history.size() == 4);
  CHECK(history.ended() == rg::Ended::epochs);
  CHECK(history.back().clock == rg::Clock{.phase = 0, .epoch = 4, .batch = 0, .batches = 4, .step = 16});
}

TEST_CASE("an endless stream is refused, and runs where a limit says how long an epoch is") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase{.data = Endless{}, .optimizer = sgd, .epochs = 2, .batch = 8};
  CHECK(contains(error_of([&] { rg::run(net, {phase}, {}); }), "data must end: limit(stream, samples)"));
  phase.data = rg::limit(Endless{}, 20);
  const rg::History history = rg::run(net, {phase}, {.clean = phase.data});
  CHECK(history.size() == 2);
  CHECK(history.back().clock.step == 6);
  CHECK(history.back().fit.samples == 20);
}

TEST_CASE("misuse of any phase is raised before the first step of the first, naming field, bound and value") {
  const double infinity = std::numeric_limits<double>::infinity();
  using Spoil = std::function<void(rg::Phase&, rg::Scoring&, rg::RunOptions&)>;
  struct Case {
    std::string message;
    Spoil spoil;
  };
  const rg::Batch nobody{.data = torch::zeros({0, 2}), .target = torch::zeros({0}, torch::kLong)};
  auto another = plain_network();
  torch::optim::SGD of_another(another->parameters(), 0.1);
  const std::vector<Case> cases{
      {"Phase \"bad\".data must be set", [](auto& p, auto&, auto&) { p.data = {}; }},
      {"Phase \"bad\".data.size() must be above 0, but is 0", [&](auto& p, auto&, auto&) { p.data = nobody; }},
      {"Phase \"bad\".data must end", [](auto& p, auto&, auto&) { p.data = Endless{}; }},
      {"Phase \"bad\".optimizer must be set", [](auto& p, auto&, auto&) { p.optimizer = {}; }},
      {"Phase \"bad\".epochs must be at least 1, but is 0", [](auto& p, auto&, auto&) { p.epochs = 0; }},
      {"Phase \"bad\".epochs must be at least 1, but is -3", [](auto& p, auto&, auto&) { p.epochs = -3; }},
      {"Phase \"bad\".batch must be at least 1, but is 0", [](auto& p, auto&, auto&) { p.batch = 0; }},
      {"Phase \"bad\".batch must be at most data.size() = 60 with drop_last, but is 61",
       [](auto& p, auto&, auto&) {
         p.drop_last = true;
         p.batch = 61;
       }},
      {"Phase \"bad\".accumulate must be at least 1, but is 0", [](auto& p, auto&, auto&) { p.accumulate = 0; }},
      {"Phase \"bad\".lr_scale must be at least 0 and finite, but is -1",
       [](auto& p, auto&, auto&) { p.lr_scale = -1; }},
      {"Phase \"bad\".lr_scale must be at least 0 and finite, but is nan",
       [](auto& p, auto&, auto&) { p.lr_scale = rg::unknown; }},
      {"Phase \"bad\".lr_scale must be at least 0 and finite, but is inf",
       [=](auto& p, auto&, auto&) { p.lr_scale = infinity; }},
      {"Phase \"bad\".freeze names \"9.weight\", which is no parameter or module of the model",
       [](auto& p, auto&, auto&) { p.freeze = {"0", "9.weight"}; }},
      {"Phase \"bad\".freeze", [](auto& p, auto&, auto&) { p.freeze = {"0", "1", "4"}; }},
      {"Phase \"bad\".until reads validation_loss, which is never scored",
       [](auto& p, auto&, auto&) { p.until = rg::Patience{.scorings = 2}; }},
      {"Phase \"bad\".until reads validation_loss, which is never scored",
       [](auto& p, auto&, auto&) { p.until = rg::FitReaches{} || (rg::StepLimit{5} && !rg::Patience{.scorings = 2}); }},
      {"Phase \"bad\".lr_scale reads validation_accuracy, which is never scored",
       [](auto& p, auto&, auto&) {
         p.lr_scale = rg::LinearWarmup{} * rg::PlateauDecay{.metric = rg::Metric::validation_accuracy};
       }},
      {"Phase \"bad\".data reads validation_loss, which is never scored",
       [](auto& p, auto&, auto&) {
         const rg::PlateauDecay less{.metric = rg::Metric::validation_loss};
         p.data = rg::limit(rg::frozen(p.data, rg::UniformLabels{.classes = 3, .fraction = less}, 1), 20);
       }},
      {"Phase \"bad\".augment[0] reads validation_loss, which is never scored",
       [](auto& p, auto&, auto&) {
         const rg::PlateauDecay less{.metric = rg::Metric::validation_loss};
         const rg::Source partners = rg::frozen(p.data, rg::GaussianNoise{.stddev = less}, 1, rg::exactly(0.5));
         p.augment = {rg::Mixup{.partners = partners, .classes = 3}};
       }},
      {"Phase \"bad\".lr_scale reads test_loss, which is never scored",
       [](auto& p, auto& s, auto&) {
         s.test = {};
         p.lr_scale = rg::PlateauDecay{.metric = rg::Metric::test_loss};
       }},
      {"Phase \"bad\".until reads clean_accuracy, which is never scored",
       [](auto& p, auto& s, auto&) {
         s.clean = {};
         p.until = rg::Patience{.metric = rg::Metric::clean_accuracy};
       }},
      {"Phase \"bad\".until reads fit_accuracy, which is never scored",
       [](auto& p, auto& s, auto&) {
         s.score_fit = false;
         p.until = rg::FitReaches{};
       }},
      {"Phase \"bad\".regularize[1] reads validation_loss, which is never scored",
       [](auto& p, auto&, auto&) {
         const rg::PlateauDecay plateau{.metric = rg::Metric::validation_loss};
         p.regularize = {rg::L2{}, rg::L1{.strength = plateau * 1e-4}};
       }},
      {"Phase \"bad\".augment[0] reads validation_loss, which is never scored",
       [](auto& p, auto&, auto&) {
         const rg::PlateauDecay plateau{.metric = rg::Metric::validation_loss};
         p.augment = {rg::chain(rg::GaussianNoise{}, rg::GaussianNoise{.stddev = plateau})};
       }},
      {"Phase \"bad\".optimizer holds no parameter of the model",
       [&](auto& p, auto&, auto&) { p.optimizer = of_another; }},
      {"Scoring.every must be at least 1, but is 0", [](auto&, auto& s, auto&) { s.every = 0; }},
      {"Scoring.fit_every must be at least 0, but is -1", [](auto&, auto& s, auto&) { s.fit_every = -1; }},
      {"Scoring.batch must be at least 1, but is 0", [](auto&, auto& s, auto&) { s.batch = 0; }},
      {"Scoring.test must end: limit(stream, samples)", [](auto&, auto& s, auto&) { s.test = Endless{}; }},
      {"Scoring.clean must end: limit(stream, samples)", [](auto&, auto& s, auto&) { s.clean = Endless{}; }},
      {"Scoring.validation.size() must be above 0, but is 0", [&](auto&, auto& s, auto&) { s.validation = nobody; }},
      {"Scoring.measures[\"none\"] must be set", [](auto&, auto& s, auto&) { s.measures["none"] = nullptr; }},
      {"RunOptions.from.clock.phase must be in [0, phases.size()], but is -1",
       [](auto&, auto&, auto& o) { o.from.clock.phase = -1; }},
      {"RunOptions.from.clock.phase must be in [0, phases.size()], but is 3",
       [](auto&, auto&, auto& o) { o.from.clock.phase = 3; }},
  };
  for (const Case& each : cases) {
    CAPTURE(each.message);
    Experiment experiment;
    rg::Phase bad = experiment.phase;
    bad.name = "bad";
    rg::RunOptions options;
    each.spoil(bad, experiment.scoring, options);
    const auto before = weights(experiment.net);
    int events = 0;
    const auto count = [&](const auto&) { ++events; };
    const std::string message =
        error_of([&] { rg::run(experiment.net, {experiment.phase, bad}, experiment.scoring, options, count); });
    CHECK(message.substr(0, each.message.size()) == each.message);
    CHECK(events == 0);
    CHECK(same(weights(experiment.net), before));
  }
  auto net = plain_network();
  CHECK(error_of([&] { rg::run(net, {}, {}); }) == "run: phases.size() must be at least 1, but is 0");
}

TEST_CASE("a criterion or a schedule on an accuracy that has no meaning is an Error at the first scoring") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Source soft = rg::frozen(points(40, 11), rg::LabelSmoothing{.classes = 3}, 1);
  rg::Phase phase{.name = "soft", .data = soft, .optimizer = sgd, .epochs = 3, .until = rg::FitReaches{}, .batch = 20};
  CHECK(contains(error_of([&] { rg::run(net, {phase}, {}); }),
                 "Phase \"soft\".until reads fit_accuracy, which is NaN: this loss has no notion of right"));
  phase.until = {};
  phase.lr_scale = rg::PlateauDecay{.metric = rg::Metric::fit_loss};
  CHECK(rg::run(net, {phase}, {}).ended() == rg::Ended::epochs);
}

TEST_CASE("what is frozen by a schedule is scored as it was trained on") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Source train = points(60, 11);
  // From epoch to epoch all labels are moved on by one class.
  std::vector<at::Tensor> seen;
  const auto moving = [&seen](const rg::Batch& batch, const rg::Key& key) {
    rg::Batch moved = batch;
    moved.target = (batch.target + static_cast<std::int64_t>(std::lround(2 * key.now().clock.position()))).remainder(3);
    seen.push_back(torch::stack({batch.id, moved.target}));
    return moved;
  };
  const rg::Phase phase{
      .data = rg::frozen(train, moving, 1), .optimizer = sgd, .epochs = 3, .batch = 16, .accumulate = 3};
  const auto forget = [&](const rg::PhaseBegin&) { seen.clear(); };  // the sample that is looked at before
  rg::run(net, {phase}, {}, forget, [&](const rg::Epoch&) {
    // In the epoch and in its scoring: each sample twice, with one and the same label.
    const at::Tensor all = torch::cat(seen, 1);
    const at::Tensor sorted = all.index_select(1, std::get<1>((all[0] * 3 + all[1]).sort()));
    CHECK(sorted.size(1) == 120);
    CHECK(sorted.slice(1, 0, 120, 2).equal(sorted.slice(1, 1, 120, 2)));
    seen.clear();
  });
}

TEST_CASE("a transform that draws without its key draws the same at the same step") {
  const auto end_of = [](bool disturbed) {
    Experiment experiment;
    experiment.phase.augment = {[](const rg::Batch& batch, const rg::Key&) {
      rg::Batch result = batch;
      result.data = batch.data + 0.1 * torch::randn(batch.data.sizes());
      return result;
    }};
    const auto draw = [=](const rg::Step&) { static_cast<void>(disturbed ? torch::rand({3}) : at::Tensor()); };
    experiment.run(draw);
    return weights(experiment.net);
  };
  CHECK(same(end_of(true), end_of(false)));
}

TEST_CASE("a criterion or a schedule that reads a score runs once that data is given") {
  Experiment experiment;
  experiment.scoring.validation = points(30, 13);
  experiment.phase.until = rg::Patience{.scorings = 50};
  experiment.phase.lr_scale = rg::PlateauDecay{.metric = rg::Metric::test_loss};
  CHECK(experiment.run().ended() == rg::Ended::epochs);
}

TEST_CASE("divergence is an outcome: the phase ends at that epoch, and no later phase begins") {
  for (const int epochs : {1, 50}) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), 1e20);
    const rg::Phase phase{.name = "wild",
                          .data = points(64, 11),
                          .optimizer = sgd,
                          .epochs = epochs,
                          .batch = 8,
                          .loss = [](const at::Tensor& output, const at::Tensor&) { return output.square().mean(); }};
    const rg::History history = rg::run(net, {phase, phase}, {.test = phase.data, .every = 25});
    CHECK(history.ended() == rg::Ended::diverged);
    CHECK(history.outcomes.size() == 1);
    CHECK(history.outcomes[0].phase == "wild");
    CHECK_FALSE(std::isfinite(history.back().train_loss));
    CHECK(history.size() == 1);
    CHECK(history.back().test.scored());
    CHECK(rg::OptimizerRef(sgd).learning_rates()[0] == 1e20);
  }
}

TEST_CASE("a phase tells how it ended") {
  Experiment experiment;
  SECTION("all epochs done") {
    CHECK(experiment.run().ended() == rg::Ended::epochs);
  }
  SECTION("a criterion") {
    experiment.phase.until = rg::Stop([](const rg::Epoch& epoch) { return epoch.clock.epoch >= 2; });
    const rg::History history = experiment.run();
    CHECK(history.ended() == rg::Ended::criterion);
    REQUIRE(history.outcomes.size() == 1);
    CHECK(history.outcomes[0] == rg::Outcome{"train", rg::Ended::criterion, history.back().clock});
    CHECK(history.size() == 2);
  }
  SECTION("a criterion at the last epoch: all epochs are done") {
    experiment.phase.until = rg::Stop([](const rg::Epoch& epoch) { return epoch.clock.epoch >= 4; });
    CHECK(experiment.run().ended() == rg::Ended::epochs);
  }
  SECTION("a limit on steps, at the end of the epoch in which it is reached") {
    experiment.phase.until = rg::StepLimit{5};
    const rg::History history = experiment.run();
    CHECK(history.ended() == rg::Ended::criterion);
    CHECK(history.back().clock.step == 8);
  }
  SECTION("a limit on time") {
    experiment.phase.epochs = 1'000'000;
    experiment.phase.until = rg::TimeLimit{.seconds = 0.05};
    const rg::History history = experiment.run();
    CHECK(history.ended() == rg::Ended::criterion);
    CHECK(history.back().seconds >= 0.05);
    if (history.size() > 1) {
      CHECK(history.epochs[history.size() - 2].seconds < 0.05);
    }
  }
  SECTION("a stop that was requested, after the step that is being taken; no later phase begins") {
    std::stop_source stop;
    int steps = 0;
    const auto request = [&](const rg::Step&) {
      if (++steps == 6) {
        stop.request_stop();
      }
    };
    const rg::History history = rg::run(experiment.net, {experiment.phase, experiment.phase}, experiment.scoring,
                                        {.stop = stop.get_token()}, request);
    CHECK(history.ended() == rg::Ended::stopped);
    CHECK(history.outcomes.size() == 1);
    CHECK(history.outcomes[0].clock == rg::Clock{.phase = 0, .epoch = 1, .batch = 2, .batches = 4, .step = 6});
    CHECK(steps == 6);
    CHECK(history.size() == 1);
  }
  SECTION("one phase after another") {
    rg::Phase second = experiment.phase;
    second.name = "second";
    second.until = rg::StepLimit{1};
    const rg::History history = rg::run(experiment.net, {experiment.phase, second}, experiment.scoring);
    REQUIRE(history.outcomes.size() == 2);
    CHECK(history.outcomes[0].ended == rg::Ended::epochs);
    CHECK(history.outcomes[1].ended == rg::Ended::criterion);
    CHECK(history.outcomes[1].clock.phase == 1);
    CHECK(history.outcomes[1].clock.epoch == 1);
    CHECK(history.of_phase(0).size() == 4);
    CHECK(history.of_phase(1).size() == 1);
  }
}

TEST_CASE("a schedule that goes out of bounds while it runs is an Error that names it") {
  Experiment experiment;
  experiment.phase.lr_scale = [](const rg::Clock& clock) { return clock.step < 5 ? 1.0 : -0.5; };
  CHECK(error_of([&] { experiment.run(); }) == "Phase \"train\".lr_scale must be at least 0 and finite, but is -0.5");
  CHECK(rg::OptimizerRef(experiment.sgd).learning_rates()[0] == 0.1);
}

TEST_CASE("a plateau lowers the rate, and the history says so") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 1e-30);  // too little to move a float: the loss stays where it is
  const rg::Phase phase{.data = points(40, 11),
                        .optimizer = sgd,
                        .epochs = 7,
                        .lr_scale = rg::PlateauDecay{.factor = 0.5, .patience = 1}};
  std::vector<double> rates;
  for (const rg::Epoch& epoch : rg::run(net, {phase}, {})) {
    rates.push_back(epoch.learning_rate);
  }
  CHECK(rates == std::vector<double>{1e-30, 1e-30, 1e-30, 0.5e-30, 0.5e-30, 0.25e-30, 0.25e-30});
}

TEST_CASE("lr_scale is what drives the updates: momentum under a schedule equals a loop by hand, bit for bit") {
  const rg::Source train = points(40, 11);
  const rg::Cosine cosine{.epochs = 2};
  const auto options = torch::optim::SGDOptions(0.1).momentum(0.9);

  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), options);
  std::vector<double> rates;
  rg::run(net, {{.data = train, .optimizer = sgd, .epochs = 2, .lr_scale = cosine, .batch = 8, .seed = 9}}, {},
          [&](const rg::Step& step) { rates.push_back(step.learning_rate); });

  auto own = plain_network();
  torch::optim::SGD by_hand(own->parameters(), options);
  std::vector<double> own_rates;
  for (rg::Clock t{.batches = 5}; t.epoch < 2; ++t.epoch) {
    const rg::Cursor next = train.read({.batch = 8, .shuffle = true, .seed = 9, .now = {t}});
    for (t.batch = 0; t.batch < t.batches; ++t.batch, ++t.step) {
      const rg::Batch batch = next();
      own_rates.push_back(0.1 * cosine(t));
      rg::set_learning_rate(by_hand, own_rates.back());
      by_hand.zero_grad();
      torch::cross_entropy_loss(own->forward(batch.data), batch.target).backward();
      by_hand.step();
    }
  }
  CHECK(rates.size() == 10);
  CHECK(rates == own_rates);
  CHECK(rates[0] == 0.1);
  CHECK(rates[5] == Approx(0.05));
  CHECK(same(weights(net), weights(own)));
  CHECK(rg::OptimizerRef(sgd).learning_rates()[0] == 0.1);
}

}  // namespace laws_test
