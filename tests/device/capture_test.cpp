// Steps that are recorded once and replayed: nothing that changes from step to step is frozen, and what would be is
// told.

#include "device/gpu.hpp"

#include <string>

#include <regimen/regimen.hpp>

#include "support/training.hpp"

namespace {

using namespace training;

/// A loop of one's own on the device: its steps recorded, or not.
struct OwnLoop {
  explicit OwnLoop(bool record) {
    net->to(gpu::device());
    data = to(points(32, 4), gpu::device());
    data.id = at::arange(32, at::kLong).to(gpu::device());
    if (record) {
      captured = std::make_unique<rg::Captured>(gpu::device(), [this](const rg::Moment& now) { return step(now); });
    }
  }
  OwnLoop(const OwnLoop&) = delete;
  OwnLoop& operator=(const OwnLoop&) = delete;

  at::Tensor step(const rg::Moment& now) {
    const rg::Batch seen = noise(data, rg::Key(9, data.id, now).each_epoch());
    for (at::Tensor& parameter : net->parameters()) {
      parameter.mutable_grad() = at::Tensor();
    }
    const at::Tensor out = net->forward(seen.data);
    const at::Tensor loss =
        at::cross_entropy_loss(out, seen.target) + l2.penalty({.parameters = net->parameters(), .now = now});
    loss.backward();
    rg::fused_step(sgd, now, rate);
    return loss.detach();
  }

  double train(int epoch, std::int64_t at) {
    const rg::Moment now{.clock = {.epoch = epoch, .batch = at, .batches = 4, .step = 4 * epoch + at}};
    return (captured ? (*captured)(now) : step(now)).cpu().item<double>();
  }

  torch::nn::Sequential net = plain_network(3);
  torch::optim::SGD sgd{net->parameters(), torch::optim::SGDOptions(0.5).momentum(0.9)};
  rg::Batch data;
  rg::GaussianNoise noise{.stddev = rg::Cosine{.epochs = 4} * 0.3};
  rg::L2 l2{.strength = rg::Cosine{.epochs = 4} * 0.1};
  rg::Knob rate = rg::LinearWarmup{.epochs = 2} * rg::Cosine{.epochs = 4};
  std::unique_ptr<rg::Captured> captured;
};

}  // namespace

TEST_CASE("capture: in a loop of one's own, a replayed step is the eager one, while rate, strength and noise change") {
  OwnLoop eager(false);
  OwnLoop recorded(true);
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (int at = 0; at < 4; ++at) {
      CAPTURE(epoch, at);
      CHECK(recorded.train(epoch, at) == Approx(eager.train(epoch, at)).epsilon(1e-5));
      CHECK(recorded.captured->recorded() == (4 * epoch + at >= 3));
    }
  }
  CHECK(recorded.captured->why_not().empty());
  CHECK(difference(weights(recorded.net), weights(eager.net)) < 1e-5);
}

TEST_CASE("capture: the learning rate that an optimizer is given between steps is followed") {
  OwnLoop eager(false);
  OwnLoop recorded(true);
  for (int step = 0; step < 10; ++step) {
    for (OwnLoop* loop : {&eager, &recorded}) {
      rg::set_learning_rate(loop->sgd, 0.1 * (step + 1));
    }
    CHECK(recorded.train(1, step) == Approx(eager.train(1, step)).epsilon(1e-5));
  }
  CHECK(recorded.captured->recorded());
}

TEST_CASE("capture: a replay says how far it is from an eager step elsewhere, and puts everything back") {
  OwnLoop loop(true);
  for (int step = 0; step < 5; ++step) {
    loop.train(0, step);
  }
  const auto before = weights(loop.net);
  const rg::Moment elsewhere{.clock = {.epoch = 2, .batch = 1, .batches = 4}};
  const auto momentum = rg::detail::state_tensors(loop.sgd);
  REQUIRE(momentum.size() == loop.net->parameters().size());
  CHECK(loop.captured->disagreement(elsewhere, loop.net->parameters(), momentum, [] {}) < 1e-5);
  CHECK(same(weights(loop.net), before));
}

