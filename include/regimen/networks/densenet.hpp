#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/relu.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/networks/network.hpp"

namespace regimen::inline v0::networks {

/// A 1x1 convolution to 4 * growth channels (the bottleneck) and a 3x3 one to `growth` channels, which are appended to
/// the input. [N, in, H, W] -> [N, in + growth, H, W]
struct DenseLayerImpl : torch::nn::Module {
  DenseLayerImpl(std::int64_t in, std::int64_t growth) {
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(in));
    conv1 = register_module("conv1", detail::convolution(in, 4 * growth, 1));
    bn2 = register_module("bn2", torch::nn::BatchNorm2d(4 * growth));
    conv2 = register_module("conv2", detail::convolution(4 * growth, growth, 3));
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = conv1(at::relu(bn1(x)));
    y = conv2(at::relu(bn2(y)));
    return at::cat({x, y}, 1);
  }

  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn2{nullptr};
  torch::nn::Conv2d conv2{nullptr};
};
TORCH_MODULE(DenseLayer);

/// A layer between two dense blocks: fewer channels, half the height and width. [N, in, H, W] -> [N, out, H / 2, W / 2]
struct TransitionImpl : torch::nn::Module {
  TransitionImpl(std::int64_t in, std::int64_t out) {
    bn = register_module("bn", torch::nn::BatchNorm2d(in));
    conv = register_module("conv", detail::convolution(in, out, 1));
  }

  at::Tensor forward(const at::Tensor& x) { return at::avg_pool2d(conv(at::relu(bn(x))), 2); }

  torch::nn::BatchNorm2d bn{nullptr};
  torch::nn::Conv2d conv{nullptr};
};
TORCH_MODULE(Transition);

/// Options of a `DenseNet`. Throws Error unless depth is 6 n + 4, compression is in (0, 1], and the others are at least
/// 1.
struct DenseNetOptions {
  Integer depth = 40;        ///< layers with weights, 6 n + 4, at least 10: three blocks of n layers of two
                             ///< convolutions, and 4 more (L)
  Integer growth = 12;       ///< channels that a layer adds, at least 1 (k)
  double compression = 0.5;  ///< share of the channels that a transition keeps, in (0, 1] (theta)
  Integer classes = 10;
  Integer channels = 3;

  void check() const {
    detail::require(depth >= 10 && depth % 6 == 4, "DenseNetOptions.depth", "6 n + 4, at least 10", depth);
    detail::require(growth >= 1, "DenseNetOptions.growth", "at least 1", growth);
    detail::require(compression > 0 && compression <= 1, "DenseNetOptions.compression", "in (0, 1]", compression);
    detail::require(classes >= 1, "DenseNetOptions.classes", "at least 1", classes);
    detail::require(channels >= 1, "DenseNetOptions.channels", "at least 1", channels);
  }
};

/// DenseNet-BC (Huang et al. 2017, "Densely Connected Convolutional Networks", section 3) for 32x32 images: a 3x3
/// convolution to 2 * growth channels, three dense blocks of (depth - 4) / 6 layers with transitions between them,
/// BatchNorm and ReLU, the mean over the remaining positions, and a linear layer. Every convolution but the first
/// follows BatchNorm and ReLU; none has a bias; there is no dropout.
///
/// images [N, channels, H, W] float, H and W at least 4 -> [N, classes], logits. With 10 classes and 3 channels, L =
/// 40, k = 12, theta = 0.5: 176,122 parameters, 72,365,352 multiply-adds for an image of 32x32. Initialization:
/// PyTorch's default, uniform in +-1/sqrt(fan-in) for every convolution and the linear layer (kaiming_uniform_ with a =
/// sqrt(5)); BatchNorm starts as the identity. (The paper uses He's normal distribution.)
///     regimen::networks::DenseNet net(regimen::networks::DenseNetOptions{.depth = 100, .growth = 12});
struct DenseNetImpl : Network {
  explicit DenseNetImpl(const DenseNetOptions& chosen = {}) : options(chosen) {
    options.check();
    const std::int64_t layers = (options.depth - 4) / 6;
    std::int64_t width = 2 * options.growth;
    conv1 = register_module("conv1", detail::convolution(options.channels, width, 3));
    for (int block = 1; block <= 3; ++block) {
      if (block > 1) {
        const auto share = static_cast<std::int64_t>(options.compression * static_cast<double>(width));
        const std::int64_t kept = std::max<std::int64_t>(share, 1);
        transitions.push_back(register_module("trans" + std::to_string(block - 1), Transition(width, kept)));
        width = kept;
      }
      torch::nn::Sequential dense;
      for (std::int64_t i = 0; i < layers; ++i) {
        dense->push_back(DenseLayer(width, options.growth));
        width += options.growth;
      }
      blocks.push_back(register_module("dense" + std::to_string(block), dense));
    }
    bn = register_module("bn", torch::nn::BatchNorm2d(width));
    linear = register_module("linear", torch::nn::Linear(width, options.classes));
  }

  at::Tensor forward(const at::Tensor& images) override {
    detail::require_images(images, options.channels, 4, "DenseNet");
    at::Tensor x = blocks[0]->forward(conv1(images));
    x = blocks[1]->forward(transitions[0](x));
    x = blocks[2]->forward(transitions[1](x));
    return linear(at::relu(bn(x)).mean({2, 3}));
  }

  std::shared_ptr<Module> clone(const torch::optional<torch::Device>& device = torch::nullopt) const override {
    return detail::clone_of(*this, device);
  }

  DenseNetOptions options;
  torch::nn::Conv2d conv1{nullptr};
  std::vector<torch::nn::Sequential> blocks;
  std::vector<Transition> transitions;
  torch::nn::BatchNorm2d bn{nullptr};
  torch::nn::Linear linear{nullptr};
};
TORCH_MODULE(DenseNet);

}  // namespace regimen::inline v0::networks
