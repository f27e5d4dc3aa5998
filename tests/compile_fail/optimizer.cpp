// One error for each of these three.
// errors: 3
// expect: an optimizer is borrowed: name it and let it outlive the phase
// expect: this is a pointer to an optimizer: pass \*optimizer
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>
#include <regimen/run.hpp>

int main() {
  torch::nn::Linear net(2, 2);
  const regimen::Phase temporary{.optimizer = torch::optim::SGD(net->parameters(), 0.1)};
  auto optimizer = std::make_unique<torch::optim::SGD>(net->parameters(), 0.1);
  const regimen::Phase smart{.optimizer = optimizer};
  torch::optim::Optimizer* const base = optimizer.get();
  const regimen::Phase raw{.optimizer = base};
}