TEST_CASE("capture: what cannot be recorded is done eagerly, and says why") {
  const at::Tensor x = at::ones({4}).to(gpu::device());
  at::Tensor sum = at::zeros({4}).to(gpu::device());
  SECTION("a number that is read from the device") {
    rg::Captured step(gpu::device(), [&](const rg::Moment&) {
      sum.add_(x * x.select(0, 0).item<double>());
      return sum;
    });
    for (int i = 0; i < 6; ++i) {
      (void)step({});
    }
    CHECK_FALSE(step.recorded());
    CHECK(contains(step.why_not(), "makes the host wait for the device"));
  }
  SECTION("a number that is read from the device while it is recorded alone: what draws goes on drawing") {
    int calls = 0;
    rg::Captured step(gpu::device(), [&](const rg::Moment&) {
      (void)at::dropout(x, 0.5, true);
      sum.add_(x * (++calls == 4 ? x.select(0, 0).item<double>() : 1));
      return sum;
    });
    for (int i = 0; i < 6; ++i) {
      (void)step({});
    }
    CHECK(calls == 7);  // three eager ones, the one that failed, and three instead of replays
    CHECK_FALSE(step.recorded());
    CHECK_FALSE(step.why_not().empty());
    CHECK(at::dropout(x, 0.5, true).cpu().max().item<double>() <= 2);
  }
  SECTION("a scheduled number that is read on the host") {
    const rg::Knob knob = rg::Cosine{.epochs = 4};
    rg::Captured step(gpu::device(), [&](const rg::Moment& now) { return sum.add_(x * (now(knob) > 0 ? 1 : 2)); });
    for (int i = 0; i < 6; ++i) {
      (void)step({});
    }
    CHECK_FALSE(step.recorded());
    CHECK(contains(step.why_not(), "Cosine"));
    CHECK(contains(step.why_not(), "on the host"));
  }
  SECTION("scheduled numbers that are asked for only later") {
    const rg::Knob knob = rg::Cosine{.epochs = 4};
    int calls = 0;
    rg::Captured step(gpu::device(), [&](const rg::Moment& now) {
      return ++calls > 3 ? sum.add_(x * now.tensor(knob)) : sum.add_(x);
    });
    for (int i = 0; i < 6; ++i) {
      (void)step({});
    }
    CHECK_FALSE(step.recorded());
    CAPTURE(step.why_not());
    CHECK(contains(step.why_not(), "scheduled numbers"));
  }
  CHECK(sum.cpu().equal(at::full({4}, 6.0)));
}

TEST_CASE("capture: a device that records nothing, and a wrong number of warm-up steps") {
  rg::Captured step(at::kCPU, [](const rg::Moment& now) { return at::full({}, now.clock.step); });
  CHECK(step({.clock = {.step = 5}}).item<int>() == 5);
  CHECK(contains(step.why_not(), "cpu"));
  CHECK(
      contains(error_of([] { rg::Captured(at::kCPU, [](const rg::Moment&) { return at::Tensor(); }, 0); }), "warm_up"));
}

TEST_CASE("capture: a schedule that leaves its bounds is an Error at the replay too") {
  at::Tensor sum = at::zeros({1}).to(gpu::device());
  const rg::Knob falling = [](const rg::Clock& clock) { return 3.0 - clock.epoch; };
  rg::Captured step(gpu::device(), [&](const rg::Moment& now) {
    return sum.add_(now.tensor(falling, rg::Bounds::not_negative("L2.strength")));
  });
  for (int epoch = 0; epoch < 4; ++epoch) {
    (void)step({.clock = {.epoch = epoch}});
  }
  REQUIRE(step.recorded());
  (void)step({.clock = {.epoch = 3}});
  CHECK(sum.cpu().item<double>() == 3 + 2 + 1 + 0 + 0);
  CHECK(contains(error_of([&] { (void)step({.clock = {.epoch = 4}}); }), "L2.strength"));
}
