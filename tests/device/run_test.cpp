// `run` on another device, eagerly and by replaying recorded steps: the same training as on the CPU.

#include "device/gpu.hpp"

#include <stop_token>
#include <string>
#include <vector>

#include <regimen/regimen.hpp>

#include "support/training.hpp"

namespace {

using namespace training;

rg::Batch pictures(std::int64_t n) {
  const at::Tensor id = at::arange(n, at::kLong);
  return {
      .data = rg::Key(1, id).uniform({1, 8, 8}).mul(255).to(at::kByte), .target = rg::Key(2, id).below(4), .id = id};
}

torch::nn::Sequential picture_network(double dropout) {
  torch::manual_seed(3);
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 6, 3).padding(1).bias(false)),
                               torch::nn::BatchNorm2d(6), torch::nn::ReLU(), torch::nn::Flatten(),
                               torch::nn::Dropout(dropout), torch::nn::Linear(6 * 64, 4));
}

/// A regime in which everything changes: rate, strengths, label noise, augmentation, dropout; its last batch is
/// smaller.
struct Training {
  explicit Training(const rg::Execution& execute, bool on_device = true, double dropout = 0.2)
      : net(picture_network(dropout)) {
    const rg::Batch raw = pictures(45);
    const rg::Source data = on_device ? to(raw, gpu::device()) : raw;
    const auto damage = rg::chain(rg::ZeroPixels{.fraction = rg::Cosine{.epochs = 5} * 0.4},
                                  rg::UniformLabels{.classes = 4, .fraction = rg::Cosine{.epochs = 5} * 0.8});
    phase.data = rg::frozen(rg::repeat(data, 2), damage, 7);
    phase.optimizer = sgd;
    phase.epochs = 4;
    phase.lr_scale = rg::LinearWarmup{.epochs = 1, .start = 0.1} * rg::Cosine{.epochs = 5};
    phase.batch = 8;
    phase.augment = {rg::RandomCrop{.padding = 1}, rg::HorizontalFlip{.probability = rg::Cosine{.epochs = 6}}};
    phase.preprocess = {rg::Normalize{.mean = {0.5}, .stddev = {0.25}}};
    phase.regularize = {rg::L2{.strength = rg::Cosine{.epochs = 5} * 1e-2},
                        rg::AdaptiveClip{.factor = rg::Cosine{.epochs = 5} * 0.5},
                        rg::GradientNoise{.eta = rg::Cosine{.epochs = 5} * 1e-3, .seed = 8},
                        rg::ClipValues{.bound = rg::Cosine{.epochs = 5} * 0.2},
                        rg::ClipGradients{.max_norm = 1},
                        rg::DecoupledDecay{.decay = rg::Cosine{.epochs = 5} * 1e-2},
                        rg::MaxNorm{.bound = 2}};
    phase.execute = execute;
    phase.seed = 4;
  }
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  template <class... Observers>
  rg::History run(const rg::RunOptions& options, Observers&&... observers) {
    return rg::run(net, {phase}, {.clean = phase.data}, options, observers...);
  }

  torch::nn::Sequential net;
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-3)};
  rg::Phase phase;
};

std::vector<at::Tensor> host_weights(const torch::nn::Sequential& net) {
  std::vector<at::Tensor> on_host;
  for (const at::Tensor& tensor : weights(net)) {
    on_host.push_back(tensor.cpu());
  }
  return on_host;
}

/// The loss of every step.
struct Losses {
  std::vector<double> each;
  void operator()(const rg::Step& step) { each.push_back(step.loss.cpu().item<double>()); }
};

/// What the run said of itself.
struct Notices {
  std::vector<std::string> each;
  void operator()(const rg::Notice& notice) { each.push_back(notice.text); }
};

const rg::Execution here{};
const rg::Execution there{.device = gpu::device().str(), .fused = true};
const rg::Execution graph{.device = gpu::device().str(), .fused = true, .graph = true};

