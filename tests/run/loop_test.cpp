// `run` is the loop that is drawn in run.hpp and nothing else: it equals one written by hand with LibTorch alone, its
// hooks and events come in the order that is written there.

#include "support/training.hpp"

#include <limits>
#include <map>
#include <memory>
#include <utility>

namespace loop_test {

namespace {

using namespace training;
using torch::optim::OptimizerParamGroup;

torch::nn::Sequential normed_network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(2, 12), torch::nn::BatchNorm1d(12), torch::nn::ReLU(),
                               torch::nn::Linear(12, 3));
}

constexpr int epochs = 3;
constexpr std::int64_t batch_size = 16;
constexpr std::uint64_t seed = 4;

rg::Source train() {
  return points(56, 11);  // three batches of 16 and one of 8
}

/// A user's loop with no regimen in it but the order of the data.
template <class O>
void train_by_hand(torch::nn::Sequential& net, O& optimizer) {
  const rg::Source data = train();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const rg::Moment now{{.epoch = epoch}};
    const rg::Cursor next = data.read({.batch = batch_size, .shuffle = true, .seed = seed, .now = now});
    net->train();
    for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
      optimizer.step([&] {
        optimizer.zero_grad();
        auto loss = torch::nn::functional::cross_entropy(net->forward(batch.data), batch.target);
        loss.backward();
        return loss;
      });
    }
  }
}

rg::Phase phase_with(rg::OptimizerRef optimizer) {
  return {.data = train(), .optimizer = std::move(optimizer), .epochs = epochs, .batch = batch_size, .seed = seed};
}

/// Trains one network by `run` and one by hand, with optimizers made the same way; true if no bit differs.
template <class Make>
void check_equals_a_loop_by_hand(Make&& make) {
  auto net = normed_network();
  auto optimizer = make(net);
  const auto before = weights(net);
  rg::run(net, {phase_with(optimizer)}, {});

  auto own = normed_network();
  auto own_optimizer = make(own);
  train_by_hand(own, own_optimizer);
  CHECK(same(weights(net), weights(own)));
  CHECK(difference(weights(net), before) > 1e-4);

  // From a used optimizer too: its state is as if it were new.
  auto again = normed_network();
  {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < again->parameters().size(); ++i) {
      net->parameters()[i].copy_(again->parameters()[i]);
    }
    for (std::size_t i = 0; i < again->buffers().size(); ++i) {
      net->buffers()[i].copy_(again->buffers()[i]);
    }
  }
  rg::run(net, {phase_with(optimizer)}, {});
  CHECK(same(weights(net), weights(own)));
}

/// Steps by the sign of the gradient and never calls its closure, as an optimizer of somebody's own may.
class SignDescent : public torch::optim::Optimizer {
 public:
  SignDescent(std::vector<at::Tensor> parameters, double rate)
      : Optimizer({OptimizerParamGroup(std::move(parameters))}, std::make_unique<torch::optim::SGDOptions>(rate)) {}

  torch::Tensor step(LossClosure /*closure*/ = nullptr) override {
    const torch::NoGradGuard no_grad;
    for (auto& group : param_groups()) {
      for (auto& parameter : group.params()) {
        if (parameter.grad().defined()) {
          parameter.sub_(parameter.grad().sign() * group.options().get_lr());
        }
      }
    }
    return {};
  }
};

}  // namespace

TEST_CASE("run equals a loop by hand, bit for bit, with SGD") {
  check_equals_a_loop_by_hand([](auto& net) { return torch::optim::SGD(net->parameters(), 0.1); });
}

TEST_CASE("run equals a loop by hand, bit for bit, with SGD, Nesterov momentum and weight decay") {
  check_equals_a_loop_by_hand([](auto& net) {
    return torch::optim::SGD(net->parameters(),
                             torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(5e-4).nesterov(true));
  });
}

TEST_CASE("run equals a loop by hand, bit for bit, with Adam") {
  check_equals_a_loop_by_hand([](auto& net) {
    return torch::optim::Adam(net->parameters(), torch::optim::AdamOptions(0.01).weight_decay(1e-3).amsgrad(true));
  });
}

TEST_CASE("run equals a loop by hand, bit for bit, with AdamW") {
  check_equals_a_loop_by_hand(
      [](auto& net) { return torch::optim::AdamW(net->parameters(), torch::optim::AdamWOptions(0.01)); });
}

TEST_CASE("run equals a loop by hand, bit for bit, with RMSprop") {
  check_equals_a_loop_by_hand([](auto& net) {
    return torch::optim::RMSprop(net->parameters(), torch::optim::RMSpropOptions(0.01).momentum(0.5).centered(true));
  });
}

TEST_CASE("run equals a loop by hand, bit for bit, with Adagrad, whose state is made by its constructor") {
  check_equals_a_loop_by_hand([](auto& net) {
    return torch::optim::Adagrad(net->parameters(),
                                 torch::optim::AdagradOptions(0.05).lr_decay(0.01).initial_accumulator_value(0.1));
  });
}

TEST_CASE("run equals a loop by hand, bit for bit, with LBFGS, which evaluates its closure several times a step") {
  check_equals_a_loop_by_hand([](auto& net) {
    return torch::optim::LBFGS(net->parameters(), torch::optim::LBFGSOptions(0.1).max_iter(4).history_size(5));
  });
}

