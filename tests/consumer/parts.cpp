// A user's program with parts of most rooms. It is compiled under a user's strictest warnings, each of which is an
// error, so what it instantiates of regimen must give none; and it runs.
#include <torch/torch.h>

#include <regimen/regimen.hpp>
#include <regimen/report.hpp>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace rg = regimen;

namespace {

// A transform and a stop criterion of the user's own.
struct Darker {
  rg::Share<"Darker.by"> by = 0.1;

  rg::Batch operator()(const rg::Batch& batch, const rg::Key& key) const {
    rg::Batch result = batch;
    result.data = batch.data * (1 - key.now().tensor(by));
    return result;
  }
};

struct Diverges {
  bool operator()(const rg::Epoch& epoch) const { return !(epoch.train_loss < 1e6); }
};

rg::Batch images(std::int64_t n, std::uint64_t seed) {
  const at::Tensor id = torch::arange(n);
  const at::Tensor kind = id.remainder(10);
  const at::Tensor noise = rg::Key(seed, id).uniform({64});
  return {.data = noise.scatter(1, (6 * kind).unsqueeze(1), 3.0).view({n, 1, 8, 8}), .target = kind, .id = id};
}

torch::nn::Sequential network() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Flatten(), torch::nn::Linear(64, 16), torch::nn::ReLU(),
                               torch::nn::Linear(16, 10));
}

rg::History phases(const rg::Source& train, const rg::Source& test) {
  torch::nn::Sequential net = network();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.1));
  const auto damage = rg::chain(rg::ZeroPixels{.fraction = 0.1}, rg::UniformLabels{.classes = 10, .fraction = 0.4});
  const rg::Source noisy = rg::frozen(train, damage, /*seed=*/7);
  const rg::NoiseSplit parts = rg::split_by_noise(noisy, train);
  const rg::Snapshot start(net);

  const rg::Phase memorize{.name = "memorize",
                           .data = noisy,
                           .optimizer = sgd,
                           .epochs = 4,
                           .until = rg::FitReaches{0.99} || Diverges{},
                           .batch = 20};
  const rg::Phase learn{.name = "learn",
                        .data = train,
                        .optimizer = sgd,
                        .epochs = 30,
                        .lr_scale = rg::LinearWarmup{.epochs = 1} * rg::Cosine{.epochs = 30},
                        .batch = 20,
                        .loss = rg::CrossEntropy{},
                        .augment = {rg::GaussianNoise{.stddev = 0.05}, rg::Cutout{.side = 2}, Darker{.by = 0.2}},
                        .regularize = {rg::L2{.strength = 1e-3}, rg::ConfidencePenalty{.strength = 0.01},
                                       rg::ClipGradients{.max_norm = 5}}};
  const rg::Scoring scoring{.clean = train,
                            .test = test,
                            .measures = {{"distance", rg::DistanceFrom{start}},
                                         {"by_heart", rg::AccuracyOn{parts.corrupted}},
                                         {"fisher_rao", rg::FisherRao{.data = train}}}};
  rg::GapTracker gap(rg::memorization);
  rg::ForgettingEvents forgetting(noisy);
  rg::AreaUnderMargin area(noisy);
  rg::Best best(net, rg::Metric::test_accuracy);
  return rg::run(net, {memorize, learn}, scoring, rg::CsvLog("parts.csv"), rg::Checkpoint("parts.pt", {}, net, sgd),
                 gap, forgetting, area, best);
}

// Without `run`: a loop of the user's own.
double own_loop(const rg::Source& train) {
  torch::nn::Sequential net = network();
  torch::optim::Adam adam(net->parameters(), torch::optim::AdamOptions(1e-2));
  const rg::Source noisy = rg::frozen(train, rg::PairFlip{.classes = 10}, /*seed=*/7, rg::exactly(0.4));
  const rg::L1 l1{.strength = 1e-4};
  for (rg::Clock t; t.epoch < 30; ++t.epoch) {
    rg::set_learning_rate(adam, 1e-2 * rg::StepDecay{{25}, 0.1}(t));
    const rg::Cursor next = noisy.read({.batch = 20, .shuffle = true, .seed = 1, .now = {.clock = t}});
    for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
      batch = rg::Mixup{.partners = noisy, .classes = 10, .alpha = 0.2}(
          batch, rg::Key(1, batch.id, {.clock = t}).each_epoch());
      adam.zero_grad();
      const torch::Tensor output = net->forward(batch.data);
      (torch::cross_entropy_loss(output, batch.target) + l1.penalty({.parameters = net->parameters()})).backward();
      adam.step();
    }
  }
  return rg::evaluate(net, train).accuracy;
}

// Curvature, an equilibrium and its gradient.
double second_order(const rg::Source& train) {
  torch::nn::Sequential net = network();
  const rg::LossSurface surface(net, train, {.batch = 20}, rg::Matrices{});
  const rg::SpectrumEnds ends = rg::top(rg::Hessian(surface), {.largest = 1, .smallest = 0});
  const torch::Tensor w = (0.1 * torch::randn({4, 4})).requires_grad_();
  const auto map = [&](const torch::Tensor& x) { return (x.matmul(w) + 1).tanh(); };
  rg::equilibrium(map, torch::zeros({8, 4})).x.square().mean().backward();
  return ends.largest.at(0).value + w.grad().abs().sum().item<double>();
}

// Tables, pictures and intervals.
std::string told(const rg::History& history) {
  const rg::Interval mean = rg::mean_interval(std::vector<double>{0.91, 0.93, 0.92});
  const rg::Estimate middle = rg::bootstrap_interval(std::vector<double>{0.91, 0.93, 0.92}, rg::median, {.seed = 1});
  rg::report::Table table({{.name = "arm"}, {.name = "test", .kind = rg::report::Kind::interval}}, "One arm");
  table.add({"learn", mean});
  const rg::report::Panel panel = rg::report::curves(history);
  return rg::report::markdown(table) + rg::report::csv(table) + rg::report::svg({.panels = {panel}}) +
         std::to_string(middle.value);
}

}  // namespace

int main() {
  try {
    const rg::Source train = images(60, 1);
    const rg::History history = phases(train, images(40, 2));
    const double accuracy = own_loop(train);
    const double numbers = second_order(train);
    const bool right = history.size() == 34 && history.back().test.accuracy > 0.5 && accuracy > 0.5 &&
                       std::isfinite(numbers) && told(history).find("<svg") != std::string::npos;
    std::printf("regimen %s: test accuracy %.2f, in a loop of its own %.2f\n", rg::version,
                history.back().test.accuracy, accuracy);
    return right ? 0 : 1;
  } catch (const rg::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
