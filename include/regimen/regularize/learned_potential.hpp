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

/// How a network N makes a potential h of an x; after it its gradient, J being N's Jacobian at x.
enum class Potential {
  gradient_step,  ///< |x - N(x)|^2 / 2;  x - N - J'(x - N)
  red,            ///< x'(x - N(x)) / 2;  x - (N + J'x) / 2
  scalar,         ///< the sum of N(x);   J'1
};

[[nodiscard]] inline std::string name_of(Potential potential) {
  return potential == Potential::gradient_step ? "gradient_step" : potential == Potential::red ? "red" : "scalar";
}

namespace detail {

/// A network that is used and not trained: while this lives it is in eval mode, and graphs that are made do not reach
/// its parameters.
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

/// A regularizer that was learned (ELDER: Zou, Liu, Wohlberg and Kamilov 2023): strength * the mean over the samples of
/// h(output), h being the potential that a second network, trained before and borrowed here, defines. That network is
/// consulted in eval mode and gets no gradients. An image that is itself what is sought is a module of one parameter,
/// which its `forward` returns.
///     const regimen::LearnedPotential potential{.network = denoiser, .strength = 0.05};
///     phase.regularize = {potential};
///     const at::Tensor down = potential.slope(x);   // for an iteration of your own, x - rate * down
///
/// A manifest has the network's type, its number of parameters, and the CRC-32 of them and its buffers as they were
/// when the phase was given the regularizer. In a recorded step the network must lie on the model's device; nobody
/// moves it there.
///
/// A network that takes a noise level as well is given one by `Model(denoiser, how)`. To train one, differentiate
/// `value` or `slope`, which reach its parameters and leave its modes alone; its activations must then be twice
/// differentiable, and that is why ELDER's are ELU.
/// Throws Error unless strength >= 0, and where N(x) has not the shape of x (`scalar` takes any).
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

  /// h of each sample, [N] for x [N, ...].
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

  /// The gradient of each sample's h by the sample, in the shape of x; can be differentiated itself.
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const {
    const at::AutoGradMode with_gradients(true);
    const at::Tensor from = x.requires_grad() ? x : x.detach().requires_grad_();
    return torch::autograd::grad({value(from).sum()}, {from}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0];
  }
};

}  // namespace regimen::inline v0
