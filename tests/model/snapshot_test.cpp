#include "support/tensors.hpp"

#include <string>
#include <vector>

#include <regimen/regimen.hpp>

namespace snapshot_test {

namespace {

using regimen::Model;
using regimen::Snapshot;

torch::nn::Sequential convolutional() {
  // A bias before BatchNorm would stay where it is.
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3).padding(1).bias(false)),
                               torch::nn::BatchNorm2d(3), torch::nn::ReLU(), torch::nn::Flatten(),
                               torch::nn::Linear(48, 2));
}

/// Everything that the model is: copies.
std::vector<at::Tensor> state(const torch::nn::Module& module) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& tensor : module.parameters()) {
    all.push_back(tensor.detach().clone());
  }
  for (const at::Tensor& tensor : module.buffers()) {
    all.push_back(tensor.clone());
  }
  return all;
}

bool same_state(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  bool equal = a.size() == b.size();
  for (std::size_t i = 0; i < a.size() && equal; ++i) {
    equal = same(a[i], b[i]);
  }
  return equal;
}

void train(torch::nn::Sequential& net, int steps) {
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  net->train();
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    net->forward(at::randn({6, 1, 4, 4}) + 3).square().mean().backward();
    optimizer.step();
  }
}

}  // namespace

TEST_CASE("snapshot: restores every parameter and buffer bit for bit after training") {
  at::manual_seed(1);
  torch::nn::Sequential net = convolutional();
  train(net, 2);
  const std::vector<at::Tensor> before = state(*net);
  const Snapshot snapshot(net);
  for (int round = 0; round < 2; ++round) {  // it can be used again
    train(net, 3);
    const std::vector<at::Tensor> after = state(*net);
    for (std::size_t i = 0; i < before.size(); ++i) {
      CAPTURE(i);
      CHECK_FALSE(after[i].equal(before[i]));  // BatchNorm's statistics and its counter of batches too
    }
    snapshot.restore();
    CHECK(same_state(state(*net), before));
  }
}

TEST_CASE("snapshot: values return in place, so an optimizer keeps its parameters, and gradients stay") {
  torch::nn::Sequential net = convolutional();
  const Snapshot snapshot(net);
  const std::vector<at::Tensor> parameters = net->parameters();
  train(net, 1);
  const at::Tensor gradient = parameters[0].grad();
  const void* const memory = parameters[0].data_ptr();
  snapshot.restore();
  CHECK(net->parameters()[0].is_same(parameters[0]));
  CHECK(parameters[0].data_ptr() == memory);
  CHECK(parameters[0].requires_grad());
  CHECK(parameters[0].is_leaf());
  CHECK(parameters[0].grad().is_same(gradient));
}

TEST_CASE("snapshot: is a copy, and none of it needs gradients") {
  torch::nn::Sequential net = convolutional();
  const std::vector<at::Tensor> before = state(*net);
  const Snapshot snapshot(net);
  train(net, 1);
  REQUIRE(snapshot.tensors().size() == before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(same(snapshot.tensors()[i].tensor, before[i]));
    CHECK_FALSE(snapshot.tensors()[i].tensor.requires_grad());
  }
  CHECK(snapshot.tensors()[0].name == "0.weight");
}

TEST_CASE("snapshot: restores into another model of the same shape, which stays a model of its own") {
  torch::nn::Sequential net = convolutional();
  torch::nn::Sequential other = convolutional();
  train(other, 1);
  const std::vector<at::Tensor> before = state(*net);
  const Snapshot snapshot(net);
  snapshot.restore(other);
  CHECK(same_state(state(*other), before));
  train(other, 1);
  CHECK(same_state(state(*net), before));
  CHECK(same(snapshot.tensors()[0].tensor, before[0]));
}

TEST_CASE("snapshot: a model that does not fit is an error, and nothing of it is changed") {
  torch::nn::Sequential net = convolutional();
  const Snapshot snapshot(net);
  const auto refuse = [&](torch::nn::Sequential other, std::initializer_list<const char*> parts) {
    const std::vector<at::Tensor> before = state(*other);
    check_error([&] { snapshot.restore(other); }, parts);
    CHECK(same_state(state(*other), before));
  };
  refuse(torch::nn::Sequential(torch::nn::Linear(3, 2)), {"Snapshot.restore", "8", "is 2"});
  // The last layer alone has another shape.
  refuse(torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3).padding(1).bias(false)),
                               torch::nn::BatchNorm2d(3), torch::nn::ReLU(), torch::nn::Flatten(),
                               torch::nn::Linear(48, 3)),
         {"Snapshot.restore", "4.weight"});
  // The same shapes under other names.
  refuse(torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3).padding(1).bias(false)),
                               torch::nn::BatchNorm2d(3), torch::nn::Flatten(), torch::nn::Linear(48, 2)),
         {"Snapshot.restore", "3.weight", "4.weight"});
}

}  // namespace snapshot_test