TEST_CASE("LBFGS evaluates the objective as often as by hand: once before the step, and that counts as its first") {
  int forwards = 0;
  auto net = plain_network();
  torch::optim::LBFGS lbfgs(net->parameters(), torch::optim::LBFGSOptions(0.1).max_iter(4));
  const rg::Model counted(net, [&](torch::nn::Sequential& n, const rg::Batch& b) {
    ++forwards;
    return n->forward(b.data);
  });
  rg::Phase phase = phase_with(lbfgs);
  phase.batch = 56;
  phase.epochs = 1;
  phase.shuffle = false;
  int forwards_of_step = 0;
  rg::run(counted, {phase}, {}, [&](const rg::Step&) { forwards_of_step = forwards; });

  auto own = plain_network();
  torch::optim::LBFGS by_hand(own->parameters(), torch::optim::LBFGSOptions(0.1).max_iter(4));
  const rg::Batch all = rg::materialize(train());
  int evaluations = 0;
  by_hand.step([&] {
    ++evaluations;
    by_hand.zero_grad();
    auto loss = torch::cross_entropy_loss(own->forward(all.data), all.target);
    loss.backward();
    return loss;
  });
  CHECK(evaluations > 1);
  CHECK(forwards_of_step == evaluations);
  CHECK(same(weights(net), weights(own)));
}

TEST_CASE("run equals a loop by hand, bit for bit, with an optimizer that ignores its closure") {
  auto net = normed_network();
  SignDescent optimizer(net->parameters(), 0.01);
  rg::run(net, {phase_with(optimizer)}, {});

  auto own = normed_network();
  SignDescent by_hand(own->parameters(), 0.01);
  const rg::Source data = train();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const rg::Cursor next = data.read({.batch = batch_size, .shuffle = true, .seed = seed, .now = {{.epoch = epoch}}});
    for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
      by_hand.zero_grad();
      torch::cross_entropy_loss(own->forward(batch.data), batch.target).backward();
      by_hand.step();
    }
  }
  CHECK(same(weights(net), weights(own)));
}

TEST_CASE("parameter groups keep their own rates, and a schedule scales each of them") {
  const auto make = [](torch::nn::Sequential& net, double scale) {
    using torch::optim::SGDOptions;
    const auto all = net->parameters();
    std::vector<OptimizerParamGroup> groups;
    groups.emplace_back(std::vector<at::Tensor>{all[0], all[1]},
                        std::make_unique<SGDOptions>(SGDOptions(0.1 * scale).momentum(0.9).weight_decay(1e-3)));
    groups.emplace_back(std::vector<at::Tensor>(all.begin() + 2, all.end()),
                        std::make_unique<SGDOptions>(SGDOptions(0.02 * scale).momentum(0.5).weight_decay(1e-2)));
    return torch::optim::SGD(std::move(groups), SGDOptions(1.0));
  };
  auto net = normed_network();
  auto optimizer = make(net, 1);
  rg::Phase phase = phase_with(optimizer);
  phase.lr_scale = rg::Constant{.value = 0.25};
  rg::run(net, {phase}, {});
  CHECK(rg::OptimizerRef(optimizer).learning_rates() == std::vector<double>{0.1, 0.02});

  auto own = normed_network();
  auto by_hand = make(own, 0.25);
  train_by_hand(own, by_hand);
  CHECK(same(weights(net), weights(own)));
}

TEST_CASE("two optimizers share one network, one a phase") {
  auto net = normed_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(0.01));
  rg::run(net, {phase_with(sgd), phase_with(adam)}, {});

  auto own = normed_network();
  torch::optim::SGD own_sgd(own->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  torch::optim::Adam own_adam(own->parameters(), torch::optim::AdamOptions(0.01));
  train_by_hand(own, own_sgd);
  train_by_hand(own, own_adam);
  CHECK(same(weights(net), weights(own)));
}

TEST_CASE("accumulating two batches of 8 equals one of 16, up to rounding, the ragged end included") {
  for (const std::int64_t samples : {40, 44, 50}) {  // groups of 8 + 8 end in 8, in 8 + 4, in 2
    CAPTURE(samples);
    const auto trained = [&](std::int64_t batch, int accumulate) {
      auto net = plain_network();
      torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
      const rg::Phase phase{.data = points(samples, 11),
                            .optimizer = sgd,
                            .epochs = 3,
                            .batch = batch,
                            .regularize = {rg::L2{.strength = 1e-2}, rg::ClipGradients{.max_norm = 0.5}},
                            .accumulate = accumulate};
      const rg::History history = rg::run(net, {phase}, {});
      return std::make_pair(weights(net), history);
    };
    const auto [whole, history] = trained(16, 1);
    const auto [halves, accumulated] = trained(8, 2);
    CHECK(difference(whole, halves) < 1e-6);
    for (std::size_t i = 0; i < history.size(); ++i) {
      CHECK(accumulated.epochs[i].train_loss == Approx(history.epochs[i].train_loss).epsilon(1e-6));
      CHECK(accumulated.epochs[i].clock.step == history.epochs[i].clock.step);
    }
  }
}

TEST_CASE("the training loss is the mean over the epoch's samples, without penalties") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_with(sgd);
  phase.epochs = 1;
  phase.regularize = {rg::L2{.strength = 10}};
  double sum = 0;
  const rg::History history = rg::run(net, {phase}, {}, [&](const rg::Step& step) {
    sum += step.loss.item<double>() * static_cast<double>(step.pass.batch.size());
  });
  CHECK(history.back().train_loss == Approx(sum / 56).epsilon(1e-9));
  CHECK(history.back().train_loss < 3);
}

