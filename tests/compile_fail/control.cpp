// The control: what the other cases do wrong, done right. It must compile.
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>
#include <regimen/regimen.hpp>

struct Push {
  void gradient(const regimen::Pass& pass) const { pass.parameters.front().mutable_grad() += 1; }
};

int main() {
  const regimen::Batch data;
  torch::nn::Linear net(2, 2);
  torch::optim::SGD optimizer(net->parameters(), 0.1);

  regimen::Phase phase{.data = data, .optimizer = optimizer, .epochs = 1};
  phase.augment = {[](const regimen::Batch& batch, const regimen::Key&) { return batch; }};
  phase.regularize = {Push{}};
  regimen::run(net, {phase}, {.test = data}, [](const regimen::Epoch&) {});
}
