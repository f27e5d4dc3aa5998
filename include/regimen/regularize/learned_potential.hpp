#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>

#include "regimen/base/put_back.hpp"
#include "regimen/evaluate/evaluate.hpp"
#include "regimen/model/guards.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// The potential h(x) that a network N defines, and its gradient, where J is N's Jacobian at x.
enum class Potential {
  gradient_step,  ///< |x - N(x)|^2 / 2;  x - N - J'(x - N)
  red,            ///< x'(x - N(x)) / 2;  x - (N + J'x) / 2
  scalar,         ///< the sum of N(x);   J'1
};

[[nodiscard]] inline std::string name_of(Potential potential) {
  return potential == Potential::gradient_step ? "gradient_step" : potential == Potential::red ? "red" : "scalar";
}

namespace detail {

/// Guards a network that is used and not trained: for the guard's lifetime it is in eval mode, and new graphs do not
/// reach its parameters.
class Consulted {
 public:
  explicit Consulted(const Model& model) : modes_(model) {
    model.train(false);
    for (const at::Tensor& parameter : model.parameters()) {
      if (parameter.requires_grad() && parameter.is_leaf()) {
        parameter.set_requires_grad(false);
        put_back_.add([parameter] { parameter.set_requires_grad(true); });
      }
    }
  }

 private:
  ModeGuard modes_;
  PutBack put_back_;
};

}  // namespace detail

/// A learned regularizer (ELDER: Zou, Liu, Wohlberg and Kamilov 2023): strength * the mean over the samples of
/// h(output), with h the potential that a second, previously trained and borrowed network defines. That network is in
/// eval mode and gets no gradients. To optimize an image itself, use a module whose one parameter is the image,
/// returned by its `forward`.
///     const regimen::LearnedPotential potential{.network = denoiser, .strength = 0.05};
///     phase.regularize = {potential};
///     const at::Tensor down = potential.slope(x);   // for an iteration of your own, x - rate * down
///
/// The manifest has the network's type, its number of parameters, and the CRC-32 of parameters and buffers at the time
/// when the phase was given the regularizer. In a recorded step the network must already be on the model's device; it
/// is not moved there.
///
/// For a network that also takes a noise level use `Model(denoiser, how)`. To train one, differentiate `value` or
/// `slope`, which reach its parameters and do not change its modes; its activations must then be twice differentiable,
/// hence ELU in ELDER. The strength that is learned with it is a tensor of yours, best its logarithm:
///     const at::Tensor log_strength = at::zeros({}).requires_grad_();   // a parameter of the optimizer
///     const at::Tensor next = x - tau * log_strength.exp() * potential.slope(x);   // or proximal_step
/// Throws Error unless strength >= 0, and if N(x) has another shape than x (`scalar` takes any).
struct LearnedPotential {
  Model network;
  Potential potential = Potential::gradient_step;
  NotNegative<"LearnedPotential.strength"> strength = 0.05;

  [[nodiscard]] at::Tensor penalty(const Pass& pass) const {
    if (!pass.output.defined()) {
      throw Error("LearnedPotential is a function of the network's output: set Pass.output");
    }
    const detail::Consulted consulted(network);
    return value(pass.output).mean() * pass.now.tensor(strength);
  }

  /// The potential h of each sample, [N] for x [N, ...].
  [[nodiscard]] at::Tensor value(const at::Tensor& x) const {
    const at::Tensor y = network.forward(Batch{.data = x});
    if (potential == Potential::scalar) {
      return y.reshape({x.size(0), -1}).sum(1);
    }
    if (y.sizes() != x.sizes()) {
      throw Error("LearnedPotential.network must give back the shape that it is given");
    }
    const at::Tensor change = (x - y).flatten(1);
    return (potential == Potential::red ? x.flatten(1) * change : change.square()).sum(1) * 0.5;
  }

  /// The gradient of each sample's h by the sample, in the shape of x. With gradients switched on it can be
  /// differentiated again, by x where that carries gradients and by the network's parameters; under a NoGradGuard it
  /// has no graph, and none is built for a second derivative.
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const {
    const bool differentiable = at::GradMode::is_enabled();
    const at::AutoGradMode with_gradients(true);
    const at::Tensor from = differentiable && x.requires_grad() ? x : x.detach().requires_grad_();
    return torch::autograd::grad({value(from).sum()}, {from}, {}, /*retain_graph=*/differentiable,
                                 /*create_graph=*/differentiable)[0];
  }
};

}  // namespace regimen::inline v0
