// expect: the third argument of run is the Scoring: write {} in front of the observers
#include <torch/nn/modules/linear.h>
#include <regimen/run.hpp>

int main() {
  torch::nn::Linear net(2, 2);
  const regimen::Phase phase{};
  regimen::run(net, phase, [](const regimen::Epoch&) {});
}
