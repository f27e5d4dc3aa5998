// expect: an observer must be callable with at least one event
#include <torch/nn/modules/linear.h>
#include <regimen/run.hpp>

struct Deaf {};

int main() {
  torch::nn::Linear net(2, 2);
  regimen::run(net, {regimen::Phase{}}, {}, Deaf{});
}
