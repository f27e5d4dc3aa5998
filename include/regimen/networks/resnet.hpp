#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/relu.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>

#include <array>
#include <cstdint>
#include <memory>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/networks/network.hpp"

namespace regimen::inline v0::networks {

/// Two 3x3 convolutions with a shortcut around them (He et al. 2016, figure 5, left); the first one has the stride. [N,
/// in, H, W] -> [N, width, H / stride, W / stride]
struct BasicBlockImpl : torch::nn::Module {
  BasicBlockImpl(std::int64_t in, std::int64_t width, std::int64_t stride) {
    conv1 = register_module("conv1", detail::convolution(in, width, 3, stride));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(width));
    conv2 = register_module("conv2", detail::convolution(width, width, 3));
    bn2 = register_module("bn2", torch::nn::BatchNorm2d(width));
    if (stride != 1 || in != width) {
      const torch::nn::Sequential projection(detail::convolution(in, width, 1, stride), torch::nn::BatchNorm2d(width));
      shortcut = register_module("shortcut", projection);
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = at::relu(bn1(conv1(x)));
    y = bn2(conv2(y));
    return at::relu(y + (shortcut.is_empty() ? x : shortcut->forward(x)));
  }

  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Conv2d conv2{nullptr};
  torch::nn::BatchNorm2d bn2{nullptr};
  torch::nn::Sequential shortcut{nullptr};  // empty for the identity, where the sizes agree
};
TORCH_MODULE(BasicBlock);

/// A 1x1, a 3x3 and a 1x1 convolution with a shortcut around them (He et al. 2016, figure 5, right). The 3x3 one has
/// the stride, as in PyTorch; in the paper the first one has it. [N, in, H, W] -> [N, 4 width, H / stride, W / stride]
struct BottleneckImpl : torch::nn::Module {
  BottleneckImpl(std::int64_t in, std::int64_t width, std::int64_t stride) {
    const std::int64_t out = 4 * width;
    conv1 = register_module("conv1", detail::convolution(in, width, 1));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(width));
    conv2 = register_module("conv2", detail::convolution(width, width, 3, stride));
    bn2 = register_module("bn2", torch::nn::BatchNorm2d(width));
    conv3 = register_module("conv3", detail::convolution(width, out, 1));
    bn3 = register_module("bn3", torch::nn::BatchNorm2d(out));
    if (stride != 1 || in != out) {
      const torch::nn::Sequential projection(detail::convolution(in, out, 1, stride), torch::nn::BatchNorm2d(out));
      shortcut = register_module("shortcut", projection);
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = at::relu(bn1(conv1(x)));
    y = at::relu(bn2(conv2(y)));
    y = bn3(conv3(y));
    return at::relu(y + (shortcut.is_empty() ? x : shortcut->forward(x)));
  }

  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Conv2d conv2{nullptr};
  torch::nn::BatchNorm2d bn2{nullptr};
  torch::nn::Conv2d conv3{nullptr};
  torch::nn::BatchNorm2d bn3{nullptr};
  torch::nn::Sequential shortcut{nullptr};  // empty for the identity, where the sizes agree
};
TORCH_MODULE(Bottleneck);

/// Options of a `ResNet`. Throws Error unless depth is one of those listed, and the others are at least 1.
struct ResNetOptions {
  Integer depth = 18;  ///< layers with weights: 18 or 34 (basic blocks), 50, 101 or 152 (bottlenecks)
  Integer classes = 10;
  Integer channels = 3;
  Integer width = 64;  ///< channels of the first stage, at least 1; each later stage has twice as many as the one
                       ///< before

  void check() const {
    detail::require(depth == 18 || depth == 34 || depth == 50 || depth == 101 || depth == 152, "ResNetOptions.depth",
                    "18, 34, 50, 101 or 152", depth);
    detail::require(classes >= 1, "ResNetOptions.classes", "at least 1", classes);
    detail::require(channels >= 1, "ResNetOptions.channels", "at least 1", channels);
    detail::require(width >= 1, "ResNetOptions.width", "at least 1", width);
  }

