#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/StringUtil.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"

namespace regimen::inline v0 {
namespace networks {

/// Base class of all networks here, for images: the result of `make`, and a model for `regimen::Model`.
class Network : public torch::nn::Module {
 public:
  using torch::nn::Module::Module;

  /// images [N, channels, H, W] float -> logits [N, classes]
  virtual at::Tensor forward(const at::Tensor& images) = 0;
};

}  // namespace networks

namespace detail {

/// A convolution that keeps the size of an image, or divides it by the stride. It has no bias, as BatchNorm follows,
/// which would cancel it.
inline torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

/// Throws Error unless the images are [N, channels, H, W] with H and W at least `smallest`.
inline void require_images(const at::Tensor& images, std::int64_t channels, std::int64_t smallest, const char* who) {
  const bool fit = images.defined() && images.dim() == 4 && images.size(1) == channels && images.size(2) >= smallest &&
                   images.size(3) >= smallest;
  if (!fit) {
    throw Error(std::string(who) + " takes images of [N, " + text(channels) + ", H, W], H and W at least " +
                text(smallest) + ", not " + (images.defined() ? c10::str(images.sizes()) : "an undefined tensor"));
  }
}

/// The result of a network's clone(): a network with the same options, values, modes and frozen parameters, on the
/// device if one is given. LibTorch's own clone would need a constructor for every block.
template <class Impl>
std::shared_ptr<torch::nn::Module> clone_of(const Impl& net, const torch::optional<torch::Device>& device) {
  auto copy = std::make_shared<Impl>(net.options);
  const auto copy_values = [&](const std::vector<at::Tensor>& from, std::vector<at::Tensor> to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      const at::Tensor values = from[i].detach().clone();
      to[i].set_data(device ? values.to(*device) : values);
      to[i].set_requires_grad(from[i].requires_grad());
    }
  };
  copy_values(net.parameters(), copy->parameters());
  copy_values(net.buffers(), copy->buffers());

  // train() also sets the modes of submodules, so parents come first, and each submodule then gets its own mode.
  copy->train(net.is_training());
  const auto from = net.modules(/*include_self=*/false);
  const auto to = copy->modules(/*include_self=*/false);
  for (std::size_t i = 0; i < from.size(); ++i) {
    to[i]->train(from[i]->is_training());
  }
  return copy;
}

}  // namespace detail
}  // namespace regimen::inline v0

namespace regimen::inline v0 {

/// Former name of `networks`.
namespace models = networks;

}  // namespace regimen::inline v0
