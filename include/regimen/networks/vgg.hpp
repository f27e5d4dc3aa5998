#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/pooling.h>
#include <torch/nn/pimpl.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/networks/network.hpp"

namespace regimen::inline v0::networks {

/// Options of a `VGG`. Throws Error unless depth is one of those listed, and the others are at least 1.
struct VGGOptions {
  Integer depth = 16;  ///< 11, 13, 16 or 19: layers of the paper's network, which has two more linear layers
  Integer classes = 10;
  Integer channels = 3;
  Integer width = 64;  ///< channels of the first stage, at least 1; the others have 2, 4, 8 and 8 times as many

  void check() const {
    detail::require(depth == 11 || depth == 13 || depth == 16 || depth == 19, "VGGOptions.depth", "11, 13, 16 or 19",
                    depth);
    detail::require(classes >= 1, "VGGOptions.classes", "at least 1", classes);
    detail::require(channels >= 1, "VGGOptions.channels", "at least 1", channels);
    detail::require(width >= 1, "VGGOptions.width", "at least 1", width);
  }

  /// The number of convolutions in each of the five stages (Simonyan & Zisserman 2015, table 1: A, B, D and E).
  [[nodiscard]] std::array<std::int64_t, 5> convolutions() const {
    switch (depth) {
      case 11:
        return {1, 1, 2, 2, 2};
      case 13:
        return {2, 2, 2, 2, 2};
      case 16:
        return {2, 2, 3, 3, 3};
      default:
        return {2, 2, 4, 4, 4};
    }
  }
};

/// VGG for ImageNet (Simonyan & Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition")
/// in the usual form for 32x32 images: 3x3 convolutions, each with BatchNorm, which the paper does not have, and 2x2
/// max pooling after each of the five stages. One linear layer in place of the paper's three, and no dropout.
///
/// images [N, channels, H, W] float, H and W at least 32 -> [N, classes], logits; for larger images the mean over the
/// remaining positions is taken. With 10 classes and 3 channels, depth 16 (VGG-16-BN): 14,728,266 parameters,
/// 313,201,664 multiply-adds for an image of 32x32. Parameter names and counts are those of
/// github.com/kuangliu/pytorch-cifar, so its weights can be loaded; therefore the convolutions have a bias, which
/// BatchNorm cancels. Initialization: PyTorch's default, uniform in +-1/sqrt(fan-in) for every convolution and the
/// linear layer (kaiming_uniform_ with a = sqrt(5)), biases too; BatchNorm starts as the identity.
///     regimen::networks::VGG net(regimen::networks::VGGOptions{.depth = 16, .classes = 10});
struct VGGImpl : Network {
  explicit VGGImpl(const VGGOptions& chosen = {}) : options(chosen) {
    options.check();
    std::int64_t in = options.channels;
    std::int64_t out = options.width;
    for (const std::int64_t convolutions : options.convolutions()) {
      for (std::int64_t i = 0; i < convolutions; ++i) {
        features->push_back(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).padding(1)));
        features->push_back(torch::nn::BatchNorm2d(out));
        features->push_back(torch::nn::ReLU());
        in = out;
      }
      features->push_back(torch::nn::MaxPool2d(2));
      out = std::min(2 * out, 8 * options.width);
    }
    register_module("features", features);
    classifier = register_module("classifier", torch::nn::Linear(in, options.classes));
  }

  at::Tensor forward(const at::Tensor& images) override {
    detail::require_images(images, options.channels, 32, "VGG");
    return classifier(features->forward(images).mean({2, 3}));
  }

  std::shared_ptr<Module> clone(const torch::optional<torch::Device>& device = torch::nullopt) const override {
    return detail::clone_of(*this, device);
  }

  VGGOptions options;
  torch::nn::Sequential features;
  torch::nn::Linear classifier{nullptr};
};
TORCH_MODULE(VGG);

}  // namespace regimen::inline v0::networks
