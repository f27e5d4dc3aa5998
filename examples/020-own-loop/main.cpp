// The same parts in a loop of your own: label noise, a schedule, a penalty, precision, scoring, a gap tracker, a stop
// criterion and a log, none of which needs `run`. Writes results/own-loop.csv.

#include <torch/torch.h>

#include <cstdio>

#include <regimen/regimen.hpp>

namespace rg = regimen;

int main() {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(2, 64), torch::nn::ReLU(), torch::nn::Linear(64, 2));
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));

  // Exactly two of five labels are wrong, the same ones at every epoch.
  const rg::Source clean = rg::two_clusters(/*per_class=*/250, /*seed=*/2);
  const rg::Source test = rg::two_clusters(250, /*seed=*/3);
  const rg::UniformLabels wrong{.classes = 2, .exclude_true = true};
  const rg::Source train = rg::frozen(clean, wrong, /*seed=*/7, rg::exactly(0.4));
  std::printf("label noise: %.3f\n", rg::realised_noise(train, clean));

  const auto warm_then_decay = rg::LinearWarmup{.epochs = 2, .start = 0.25} * rg::StepDecay{{20}, 0.1};
  const rg::L2 l2{.strength = 1e-3};
  const rg::FitReaches enough{.accuracy = 0.95};
  const rg::Execution execute{.precision = rg::cpu_has_bf16() ? rg::Precision::bf16 : rg::Precision::fp32};
  rg::CsvLog log("results/own-loop.csv");
  rg::GapTracker gap;
  rg::History history;

  for (rg::Clock t; t.epoch < 30 && !enough(history); ++t.epoch) {
    rg::set_learning_rate(optimizer, 0.1 * warm_then_decay(t));
    const rg::Cursor next = train.read({.batch = 50, .shuffle = true, .seed = 1, .now = {.clock = t}});
    for (rg::Batch batch = next(); batch.size() > 0; batch = next()) {
      // A transform keyed by the sample and the epoch is augmentation.
      batch = rg::GaussianNoise{.stddev = 0.05}(batch, rg::Key(1, batch.id, {.clock = t}).each_epoch());
      optimizer.zero_grad();
      // Name the output: in one expression the compiler may evaluate the penalty before the forward pass.
      const torch::Tensor output = execute.forward(net, batch);
      const torch::Tensor loss =
          torch::nn::functional::cross_entropy(output, batch.target) + l2.penalty({.parameters = net->parameters()});
      loss.backward();
      optimizer.step();
    }
    rg::Epoch epoch{.clock = {.epoch = t.epoch + 1}, .phase = "noisy"};
    epoch.fit = rg::evaluate(net, train);
    epoch.clean = rg::evaluate(net, clean);
    epoch.test = rg::evaluate(net, test);
    history.epochs.push_back(epoch);
    gap(epoch);
    log(epoch);
  }

  const rg::Epoch& end = history.back();
  std::printf("fit %.3f, clean %.3f, test %.3f, gap %.3f\n", end.fit.accuracy, end.clean.accuracy, end.test.accuracy,
              gap.last());
  return 0;
}