TEST_CASE("freezing by name or by module keeps exactly these parameters, for one phase") {
  auto net = normed_network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(0.1));
  rg::Phase frozen = phase_with(sgd);
  frozen.freeze = {"0", "3.bias"};
  rg::Phase free = phase_with(sgd);
  const auto moved_by = [&](const rg::Phase& phase) {
    const auto before = net->named_parameters();
    std::map<std::string, at::Tensor> old;
    for (const auto& item : before) {
      old[item.key()] = item.value().detach().clone();
    }
    rg::run(net, {phase}, {});
    std::vector<std::string> moved;
    for (const auto& item : net->named_parameters()) {
      if (!torch::equal(item.value(), old[item.key()])) {
        moved.push_back(item.key());
      }
    }
    return moved;
  };
  CHECK(moved_by(frozen) == std::vector<std::string>{"1.weight", "1.bias", "3.weight"});
  CHECK(moved_by(free).size() == 6);
  frozen.freeze = {"1.w"};  // the beginning of a name is no module
  CHECK(contains(error_of([&] { rg::run(net, {frozen}, {}); }), "\"1.w\", which is no parameter or module"));
}

TEST_CASE("a regularizer's Pass holds the parameters that are trained, and no frozen one") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_with(sgd);
  phase.freeze = {"0.weight"};
  std::size_t seen = 0;
  phase.regularize = {[&](const rg::Pass& pass) {
    seen = pass.parameters.size();
    return torch::zeros({});
  }};
  rg::run(net, {phase}, {});
  CHECK(seen == 3);
}

namespace {

using Record = std::shared_ptr<std::vector<std::string>>;

/// Writes down when each of its hooks is called.
struct Scribe {
  std::string name;
  Record record;

  [[nodiscard]] at::Tensor penalty(const rg::Pass& pass) const {
    record->push_back("penalty " + name);
    for (const auto& parameter : pass.parameters) {
      if (parameter.grad().defined() && pass.batch.id[0].item<std::int64_t>() < 2) {
        record->push_back("a gradient is left over");
      }
    }
    return torch::zeros({});
  }
  void gradient(const rg::Pass& pass) const {
    record->push_back("gradient " + name);
    if (!pass.parameters.front().grad().defined()) {
      record->push_back("no gradient");
    }
  }
  void weights(const rg::Pass&) const { record->push_back("weights " + name); }
};

struct ScribeSGD : torch::optim::SGD {
  Record record;

  ScribeSGD(std::vector<at::Tensor> parameters, Record to) : SGD(std::move(parameters), 0.1), record(std::move(to)) {}

  torch::Tensor step(LossClosure closure = nullptr) override {
    record->push_back("step");
    return SGD::step(std::move(closure));
  }
};

}  // namespace

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

TEST_CASE("a step goes through its hooks in the order that run.hpp draws") {
  const Record record = std::make_shared<std::vector<std::string>>();
  auto net = plain_network();
  ScribeSGD sgd(net->parameters(), record);
  const rg::Model model(net, [=](torch::nn::Sequential& n, const rg::Batch& b) {
    record->push_back("forward");
    return n->forward(b.data);
  });
  const auto note = [=](const std::string& what) {
    return [=](const rg::Batch& batch, const rg::Key&) {
      record->push_back(what);
      return batch;
    };
  };
  const rg::Phase phase{.data = points(4, 11),
                        .optimizer = sgd,
                        .epochs = 1,
                        .batch = 2,
                        .loss =
                            [=](const at::Tensor& output, const at::Tensor& target) {
                              record->push_back("loss");
                              return torch::cross_entropy_loss(output, target);
                            },
                        .augment = {note("augment 1"), note("augment 2")},
                        .preprocess = {note("preprocess")},
                        .regularize = {Scribe{"a", record}, Scribe{"b", record}},
                        .accumulate = 2,
                        .shuffle = false};
  struct {
    Record record;
    void operator()(const rg::RunBegin&) const { record->clear(); }  // of the sample that is looked at before
    void operator()(const rg::Step&) const { record->push_back("Step"); }
    void operator()(const rg::Boundary&) const { record->push_back("Boundary"); }
    void operator()(const rg::Epoch&) const { record->push_back("Epoch"); }
  } const observer{record};
  rg::run(model, {phase}, {}, observer);

  const std::vector<std::string> expected{
      "augment 1",  "augment 2",  "preprocess",                            // both batches of the group first
      "augment 1",  "augment 2",  "preprocess",                            //
      "forward",    "loss",       "penalty a",  "penalty b",               // then each one's share of the objective
      "forward",    "loss",       "penalty a",  "penalty b",               //
      "gradient a", "gradient b", "step",       "weights a", "weights b",  // and one step for both
      "Step",       "Boundary",   "preprocess", "forward",                 // scoring never augments;
      "loss",       "loss",       "loss",  // the first one looks whether the loss, which
      "loss",       "loss",       "loss",  // does not say so, is a mean: cut in two ways
      "Epoch",      "Boundary",            //
      "Boundary"};                         // of the phase
  CHECK((*record == expected));
}

namespace {

struct Tapped : torch::nn::Module {
  torch::nn::Linear first{nullptr};
  torch::nn::Linear last{nullptr};

  Tapped() {
    torch::manual_seed(1);
    first = register_module("first", torch::nn::Linear(2, 5));
    last = register_module("last", torch::nn::Linear(5, 3));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return rg::tap(last->forward(torch::relu(rg::tap(first->forward(x)))));
  }
};

}  // namespace

TEST_CASE("what the network taps reaches Pass::taps in order, with its gradient, and in every pass anew") {
  Tapped net;
  torch::optim::SGD sgd(net.parameters(), 0.1);
  rg::Phase phase = phase_with(sgd);
  bool right = true;
  phase.regularize = {[&](const rg::Pass& pass) {
    right = right && pass.taps.size() == 2 && pass.taps[0].size(1) == 5 && pass.taps[1].is_same(pass.output);
    return pass.taps.at(0).square().mean();
  }};
  rg::run(net, {phase}, {});
  CHECK(right);

  // The same by hand.
  Tapped own;
  torch::optim::SGD by_hand(own.parameters(), 0.1);
  const rg::Source data = train();
  for (int epoch = 0; epoch < epochs; ++epoch) {
    const rg::Cursor next = data.read({.batch = batch_size, .shuffle = true, .seed = seed, .now = {{.epoch = epoch}}});
    for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
      by_hand.zero_grad();
      const auto hidden = own.first->forward(batch.data);
      const auto output = own.last->forward(torch::relu(hidden));
      (torch::cross_entropy_loss(output, batch.target) + hidden.square().mean()).backward();
      by_hand.step();
    }
  }
  CHECK(same(weights(rg::Model(net)), weights(rg::Model(own))));
}

