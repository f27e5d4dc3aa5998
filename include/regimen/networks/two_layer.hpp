#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softplus.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/networks/network.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::networks {

enum class Activation { relu, softplus, tanh };

[[nodiscard]] inline std::string name_of(Activation activation) {
  static constexpr const char* texts[] = {"relu", "softplus", "tanh"};
  return texts[static_cast<std::size_t>(activation)];
}

/// The activation of this name. Throws Error, which lists the names, for any other.
[[nodiscard]] inline Activation activation_of(std::string_view name) {
  for (const Activation each : {Activation::relu, Activation::softplus, Activation::tanh}) {
    if (name_of(each) == name) {
      return each;
    }
  }
  throw Error("activation_of: name must be relu, softplus or tanh, but is \"" + std::string(name) + "\"");
}

/// The activation of each number.
[[nodiscard]] inline at::Tensor activated(const at::Tensor& z, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return at::relu(z);
    case Activation::softplus:
      return at::softplus(z);
    default:
      return z.tanh();
  }
}

/// The derivative of the activation at each number; that of relu at 0 is 0.
[[nodiscard]] inline at::Tensor activation_slope(const at::Tensor& z, Activation activation) {
  switch (activation) {
    case Activation::relu:
      return z.gt(0).to(z.scalar_type());
    case Activation::softplus:
      return z.sigmoid();
    default:
      return 1 - z.tanh().square();
  }
}

/// Options of a `TwoLayer`. Throws Error unless inputs is at least 1, and width even and at least 2.
struct TwoLayerOptions {
  Integer inputs = 50;
  Integer width = 500;  ///< hidden units, an even number
  Activation activation = Activation::relu;
  bool zero_start = false;  ///< if true the second half of the units copies the first: the outputs are 0 at the start

  void check() const {
    detail::require(inputs >= 1, "TwoLayerOptions.inputs", "at least 1", inputs);
    detail::require(width >= 2 && width % 2 == 0, "TwoLayerOptions.width", "even, and at least 2", width);
  }
};

/// The two-layer network of the theory of wide networks, whose output layer is fixed: f(x) = sum_j v_j phi(w_j . x)
/// with v_j = +1/sqrt(width) for the first half of the units and -1/sqrt(width) for the second; only the w_j are
/// trained (Li, Soltanolkotabi and Oymak 2020; Du et al. 2019). Without biases.
///
/// inputs [N, inputs], float or after net->to(torch::kDouble) double -> [N], a real number for regression or a logit of
/// class 1. Initialization: `weight` [width, inputs] is standard normal, from LibTorch's global generator. With
/// `zero_start` the two halves are equal, so that all outputs are 0 (the doubling trick of Chizat, Oyallon and Bach
/// 2019); the Jacobian is not.
///     regimen::networks::TwoLayer net(regimen::networks::TwoLayerOptions{.inputs = 50, .width = 500});
struct TwoLayerImpl : torch::nn::Module {
  explicit TwoLayerImpl(const TwoLayerOptions& chosen = {}) : options(chosen) {
    options.check();
    const std::int64_t half = options.width / 2;
    const at::Tensor first = at::randn({half, options.inputs});
    const at::Tensor second = options.zero_start ? first : at::randn({half, options.inputs});
    weight = register_parameter("weight", at::cat({first, second}));
    const double size = 1 / std::sqrt(static_cast<double>(options.width.value));
    output = register_buffer("output", at::cat({at::ones({half}), -at::ones({half})}) * size);
  }

  at::Tensor forward(const at::Tensor& inputs) {
    if (inputs.dim() != 2 || inputs.size(1) != options.inputs || inputs.scalar_type() != weight.scalar_type()) {
      throw Error("TwoLayer takes inputs of [N, " + detail::text(options.inputs.value) +
                  "] in the type of its weights, " + c10::toString(weight.scalar_type()) + ", not " +
                  detail::described(inputs));
    }
    return activated(inputs.matmul(weight.t()), options.activation).matmul(output);
  }

  std::shared_ptr<Module> clone(const torch::optional<torch::Device>& device = torch::nullopt) const override {
    return detail::clone_of(*this, device);
  }

  TwoLayerOptions options;
  at::Tensor weight;  ///< [width, inputs], trained
  at::Tensor output;  ///< [width], fixed
};
TORCH_MODULE(TwoLayer);

}  // namespace regimen::inline v0::networks