  /// The number of blocks in each of the four stages (He et al. 2016, table 1).
  [[nodiscard]] std::array<std::int64_t, 4> blocks() const {
    switch (depth) {
      case 18:
        return {2, 2, 2, 2};
      case 101:
        return {3, 4, 23, 3};
      case 152:
        return {3, 8, 36, 3};
      default:  // 34 with basic blocks, 50 with bottlenecks
        return {3, 4, 6, 3};
    }
  }
};

/// ResNet for ImageNet (He et al. 2016, "Deep Residual Learning for Image Recognition") with the usual stem for 32x32
/// images: one 3x3 convolution of stride 1 and no max pooling. Four stages, of which all but the first halve height and
/// width, the mean over the remaining positions, and a linear layer.
///
/// images [N, channels, H, W] float -> [N, classes], logits. With 10 classes and 3 channels: depth 18: 11,173,962
/// parameters, 555,422,720 multiply-adds for an image of 32x32; depth 50: 23,520,842 and 1,297,829,888. Parameter names
/// and counts are those of github.com/kuangliu/pytorch-cifar, so its weights can be loaded. Initialization: PyTorch's
/// default, uniform in +-1/sqrt(fan-in) for every convolution and the linear layer (kaiming_uniform_ with a = sqrt(5));
/// BatchNorm starts as the identity.
///     regimen::networks::ResNet net(regimen::networks::ResNetOptions{.depth = 50, .classes = 100});
struct ResNetImpl : Network {
  explicit ResNetImpl(const ResNetOptions& chosen = {}) : options(chosen) {
    options.check();
    const std::int64_t width = options.width;
    const std::array<std::int64_t, 4> blocks = options.blocks();
    conv1 = register_module("conv1", detail::convolution(options.channels, width, 3));
    bn1 = register_module("bn1", torch::nn::BatchNorm2d(width));
    std::int64_t in = width;
    layer1 = register_module("layer1", stage(in, width, blocks[0], 1));
    layer2 = register_module("layer2", stage(in, 2 * width, blocks[1], 2));
    layer3 = register_module("layer3", stage(in, 4 * width, blocks[2], 2));
    layer4 = register_module("layer4", stage(in, 8 * width, blocks[3], 2));
    linear = register_module("linear", torch::nn::Linear(in, options.classes));
  }

  at::Tensor forward(const at::Tensor& images) override {
    detail::require_images(images, options.channels, 1, "ResNet");
    at::Tensor x = at::relu(bn1(conv1(images)));
    x = layer1->forward(x);
    x = layer2->forward(x);
    x = layer3->forward(x);
    x = layer4->forward(x);
    return linear(x.mean({2, 3}));
  }

  std::shared_ptr<Module> clone(const torch::optional<torch::Device>& device = torch::nullopt) const override {
    return detail::clone_of(*this, device);
  }

  ResNetOptions options;
  torch::nn::Conv2d conv1{nullptr};
  torch::nn::BatchNorm2d bn1{nullptr};
  torch::nn::Sequential layer1{nullptr};
  torch::nn::Sequential layer2{nullptr};
  torch::nn::Sequential layer3{nullptr};
  torch::nn::Sequential layer4{nullptr};
  torch::nn::Linear linear{nullptr};

 private:
  /// Blocks in sequence, the first with the stride; `in` is set to the number of output channels.
  [[nodiscard]] torch::nn::Sequential stage(std::int64_t& in, std::int64_t width, std::int64_t blocks,
                                            std::int64_t stride) const {
    torch::nn::Sequential result;
    for (std::int64_t i = 0; i < blocks; ++i) {
      if (options.depth < 50) {
        result->push_back(BasicBlock(in, width, i == 0 ? stride : 1));
        in = width;
      } else {
        result->push_back(Bottleneck(in, width, i == 0 ? stride : 1));
        in = 4 * width;
      }
    }
    return result;
  }
};
TORCH_MODULE(ResNet);

}  // namespace regimen::inline v0::networks
