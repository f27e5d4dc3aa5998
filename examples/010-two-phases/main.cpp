// A regime of two phases: random labels first, the true ones next, once with vanilla SGD and once with l2 and momentum.
// The data are the paper's toy, two clusters in the plane, so that this takes a few seconds.

#include <torch/torch.h>

#include <cstdio>

#include <regimen/regimen.hpp>

namespace rg = regimen;
using torch::optim::SGD;
using torch::optim::SGDOptions;

int main() {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Linear(2, 100), torch::nn::ReLU(), torch::nn::Linear(100, 100),
                            torch::nn::ReLU(), torch::nn::Linear(100, 2));

  // Any LibTorch model, any LibTorch optimizers; several may share one network.
  SGD plain(net->parameters(), SGDOptions(0.1));
  SGD strong(net->parameters(), SGDOptions(0.1).momentum(0.9).weight_decay(0.01));
  const rg::Source train = rg::two_clusters(/*per_class=*/50, /*seed=*/2);
  const rg::Scoring scoring{.clean = train, .test = rg::two_clusters(500, /*seed=*/3), .every = 100};

  // 1. Reach a bad minimum: every point under one fixed random label.
  const rg::Phase memorize{.name = "memorize",
                           .data = rg::frozen(train, rg::UniformLabels{.classes = 2}, /*seed=*/7),
                           .optimizer = plain,
                           .epochs = 1500,
                           .batch = 10};
  const rg::History memorized = rg::run(net, {memorize}, scoring, rg::Progress{});
  const rg::Epoch& end = memorized.back();
  std::printf("memorize: %.0f %% of the random labels fitted, %.0f points of it by heart\n", 100 * end.fit.accuracy,
              100 * rg::memorization(end));
  const rg::Snapshot bad(net);

  // 2. Continue on the true labels, twice, from the same weights.
  const rg::Phase vanilla{.name = "vanilla", .data = train, .optimizer = plain, .epochs = 500, .batch = 10};
  rg::Phase escape = vanilla;
  escape.name = "l2 and momentum";
  escape.optimizer = strong;
  for (const rg::Phase& arm : {vanilla, escape}) {
    bad.restore();
    const rg::History history = rg::run(net, {arm}, scoring);
    std::printf("%s: train %.1f %%, test %.1f %%, path norm %.1f\n", arm.name.c_str(),
                100 * history.back().fit.accuracy, 100 * history.back().test.accuracy, rg::path_norm(net, {2}));
  }
  return 0;
}