TEST_CASE("an observer's own taps record the passes that it makes itself, and do not mix with those of run") {
  Tapped net;
  torch::optim::SGD sgd(net.parameters(), 0.1);
  rg::Phase phase = phase_with(sgd);
  std::size_t most = 0;
  phase.regularize = {[&](const rg::Pass& pass) {
    most = std::max(most, pass.taps.size());
    return torch::zeros({});
  }};
  std::size_t own = 0;
  rg::run(net, {phase}, {}, [&](const rg::Step&) {
    const rg::Taps taps;
    static_cast<void>(net.forward(torch::ones({1, 2})));
    own = taps.tensors().size();
  });
  CHECK(most == 2);
  CHECK(own == 2);
}

TEST_CASE("the events of a run come in this order") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase one{.name = "one", .data = points(6, 11), .optimizer = sgd, .epochs = 2, .batch = 4};
  const rg::Phase two{.name = "two", .data = points(3, 11), .optimizer = sgd, .epochs = 9, .until = rg::StepLimit{1}};
  const auto when = [](const rg::Clock& c) {
    return std::to_string(c.phase) + ":" + std::to_string(c.epoch) + ":" + std::to_string(c.batch) + ":" +
           std::to_string(c.step);
  };
  std::vector<std::string> events;
  struct Observer {
    std::vector<std::string>& to;
    std::function<std::string(const rg::Clock&)> when;
    void operator()(const rg::RunBegin& e) const {
      to.push_back("RunBegin " + e.phases[0] + " " + e.phases[1] + " " + std::to_string(e.epochs[1]));
    }
    void operator()(const rg::PhaseBegin& e) const {
      to.push_back("PhaseBegin " + e.name + " " + when(e.clock) + " " + std::to_string(e.epochs));
    }
    void operator()(const rg::Step& e) const { to.push_back("Step " + when(e.clock)); }
    void operator()(const rg::Epoch& e) const { to.push_back("Epoch " + e.phase + " " + when(e.clock)); }
    void operator()(const rg::Boundary& e) const {
      to.push_back("Boundary " + when(e.clock) + (e.last ? " last" : ""));
    }
    void operator()(const rg::PhaseEnd& e) const {
      to.push_back("PhaseEnd " + e.outcome.phase + " " + name_of(e.outcome.ended) + " " + when(e.outcome.clock));
    }
    void operator()(const rg::RunEnd& e) const { to.push_back("RunEnd " + std::to_string(e.history.size())); }
  };
  rg::run(net, {one, two}, {}, Observer{events, when});
  const std::vector<std::string> expected{"RunBegin one two 9",
                                          "PhaseBegin one 0:0:0:0 2",
                                          "Step 0:0:1:1",
                                          "Boundary 0:0:1:1",
                                          "Step 0:0:2:2",
                                          "Boundary 0:0:2:2",
                                          "Epoch one 0:1:0:2",
                                          "Boundary 0:1:0:2",
                                          "Step 0:1:1:3",
                                          "Boundary 0:1:1:3",
                                          "Step 0:1:2:4",
                                          "Boundary 0:1:2:4",
                                          "Epoch one 0:2:0:4",
                                          "Boundary 0:2:0:4",
                                          "PhaseEnd one epochs 0:2:0:4",
                                          "Boundary 1:0:0:0",
                                          "PhaseBegin two 1:0:0:0 9",
                                          "Step 1:0:1:1",
                                          "Boundary 1:0:1:1",
                                          "Epoch two 1:1:0:1",
                                          "Boundary 1:1:0:1",
                                          "PhaseEnd two criterion 1:1:0:1",
                                          "Boundary 2:0:0:0 last",
                                          "RunEnd 3"};
  CHECK((events == expected));

  // Stopped: the boundary of the step at hand is the last, and says so.
  events.clear();
  std::stop_source stop;
  stop.request_stop();
  rg::run(net, {one, two}, {}, {.stop = stop.get_token()}, Observer{events, when});
  const std::vector<std::string> stopped{"RunBegin one two 9",    "PhaseBegin one 0:0:0:0 2",     "Step 0:0:1:1",
                                         "Boundary 0:0:1:1 last", "PhaseEnd one stopped 0:0:1:1", "RunEnd 0"};
  CHECK((events == stopped));
}

TEST_CASE("a boundary comes after every observer has heard the event, whatever their order") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  int heard = 0;
  int at_boundary = 0;
  bool all_had_heard = true;
  const auto boundary = [&](const rg::Boundary&) {
    ++at_boundary;
    all_had_heard = all_had_heard && heard % 3 == 0;
  };
  const auto hear = [&](const auto& event) {
    using Event = std::decay_t<decltype(event)>;
    if constexpr (std::is_same_v<Event, rg::Step> || std::is_same_v<Event, rg::Epoch> ||
                  std::is_same_v<Event, rg::PhaseEnd>) {
      ++heard;
    }
  };
  rg::run(net, {phase_with(sgd)}, {}, boundary, hear, hear, hear);
  CHECK(all_had_heard);
  CHECK(heard == 3 * (12 + 3 + 1));
  CHECK(at_boundary == 12 + 3 + 1);
}