void check_step_by_step(Training& a, Training& b, double tolerance = 1e-4) {
  Losses of_a;
  Losses of_b;
  const rg::History history_a = a.run({}, of_a);
  const rg::History history_b = b.run({}, of_b);
  REQUIRE(of_a.each.size() == of_b.each.size());
  for (std::size_t i = 0; i < of_a.each.size(); ++i) {
    CAPTURE(i);
    CHECK(of_a.each[i] == Approx(of_b.each[i]).epsilon(tolerance));
  }
  CHECK(difference(host_weights(a.net), host_weights(b.net)) < tolerance);
  for (std::size_t i = 0; i < history_a.size(); ++i) {
    CHECK(history_a.epochs[i].fit.accuracy == Approx(history_b.epochs[i].fit.accuracy).margin(0.03));
  }
}

}  // namespace

TEST_CASE("device run: training there is training on the CPU, to rounding") {
  const double dropout = gpu::draws_as_cpu() ? 0.2 : 0;
  Training cpu(here, /*on_device=*/false, dropout);
  Training device(there, /*on_device=*/true, dropout);
  check_step_by_step(cpu, device, 1e-2);  // two processors round differently, and training amplifies it
}

TEST_CASE("device run: recorded steps agree with eager ones, one by one, while everything changes") {
  Training eager(there);
  Training recorded(graph);
  Notices notices;
  check_step_by_step(eager, recorded);

  Training again(graph);
  again.run({}, notices);
  CAPTURE(notices.each);
  CHECK(notices.each.empty());
}

TEST_CASE("device run: momentum and weight decay follow their schedules in recorded steps too") {
  const auto drive = [](Training& training) {
    training.phase.momentum = rg::OneCycle{.epochs = 4, .start = 0.95, .peak = 0.5, .end = 0.9};
    training.phase.weight_decay_scale = rg::LinearDecay{.epochs = 4, .from = 20, .to = 1};
  };
  Training eager(there);
  Training recorded(graph);
  drive(eager);
  drive(recorded);
  check_step_by_step(eager, recorded);

  Training again(graph);
  drive(again);
  Notices notices;
  again.run({}, notices);
  CAPTURE(notices.each);
  CHECK(notices.each.empty());
}

TEST_CASE("device run: several batches a step are recorded too") {
  Training eager(there);
  Training recorded(graph);
  eager.phase.accumulate = recorded.phase.accumulate = 3;
  check_step_by_step(eager, recorded);
}

TEST_CASE("device run: nobody waits for the device within an epoch, recorded or not") {
  for (const rg::Execution& execute : {there, graph}) {
    CAPTURE(execute.graph);
    Training training(execute);
    training.phase.lr_scale = 1;
    int at_first = -1;
    int most = 0;
    const auto watch = [&](const rg::Step& step) {
      if (step.clock.batch <= 5) {  // after the first steps, which fill slots, record and compare
        at_first = gpu::waits();
      } else {
        most = std::max(most, gpu::waits() - at_first);
      }
    };
    training.run({}, watch);
    CHECK(most == 0);
  }
}

TEST_CASE("device run: a recorded run that is stopped and goes on ends where the whole one does") {
  Training whole(graph);
  whole.run({});
  Training part(graph);
  std::stop_source stop;
  rg::State state;
  const auto keep = [&](const rg::Boundary& boundary) { state = boundary.state(); };
  const auto stop_after = [&](const rg::Step& step) {
    if (step.clock.epoch == 1 && step.clock.batch == 5) {
      stop.request_stop();
    }
  };
  part.run({.stop = stop.get_token()}, stop_after, keep);
  REQUIRE(state.clock.batch == 5);
  part.run({.from = state});
  CHECK(difference(host_weights(part.net), host_weights(whole.net)) < 1e-4);
}

