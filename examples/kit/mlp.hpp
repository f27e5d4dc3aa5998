#pragma once

#include <torch/torch.h>

#include <cstdint>

#include <regimen/networks/network.hpp>

namespace kit {

/// A fully connected network for images, newly initialized from LibTorch's generator: [N, C, H, W] with `inputs`
/// numbers an image to [N, classes], logits. Hidden layers of these widths with ReLU.
struct MlpImpl : regimen::networks::Network {
  MlpImpl(std::int64_t inputs, const std::vector<std::int64_t>& widths, std::int64_t classes) {
    register_module("layers", layers);
    layers->push_back(torch::nn::Flatten());
    for (const std::int64_t width : widths) {
      layers->push_back(torch::nn::Linear(inputs, width));
      layers->push_back(torch::nn::ReLU());
      inputs = width;
    }
    layers->push_back(torch::nn::Linear(inputs, classes));
  }

  at::Tensor forward(const at::Tensor& images) override { return layers->forward(images); }

  torch::nn::Sequential layers;
};
TORCH_MODULE(Mlp);

}  // namespace kit
