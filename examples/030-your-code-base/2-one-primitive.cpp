// A small project: how well does a network tell the direction of stripes, if four labels in ten are wrong?

#include <torch/torch.h>

#include <cstdio>

#include <regimen/adapt/torch_data.hpp>
#include <regimen/transform.hpp>

#include "data.hpp"
#include "network.hpp"

template <class Loader>
double accuracy(SmallNet& net, Loader& loader) {
  const torch::NoGradGuard no_grad;
  net->eval();
  double right = 0;
  double samples = 0;
  for (const auto& batch : loader) {
    right += (net->forward(batch.data).argmax(1) == batch.target).sum().template item<double>();
    samples += static_cast<double>(batch.target.size(0));
  }
  return right / samples;
}

int main() {
  torch::manual_seed(1);
  SmallNet net;
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));

  Stripes train(600, /*seed=*/1);
  Stripes test(400, /*seed=*/2);
  const regimen::UniformLabels noise{.classes = 4, .fraction = 0.4, .exclude_true = true};
  regimen::Transformed noisy(train, noise, /*seed=*/7);
  auto train_loader = torch::data::make_data_loader(noisy.map(torch::data::transforms::Stack<>()), 32);
  auto clean_loader = torch::data::make_data_loader(train.map(torch::data::transforms::Stack<>()), 32);
  auto test_loader = torch::data::make_data_loader(test.map(torch::data::transforms::Stack<>()), 32);

  for (int epoch = 1; epoch <= 10; ++epoch) {
    net->train();
    for (const auto& batch : *train_loader) {
      sgd.zero_grad();
      torch::nn::functional::cross_entropy(net->forward(batch.data), batch.target).backward();
      sgd.step();
    }
    std::printf("epoch %d: fit %.3f, clean %.3f, test %.3f\n", epoch, accuracy(net, *train_loader),
                accuracy(net, *clean_loader), accuracy(net, *test_loader));
  }
  return 0;
}