TEST_CASE("an observer hears a step with gradients on, as it hears an epoch") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  bool at_step = false;
  bool at_epoch = false;
  rg::run(
      net, {phase_with(sgd)}, {}, [&](const rg::Step&) { at_step = torch::GradMode::is_enabled(); },
      [&](const rg::Epoch&) { at_epoch = torch::GradMode::is_enabled(); });
  CHECK(at_step);
  CHECK(at_epoch);
}

TEST_CASE("an augmented sample is a function of the seed, the epoch and the sample, not of the batch around it") {
  using Shown = std::map<std::pair<int, std::int64_t>, at::Tensor>;
  const auto shown = [](std::uint64_t by_seed, std::int64_t batch, bool shuffle, int accumulate) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    const rg::Phase phase{.data = points(20, 11),
                          .optimizer = sgd,
                          .epochs = 3,
                          .batch = batch,
                          .augment = {rg::GaussianNoise{.stddev = 1}},
                          .accumulate = accumulate,
                          .seed = by_seed,
                          .shuffle = shuffle};
    Shown seen;
    rg::run(net, {phase}, {}, [&](const rg::Step& step) {
      const rg::Batch& last = step.pass.batch;
      for (std::int64_t i = 0; i < last.size(); ++i) {
        seen[{step.clock.epoch, last.id[i].item<std::int64_t>()}] = last.data[i].clone();
      }
    });
    return seen;
  };
  const Shown first = shown(1, 20, true, 1);
  REQUIRE(first.size() == 60);
  const auto agrees = [&](const Shown& other) {
    bool equal = !other.empty();
    for (const auto& [key, data] : other) {
      equal = equal && torch::allclose(data, first.at(key), 1e-6, 1e-6);
    }
    return equal;
  };
  CHECK(agrees(shown(1, 20, true, 1)));
  CHECK(agrees(shown(1, 7, true, 1)));
  CHECK(agrees(shown(1, 3, false, 1)));
  CHECK(agrees(shown(1, 4, true, 2)));
  CHECK_FALSE(agrees(shown(2, 20, true, 1)));
  for (std::int64_t id = 0; id < 20; ++id) {
    CHECK_FALSE(torch::allclose(first.at({0, id}), first.at({1, id})));
    CHECK_FALSE(torch::allclose(first.at({1, id}), first.at({2, id})));
  }
}

TEST_CASE("what is frozen in the source is the same at every epoch, and in scoring") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_with(sgd);
  phase.data = rg::frozen(train(), rg::UniformLabels{.classes = 3}, 5);
  std::map<std::int64_t, std::int64_t> labels;
  bool constant = true;
  rg::run(net, {phase}, {}, [&](const rg::Step& step) {
    const rg::Batch& batch = step.pass.batch;
    for (std::int64_t i = 0; i < batch.size(); ++i) {
      const auto label = batch.target[i].item<std::int64_t>();
      constant = constant && labels.try_emplace(batch.id[i].item<std::int64_t>(), label).first->second == label;
    }
  });
  CHECK(labels.size() == 56);
  CHECK(constant);
}

TEST_CASE("an epoch reads its data, and the partners in its augmentation, as they were when it began") {
  struct Watched {  // notes the moments at which it is read
    rg::Source of;
    std::shared_ptr<std::vector<rg::Clock>> read = std::make_shared<std::vector<rg::Clock>>();

    [[nodiscard]] std::int64_t size() const { return *of.size(); }
    [[nodiscard]] rg::Batch get(const at::Tensor& index, const rg::Moment& now) const {
      read->push_back(now.clock);
      return of.get(index);
    }
  };
  const Watched data{points(20, 11)};
  const Watched partners{points(20, 12)};
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase{.data = data,
                        .optimizer = sgd,
                        .epochs = 3,
                        .batch = 4,
                        .augment = {rg::Mixup{.partners = partners, .classes = 3, .allow_other_labels = true}},
                        .accumulate = 2};
  rg::run(net, {phase}, {}, [&](const rg::RunBegin&) { partners.read->clear(); });
  const std::vector<std::int64_t> began{0, 3, 6};  // 5 batches, 3 steps
  const auto as_they_began = [&](const std::vector<rg::Clock>& moments) {
    return std::all_of(moments.begin(), moments.end(), [&](const rg::Clock& clock) {
      return clock.batch == 0 && clock.step == began[static_cast<std::size_t>(clock.epoch)];
    });
  };
  CHECK(partners.read->size() == 15);
  CHECK(as_they_began(*partners.read));
  CHECK(as_they_began(*data.read));
}

TEST_CASE("drop_last leaves a smaller last batch out of training, and not out of scoring") {
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase = phase_with(sgd);
  phase.drop_last = true;
  const rg::History history = rg::run(net, {phase}, {});
  CHECK(history.back().clock.step == 9);
  CHECK(history.back().fit.samples == 56);
}

