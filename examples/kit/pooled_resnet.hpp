#pragma once

#include <torch/torch.h>

#include <regimen/networks/network.hpp>

/// Two 3x3 convolutions with BatchNorm around a shortcut (He et al. 2016), the first with a stride.
struct ResidualBlockImpl : torch::nn::Module {
  ResidualBlockImpl(int in, int out, int stride)
      : first(convolution(in, out, 3, stride)), second(convolution(out, out, 3, 1)), first_norm(out), second_norm(out) {
    register_module("first", first);
    register_module("first_norm", first_norm);
    register_module("second", second);
    register_module("second_norm", second_norm);
    if (in != out || stride != 1) {
      shortcut = register_module("shortcut",
                                 torch::nn::Sequential(convolution(in, out, 1, stride), torch::nn::BatchNorm2d(out)));
    }
  }

  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor y = torch::relu(first_norm(first(x)));
    y = second_norm(second(y));
    return torch::relu(y + (shortcut.is_empty() ? x : shortcut->forward(x)));
  }

  static torch::nn::Conv2d convolution(int in, int out, int kernel, int stride) {
    return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
  }

  torch::nn::Conv2d first;
  torch::nn::Conv2d second;
  torch::nn::BatchNorm2d first_norm;
  torch::nn::BatchNorm2d second_norm;
  torch::nn::Sequential shortcut{nullptr};
};
TORCH_MODULE(ResidualBlock);

/// A small residual network: a 3x3 convolution, 2x2 max pooling, three blocks of `width`, 2 and 4 times that, global
/// average pooling, a linear layer. 308,074 parameters for one channel, ten classes and width 32.
struct PooledResNetImpl : regimen::networks::Network {
  PooledResNetImpl(int channels, int classes, int width = 32)
      : stem(ResidualBlockImpl::convolution(channels, width, 3, 1)),
        stem_norm(width),
        blocks(ResidualBlock(width, width, 1), ResidualBlock(width, 2 * width, 2),
               ResidualBlock(2 * width, 4 * width, 2)),
        last(4 * width, classes) {
    register_module("stem", stem);
    register_module("stem_norm", stem_norm);
    register_module("blocks", blocks);
    register_module("last", last);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    const torch::Tensor x = torch::max_pool2d(torch::relu(stem_norm(stem(images))), 2);
    return last(blocks->forward(x).mean({2, 3}));
  }

  torch::nn::Conv2d stem;
  torch::nn::BatchNorm2d stem_norm;
  torch::nn::Sequential blocks;
  torch::nn::Linear last;
};
TORCH_MODULE(PooledResNet);