TEST_CASE("device run: what reads on the host what changes is found out, told once, and trains all the same") {
  const auto check = [](const rg::AnyRegularizer& regularizer, const std::string& why) {
    CAPTURE(why);
    Training eager(there);
    Training recorded(graph);
    eager.phase.regularize = recorded.phase.regularize = {regularizer};
    Notices notices;
    eager.run({});
    recorded.run({}, notices);
    REQUIRE(notices.each.size() == 1);
    CAPTURE(notices.each[0]);
    CHECK(contains(notices.each[0], why));
    CHECK(difference(host_weights(eager.net), host_weights(recorded.net)) < 1e-4);
  };
  const auto squares = [](const rg::Pass& pass) { return pass.parameters[0].square().sum(); };
  const rg::Knob knob = rg::Cosine{.epochs = 5};
  check([=](const rg::Pass& pass) { return squares(pass) * pass.now(knob); }, "Cosine");
  check([=](const rg::Pass& pass) { return squares(pass) * pass.now.clock.epoch; }, "away from where the step itself");
  check([=](const rg::Pass& pass) { return squares(pass) * squares(pass).item<double>(); },
        "makes the host wait for the device");
  // Away from here only: it tells at the phase's end.
  check([=](const rg::Pass& pass) { return squares(pass) * (pass.now.clock.epoch == 3 ? 1 : 0); },
        "away from where the step itself");
  check(rg::Sam{.rho = 0.1}, "same random numbers");
}

TEST_CASE("device run: what cannot be recorded from the outset is told") {
  const auto notice_of = [](auto&& change) {
    Training training(graph);
    training.phase.epochs = 1;
    change(training);
    Notices notices;
    training.run({}, notices);
    REQUIRE(notices.each.size() == 1);
    return notices.each[0];
  };
  CHECK(contains(notice_of([](Training& t) { t.phase.data = pictures(20); }), "cached(data, device)"));
  CHECK(contains(notice_of([](Training& t) {
                   torch::optim::Optimizer& base = t.sgd;
                   t.phase.execute.fused = false;
                   t.phase.optimizer = base;
                 }),
                 "torch::optim::SGD"));
  CHECK(contains(notice_of([](Training& t) {
                   t.phase.data = to(pictures(20), at::kCPU);
                   t.phase.execute.device = "cpu";
                 }),
                 "record steps on cpu"));
}

TEST_CASE("device run: options that are changed meanwhile are followed, by recording anew") {
  Training eager(there);
  Training recorded(graph);
  const auto change_momentum = [](Training& training) {
    return [&training](const rg::Epoch& epoch) {
      auto& options = static_cast<torch::optim::SGDOptions&>(training.sgd.param_groups()[0].options());
      options.momentum(epoch.clock.epoch % 2 == 0 ? 0.9 : 0.5);
    };
  };
  eager.run({}, change_momentum(eager));
  recorded.run({}, change_momentum(recorded));
  CHECK(difference(host_weights(eager.net), host_weights(recorded.net)) < 1e-4);
}

TEST_CASE("device run: averages follow the network to its device, and take the weights between the replays") {
  Training eager(there);
  Training recorded(graph);
  rg::ExponentialAverage of_eager(eager.net, {.decay = 0.9});
  rg::ExponentialAverage of_recorded(recorded.net, {.decay = 0.9});
  eager.run({}, of_eager);
  recorded.run({}, of_recorded);
  for (std::size_t i = 0; i < of_eager.weights().tensors().size(); ++i) {
    const at::Tensor& a = of_eager.weights().tensors()[i].tensor;
    const at::Tensor& b = of_recorded.weights().tensors()[i].tensor;
    CHECK(a.device() == gpu::device());
    CHECK((a.cpu().to(at::kDouble) - b.cpu().to(at::kDouble)).abs().max().item<double>() < 1e-4);
  }
}

TEST_CASE("device run: a pass that is kept for watching is the recorded one's, gradients and all") {
  Training eager(there);
  Training recorded(graph);
  std::vector<double> norms[2];
  const auto watch = [](std::vector<double>& to) {
    return [&to](const rg::Step& step) {
      CHECK(step.pass.now.slots == nullptr);
      to.push_back(step.pass.parameters[0].grad().norm().cpu().item<double>() +
                   step.pass.output.norm().cpu().item<double>());
    };
  };
  eager.run({}, watch(norms[0]));
  recorded.run({}, watch(norms[1]));
  REQUIRE(norms[0].size() == norms[1].size());
  for (std::size_t i = 0; i < norms[0].size(); ++i) {
    CAPTURE(i);
    CHECK(norms[0][i] == Approx(norms[1][i]).epsilon(1e-3));
  }
}