TEST_CASE("where all labels are wrong, Mixup and CutMix of a phase bring no true one, and clean partners are refused") {
  rg::Batch clean{.data = torch::rand({48, 1, 4, 4}), .target = torch::zeros({48}, torch::kLong)};
  const rg::Source source = clean;
  const rg::Source noisy = rg::frozen(source, rg::ClassMap{.to = {1, 0}}, 3);
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Flatten(), torch::nn::Linear(16, 2));
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const auto mass_on_truth = [&](const rg::AnyTransform& transform, const rg::Source& data, bool preprocess) {
    rg::Phase phase{.name = "noise", .data = data, .optimizer = sgd, .epochs = 2, .batch = 16};
    std::vector<rg::AnyTransform>& field = preprocess ? phase.preprocess : phase.augment;
    field.push_back(rg::chain(transform));
    double mass = 0;
    rg::run(net, {phase}, {.test = source}, [&](const rg::Step& step) {
      mass += step.pass.batch.target.select(1, 0).sum().item<double>();
      CHECK(step.pass.batch.target.sum().item<double>() == Approx(16));
    });
    return mass;
  };
  for (const bool preprocess : {false, true}) {
    for (const bool pastes : {false, true}) {
      const auto with = [&](const rg::Source& partners, bool allowed) -> rg::AnyTransform {
        if (pastes) {
          return rg::CutMix{.partners = partners, .classes = 2, .allow_other_labels = allowed};
        }
        return rg::Mixup{.partners = partners, .classes = 2, .allow_other_labels = allowed};
      };
      CHECK(mass_on_truth(with({}, false), noisy, preprocess) == 0);
      CHECK(mass_on_truth(with(noisy, false), rg::prefetch(noisy), preprocess) == 0);
      CHECK(mass_on_truth(with(source, true), noisy, preprocess) > 5);
      const auto before = weights(net);
      const std::string field = preprocess ? "Phase \"noise\".preprocess[0]: " : "Phase \"noise\".augment[0]: ";
      const std::string refused = error_of([&] { mass_on_truth(with(source, false), noisy, preprocess); });
      CAPTURE(refused);
      CHECK(contains(refused, field + "of the 48 samples that " + (pastes ? "CutMix" : "Mixup") + ".partners share"));
      CHECK(contains(refused, "48 have another target there"));
      const std::string stream = error_of([&] { mass_on_truth(with({}, false), rg::prefetch(noisy), preprocess); });
      CHECK(contains(stream,
                     field + (pastes ? "CutMix" : "Mixup") + ".partners must be set where the data are a stream"));
      CHECK(same(weights(net), before));  // before the first step
    }
  }
}

TEST_CASE("a batch of 2^63 - 1 samples is one step an epoch with all of them") {
  std::vector<std::vector<at::Tensor>> ends;
  for (const std::int64_t size : {std::int64_t{56}, std::numeric_limits<std::int64_t>::max()}) {
    auto net = plain_network();
    torch::optim::SGD sgd(net->parameters(), 0.1);
    rg::Phase phase = phase_with(sgd);
    phase.batch = size;
    const rg::History history = rg::run(net, {phase}, {.test = train(), .batch = size});
    CHECK(history.back().clock.step == phase.epochs);
    ends.push_back(weights(net));
  }
  CHECK(same(ends[0], ends[1]));
}

