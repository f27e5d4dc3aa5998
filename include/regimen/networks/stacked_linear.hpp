#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/networks/network.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::networks {

/// Options of a `StackedLinear`. Throws Error unless all three are at least 1.
struct StackedLinearOptions {
  Integer members = 1;  ///< networks side by side
  Integer inputs = 1;
  Integer outputs = 1;

  void check() const {
    detail::require(members >= 1, "StackedLinearOptions.members", "at least 1", members);
    detail::require(inputs >= 1, "StackedLinearOptions.inputs", "at least 1", inputs);
    detail::require(outputs >= 1, "StackedLinearOptions.outputs", "at least 1", outputs);
  }
};

/// A linear layer of several networks of one shape, computed as one batch of products: in small networks, such as the
/// seeds of an experiment on toy data, each operation costs more than its numbers, and one does for all members.
///
/// x [N, inputs], the same for all members, or [N, members, inputs], each its own -> [N, members, outputs]. Elementwise
/// activations go in between as ever; a BatchNorm1d of members * outputs features takes `x.flatten(1)`. With a loss
/// summed over the members (`OverMembers`), and an optimizer whose step treats each number alone (SGD, Adam, RMSprop,
/// weight decay), each member trains as it would alone, up to rounding, and with `FiniteGradients` also while another
/// one diverges. What joins all parameters does not, such as clipping by their norm.
///
/// Initialization: member by member that of torch::nn::Linear (He et al. 2015, a = sqrt(5)), from LibTorch's generator.
///     auto first = regimen::networks::StackedLinear(StackedLinearOptions{.members = 12, .inputs = 2, .outputs = 4});
///     auto again = regimen::networks::StackedLinear(std::vector<torch::nn::Linear>{a, b});
struct StackedLinearImpl : torch::nn::Module {
  explicit StackedLinearImpl(const StackedLinearOptions& chosen) : options(chosen) {
    options.check();
    weight = register_parameter("weight", at::empty({options.members, options.outputs, options.inputs}));
    bias = register_parameter("bias", at::empty({options.members, options.outputs}));
    reset_parameters();
  }

  /// The layers of networks that exist already, as copies. Throws Error unless there is one, and all have a bias and
  /// one shape, type and device.
  explicit StackedLinearImpl(const std::vector<torch::nn::Linear>& layers) {
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const torch::nn::Linear& layer : layers) {
      const bool fits = layer->bias.defined() && layer->weight.sizes() == layers.front()->weight.sizes() &&
                        layer->weight.scalar_type() == layers.front()->weight.scalar_type() &&
                        layer->weight.device() == layers.front()->weight.device();
      if (!fits) {
        throw Error("StackedLinear takes layers with a bias, of one shape, type and device, but the weight of layer " +
                    detail::text(weights.size()) + " is " + detail::described(layer->weight) +
                    (layer->bias.defined() ? "" : ", without a bias") + ", and that of the first " +
                    detail::described(layers.front()->weight));
      }
      weights.push_back(layer->weight.detach());
      biases.push_back(layer->bias.detach());
    }
    options.members = weights.size();
    options.check();
    options.inputs = weights.front().size(1);
    options.outputs = weights.front().size(0);
    weight = register_parameter("weight", at::stack(weights));
    bias = register_parameter("bias", at::stack(biases));
  }

  void reset_parameters() {
    const at::NoGradGuard no_grad;
    const double bound = 1 / std::sqrt(static_cast<double>(options.inputs.value));
    for (std::int64_t i = 0; i < options.members; ++i) {
      weight[i].uniform_(-bound, bound);
      bias[i].uniform_(-bound, bound);
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    const bool shared = x.dim() == 2;
    if ((!shared && (x.dim() != 3 || x.size(1) != options.members)) || x.size(-1) != options.inputs) {
      throw Error("StackedLinear takes inputs of [N, " + detail::text(options.inputs.value) + "] or [N, " +
                  detail::text(options.members.value) + ", " + detail::text(options.inputs.value) + "], not " +
                  detail::described(x));
    }
    const at::Tensor by_member = shared ? x.unsqueeze(0).expand({options.members, -1, -1}) : x.transpose(0, 1);
    return at::baddbmm(bias.unsqueeze(1), by_member, weight.transpose(1, 2)).transpose(0, 1);
  }

  std::shared_ptr<Module> clone(const torch::optional<torch::Device>& device = torch::nullopt) const override {
    return detail::clone_of(*this, device);
  }

  StackedLinearOptions options;
  at::Tensor weight;  ///< [members, outputs, inputs]
  at::Tensor bias;    ///< [members, outputs]
};
TORCH_MODULE(StackedLinear);

}  // namespace regimen::inline v0::networks
