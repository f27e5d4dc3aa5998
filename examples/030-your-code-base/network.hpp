#pragma once
// The project's network. It knows nothing of regimen.

#include <torch/torch.h>

struct SmallNetImpl : torch::nn::Module {
  SmallNetImpl() {
    conv1 = register_module("conv1", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 8, 3).padding(1)));
    conv2 = register_module("conv2", torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 16, 3).padding(1)));
    last = register_module("last", torch::nn::Linear(16, 4));
  }

  torch::Tensor forward(torch::Tensor x) {
    x = torch::max_pool2d(torch::relu(conv1(x)), 2);
    return last(torch::relu(conv2(x)).mean({2, 3}));
  }

  torch::nn::Conv2d conv1{nullptr}, conv2{nullptr};
  torch::nn::Linear last{nullptr};
};
TORCH_MODULE(SmallNet);