TEST_CASE("accumulated batches are as one whole batch for every loss that says what it counts, and for sums") {
  const at::Tensor weight = at::tensor({0.3F, 1.F, 4.F});
  const auto sum = [](const at::Tensor& output, const at::Tensor& target) {
    return at::cross_entropy_loss(output, target, {}, at::Reduction::Sum) / 50;
  };
  const rg::Batch all = points(44, 11);
  rg::Batch few = all;
  few.target = all.target.clone();
  few.target.slice(0, 0, 12).fill_(7);  // ignored: nothing counts in the first two batches of five
  rg::Batch some = few;
  some.target = few.target.clone();
  some.target.slice(0, 0, 12, 5).fill_(1);  // or LibTorch's own loss is NaN
  const std::vector<std::pair<rg::AnyLoss, rg::Batch>> losses{
      {rg::CrossEntropy{.ignore_index = 7}, few},
      {rg::CrossEntropy{.class_weights = {0.3, 1, 4}, .ignore_index = 7}, few},
      {torch::nn::CrossEntropyLoss(torch::nn::CrossEntropyLossOptions().weight(weight).ignore_index(7)), some},
      {rg::CrossEntropy{.class_weights = {0.3, 1, 4}}, all},
      {rg::SummedLoss{sum}, all},
  };
  for (std::size_t l = 0; l < losses.size(); ++l) {
    CAPTURE(l);
    const auto trained = [&](std::int64_t batch, int accumulate, bool fused) {
      auto net = plain_network();
      torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
      const rg::Phase phase{.data = losses[l].second,
                            .optimizer = sgd,
                            .epochs = 3,
                            .batch = batch,
                            .loss = losses[l].first,
                            .regularize = {rg::L2{.strength = 1e-2}},
                            .accumulate = accumulate,
                            .execute = {.fused = fused},
                            .shuffle = false};
      const rg::History history = rg::run(net, {phase}, {});
      return std::make_pair(weights(net), history);
    };
    const auto [whole, history] = trained(20, 1, false);
    for (const bool fused : {false, true}) {
      const auto [quarters, accumulated] = trained(5, 4, fused);
      CHECK(difference(whole, quarters) < 2e-6);
      for (std::size_t i = 0; i < history.size(); ++i) {
        CHECK(accumulated.epochs[i].train_loss == Approx(history.epochs[i].train_loss).epsilon(1e-5));
        CHECK(accumulated.epochs[i].fit.loss == Approx(history.epochs[i].fit.loss).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("the training loss of an epoch is the mean over all that counts in it, however its batches fell") {
  rg::Batch data = points(40, 11);
  data.target.slice(0, 0, 25).fill_(-1);
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.0);  // the weights stay
  const rg::Phase phase{
      .data = data, .optimizer = sgd, .epochs = 1, .batch = 16, .loss = rg::CrossEntropy{.ignore_index = -1}};
  const double right =
      torch::cross_entropy_loss(net->forward(data.data), data.target, {}, at::Reduction::Mean, -1).item<double>();
  const rg::Epoch epoch = rg::run(net, {phase}, {}).back();
  CHECK(epoch.train_loss == Approx(right).epsilon(1e-6));
  CHECK(epoch.fit.loss == Approx(right).epsilon(1e-6));
}

namespace {

/// Layers in a row as a layer, which LibTorch's Sequential is not.
struct BackboneImpl : torch::nn::Module {
  BackboneImpl() {
    linear = register_module("linear", torch::nn::Linear(2, 12));
    norm = register_module("norm", torch::nn::BatchNorm1d(12));
    dropout = register_module("dropout", torch::nn::Dropout(0.5));
  }
  torch::Tensor forward(const torch::Tensor& x) { return dropout(norm(linear(x))); }

  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm1d norm{nullptr};
  torch::nn::Dropout dropout{nullptr};
};
TORCH_MODULE(Backbone);

}  // namespace

TEST_CASE("a part that is named by eval is in eval mode while the others train, and only for the phase") {
  torch::manual_seed(1);
  Backbone backbone;
  torch::nn::Sequential net(backbone, torch::nn::BatchNorm1d(12), torch::nn::Linear(12, 3));
  net->forward(torch::randn({20, 2}));  // statistics other than those of the start
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase{.name = "head",
                  .data = points(40, 3),
                  .optimizer = sgd,
                  .epochs = 2,
                  .batch = 10,
                  .freeze = {"0"},
                  .eval = {"0"}};
  // By hand: the backbone's outputs never change, so the head may be trained on them alone.
  torch::nn::Sequential head(torch::nn::BatchNorm1d(12), torch::nn::Linear(12, 3));
  rg::Batch features = points(40, 3);
  {
    torch::NoGradGuard no_grad;
    backbone->eval();
    features.data = backbone->forward(features.data);
    backbone->train();
    for (const auto& item : head->named_parameters()) {
      head->named_parameters()[item.key()].copy_(
          net->named_parameters()[(item.key()[0] == '0' ? "1" : "2") + item.key().substr(1)]);
    }
    for (const auto& item : head->named_buffers()) {
      head->named_buffers()[item.key()].copy_(net->named_buffers()["1" + item.key().substr(1)]);
    }
  }
  torch::optim::SGD own(head->parameters(), 0.1);
  const auto before = weights(rg::Model(backbone));
  bool watched = true;
  const rg::History history = rg::run(net, {phase}, {}, [&](const rg::Step&) {
    watched = watched && !backbone->is_training() && !backbone->dropout->is_training() && net[1]->is_training();
    static_cast<void>(rg::evaluate(net, points(5, 1)));
  });
  CHECK(watched);
  CHECK(net->is_training());
  CHECK(backbone->dropout->is_training());
  CHECK(same(weights(rg::Model(backbone)), before));
  rg::Phase alone = phase;
  alone.data = features;
  alone.optimizer = own;
  alone.freeze = {};
  alone.eval = {};
  CHECK(rg::run(head, {alone}, {}) == history);

  phase.eval = {"0.7"};
  CHECK(
      contains(error_of([&] { rg::run(net, {phase}, {}); }), "Phase \"head\".eval names \"0.7\", which is no module"));
}

TEST_CASE("tied weights are frozen and selected by either of their names") {
  torch::manual_seed(1);
  torch::nn::Linear square(3, 3);
  torch::nn::Sequential net(torch::nn::Linear(2, 3), square, torch::nn::Tanh(), square);
  const rg::Batch data = points(20, 3);
  for (const char* const name : {"1", "3", "3.weight"}) {
    torch::optim::SGD sgd(rg::Model(net).parameters(), 0.1);
    const at::Tensor before = square->weight.detach().clone();
    rg::run(net, {{.data = data, .optimizer = sgd, .epochs = 1, .freeze = {name}}}, {});
    CHECK(torch::equal(square->weight, before));
    CHECK(square->weight.requires_grad());
    std::size_t seen = 0;
    rg::run(net,
            {{.data = data,
              .optimizer = sgd,
              .epochs = 1,
              .regularize = {rg::On{rg::Layers{{name}},
                                    [&](const rg::Pass& pass) {
                                      seen = pass.parameters.size();
                                      return pass.parameters.front().sum() * 0;
                                    }}}}},
            {});
    CHECK(seen == (std::string(name) == "3.weight" ? 1 : 2));
  }
}

TEST_CASE("Mixup in a phase: labels that the phase itself makes wrong come with partners too") {
  // An input is its class, and all labels are wrong. No target mass is then on what the input is.
  rg::Batch data = points(60, 3);
  data.data = torch::one_hot(data.target, 3).to(torch::kFloat);
  const rg::ClassMap wrong{.to = {1, 2, 0}};
  const rg::Mixup mixup{.classes = 3};
  torch::nn::Linear net(3, 3);
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const auto mass_elsewhere = [&](std::vector<rg::AnyTransform> augment, std::vector<rg::AnyTransform> preprocess) {
    rg::Phase phase{.data = data, .optimizer = sgd, .epochs = 2, .batch = 16};
    phase.augment = std::move(augment);
    phase.preprocess = std::move(preprocess);
    double most = 0;
    double mixed = 0;
    const auto look = [&](const rg::Step& step) {
      const at::Tensor right = step.pass.batch.data.roll(1, 1);
      most = std::max(most, (step.pass.batch.target - right).abs().max().item<double>());
      mixed += ((right > 0.1) & (right < 0.9)).any(1).sum().item<double>();
    };
    rg::run(net, {phase}, {.score_fit = false}, look);
    CHECK(mixed > 20);
    return most;
  };
  CHECK(mass_elsewhere({wrong, mixup}, {}) < 1e-6);
  CHECK(mass_elsewhere({rg::chain(wrong), rg::chain(mixup)}, {}) < 1e-6);
  CHECK(mass_elsewhere({wrong}, {mixup}) < 1e-6);
  CHECK(mass_elsewhere({}, {wrong, mixup}) < 1e-6);

  rg::Phase leaky{.name = "leaky", .data = data, .optimizer = sgd, .epochs = 1};
  leaky.augment = {wrong, rg::Mixup{.partners = leaky.data, .classes = 3}};
  CHECK(contains(error_of([&] { rg::run(net, {leaky}, {}); }), "Phase \"leaky\".augment[1]: of the 60 samples"));
  leaky.augment = {wrong};
  leaky.preprocess = {rg::Mixup{.partners = leaky.data, .classes = 3}};
  CHECK(contains(error_of([&] { rg::run(net, {leaky}, {}); }), "Phase \"leaky\".preprocess[0]: of the 60 samples"));
}

namespace {

/// Leaves out the last row where it is asked for more than one.
struct Short {
  rg::Batch all;
  [[nodiscard]] std::int64_t size() const { return all.size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index) const {
    rg::Batch batch = rg::rows(all, index.slice(0, 0, std::max<std::int64_t>(1, index.size(0) - 1)));
    batch.id = torch::arange(batch.size());
    return batch;
  }
};

struct WithoutIds {
  rg::Batch all;
  [[nodiscard]] std::int64_t size() const { return all.size(); }
  [[nodiscard]] rg::Batch get(const at::Tensor& index) const { return rg::rows(all, index); }
};

}  // namespace

TEST_CASE("rows: a transform that drops samples, and a source that gives fewer than asked, are refused by name") {
  torch::nn::Linear net(2, 3);
  torch::optim::SGD sgd(net->parameters(), 0.1);
  rg::Phase phase{.name = "few", .data = points(8, 1), .optimizer = sgd, .epochs = 1, .batch = 4};
  const auto refused = [&](const std::vector<std::string>& parts) {
    const std::string message = error_of([&] { rg::run(net, {phase}, {}); });
    CAPTURE(message);
    for (const std::string& part : parts) {
      CHECK(contains(message, part));
    }
  };
  const auto dropping = [](const rg::Batch& b, const rg::Key&) {
    return rg::slice(b, 0, std::max<std::int64_t>(1, b.size() - 1));
  };
  phase.augment = {dropping};
  refused({"Phase \"few\"", "the transform lambda must give 4 rows", "its data is [3, 2] float"});
  phase.augment = {rg::chain(dropping)};
  refused({"Phase \"few\"", "the transform lambda must give 4 rows"});
  phase.augment = {};
  phase.preprocess = {[](rg::Batch b, const rg::Key&) {
    b.target = b.target.slice(0, 0, 1);
    return b;
  }};
  refused({"Phase \"few\"", "the transform lambda must give 4 rows", "its target is [1]"});
  phase.preprocess = {};

  phase.data = Short{points(8, 1)};
  refused({"Phase \"few\"", "of the source ", "Short must give 4 rows", "its data is [3, 2] float"});
  phase.data = WithoutIds{points(8, 1)};
  refused({"of the source ", "WithoutIds must give 1 rows", "its id is undefined"});
}

TEST_CASE("the number of epochs, batches and classes may be any integer, also one that is counted in size_t") {
  const std::vector<int> three(3);
  auto net = plain_network();
  torch::optim::SGD sgd(net->parameters(), 0.1);
  const rg::Phase phase{.data = points(20, 11), .optimizer = sgd, .epochs = three.size(), .batch = three.size()};
  CHECK(rg::run(net, {phase}, {.test = points(5, 1), .every = three.size()}).back().clock.step == 21);
  rg::Phase many = phase;
  many.epochs = std::size_t{1} << 63;
  CHECK(many.epochs == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("whole numbers of transforms, criteria, schedules and hooks take a size(), which braces do not narrow") {
  const std::vector<int> three(3);
  const auto n = three.size();
  const auto is_three = [](const std::string& manifest, const std::string& field) {
    CAPTURE(manifest);
    CHECK(contains(manifest, "\"" + field + "\": 3"));
  };
  is_three(rg::manifest(rg::UniformLabels{.classes = n}), "classes");
  is_three(rg::manifest(rg::PairFlip{.classes = n, .shift = n}), "shift");
  is_three(rg::manifest(rg::LabelSmoothing{.classes = n}), "classes");
  is_three(rg::manifest(rg::StochasticLabels{.classes = n}), "classes");
  is_three(rg::manifest(rg::InstanceLabels{.classes = n}), "classes");
  is_three(rg::manifest(rg::Mixup{.classes = n}), "classes");
  is_three(rg::manifest(rg::CutMix{.classes = n}), "classes");
  is_three(rg::manifest(rg::RandomMatrix{.classes = n, .tries = n}), "tries");
  is_three(rg::manifest(rg::RandomChoice{.picks = n}), "picks");
  is_three(rg::manifest(rg::Cutout{.side = n}), "side");
  is_three(rg::manifest(rg::RandomCrop{.padding = n}), "padding");
  is_three(rg::manifest(rg::StepLimit{.steps = n}), "steps");
  is_three(rg::manifest(rg::Patience{.scorings = n}), "scorings");
  is_three(rg::manifest(rg::GapExceeds{.hold = n}), "hold");
  is_three(rg::manifest(rg::FitReaches{.hold = n}), "hold");
  is_three(rg::manifest(rg::LossDiverges{.hold = n}), "hold");
  is_three(rg::manifest(rg::MeasureExceeds{.measure = "distance", .hold = n}), "hold");
  is_three(rg::manifest(rg::MeasureRises{.measure = "changes", .window = n, .scorings = n}), "window");
  is_three(rg::manifest(rg::PlateauDecay{.patience = n, .cooldown = n}), "cooldown");
  is_three(rg::manifest(rg::SpectralNorm{.iterations = n}), "iterations");
  is_three(rg::manifest(rg::JacobianNorm{.projections = n}), "projections");
  is_three(rg::manifest(rg::AdaptiveClip{.except_last = n}), "except_last");
}

}  // namespace loop_test
