// A small project: how well does a network tell the direction of stripes, if four labels in ten are wrong?

#include <torch/torch.h>

#include <cstdio>

#include <regimen/adapt/torch_data.hpp>
#include <regimen/regimen.hpp>

#include "data.hpp"
#include "network.hpp"

int main() {
  torch::manual_seed(1);
  SmallNet net;
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));

  const regimen::Source train = regimen::from_dataset(Stripes(600, /*seed=*/1));
  const regimen::Source test = regimen::from_dataset(Stripes(400, /*seed=*/2));
  const regimen::UniformLabels noise{.classes = 4, .fraction = 0.4, .exclude_true = true};
  const regimen::Phase phase{
      .data = regimen::frozen(train, noise, /*seed=*/7), .optimizer = sgd, .epochs = 10, .batch = 32};
  regimen::run(net, {phase}, {.clean = train, .test = test}, [](const regimen::Epoch& epoch) {
    std::printf("epoch %.0f: fit %.3f, clean %.3f, test %.3f\n", epoch.clock.position(), epoch.fit.accuracy,
                epoch.clean.accuracy, epoch.test.accuracy);
  });
  return 0;
}
