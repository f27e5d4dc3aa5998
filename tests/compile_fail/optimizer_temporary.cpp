// expect: an optimizer is borrowed: name it and let it outlive the phase
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>
#include <regimen/phase.hpp>

int main() {
  torch::nn::Linear net(2, 2);
  const regimen::Phase phase{.optimizer = torch::optim::SGD(net->parameters(), 0.1)};
}
