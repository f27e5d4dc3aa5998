#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regimen/model/guards.hpp"
#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

namespace detail {

/// Replaces the gradient g at w by the gradient at w + rho T^2 g / |T g|. scale_of(parameter) returns T, undefined for
/// 1.
template <class ScaleOf>
void take_gradient_uphill(const Pass& pass, const at::Tensor& rho, const std::string& who, ScaleOf&& scale_of) {
  if (!pass.recompute_gradients) {
    throw Error(who + " computes the gradient a second time: set Pass.recompute_gradients");
  }
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> steps;
  {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> norms;
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        const at::Tensor scale = scale_of(parameter);
        const at::Tensor scaled = scale.defined() ? parameter.grad() * scale : parameter.grad();
        norms.push_back(scaled.norm());
        steps.push_back(scale.defined() ? scaled * scale : scaled);
        parameters.push_back(parameter);
      }
    }
    if (parameters.empty()) {
      return;
    }
    const at::Tensor length = rho / (at::stack(norms).norm() + 1e-12);
    for (at::Tensor& step : steps) {
      step = step * length;
    }
  }
  std::optional<BufferGuard> buffers;
  if (pass.model != nullptr) {
    buffers.emplace(*pass.model);
  }
  const Moved uphill(parameters, steps);
  pass.recompute_gradients();
}

}  // namespace detail

/// Sharpness-aware minimization, with any optimizer: the step uses the gradient at w + rho g / |g|, the worst point
/// nearby to first order, in place of that at w (Foret, Kleiner, Mobahi and Neyshabur 2021, eq. 2 and 3). The norm is
/// l2, of all parameters together. The weights are restored bit for bit before the optimizer's step.
///
/// Costs a second forward and backward pass. Both passes see the same batches (all of them if gradients are
/// accumulated), draw the same dropout masks, and include penalties. BatchNorm's running statistics and all other
/// buffers keep their values of the first pass: they change once per step. What gradient hooks before it did to the
/// gradient only changes the uphill direction and is then lost: put Sam first. The reported loss is that at w.
///
/// A step with it is not recorded (`Execution::graph`), as the generators are seeded from the host between the passes.
/// In fp16 the step, and the hooks behind Sam, are skipped if either gradient overflows.
///
/// In a loop of your own set `recompute_gradients`, and `model` if the model has buffers:
///     const auto gradient = [&] {
///       torch::manual_seed(step);  // for dropout
///       sgd.zero_grad();
///       loss_of(net, batch).backward();
///     };
///     gradient();
///     const regimen::Model model(net);
///     sam.gradient({.parameters = net->parameters(), .model = &model, .recompute_gradients = gradient});
///     sgd.step();
/// Throws Error unless rho >= 0 and finite, and if the pass has no `recompute_gradients`.
struct Sam {
  NotNegative<"Sam.rho"> rho = 0.05;

  void gradient(const Pass& pass) const {
    detail::take_gradient_uphill(pass, pass.now.tensor(rho), "Sam",
                                 [](const at::Tensor& /*parameter*/) { return at::Tensor(); });
  }
};

/// Adaptive sharpness-aware minimization: as Sam, with the gradient at w + rho T^2 g / |T g| for T = |w| + eta, entry
/// by entry, so that the neighbourhood does not depend on the scale of the weights (Kwon, Kim, Park and Choi 2021). All
/// parameters have this T; the authors' code takes 1 for biases. Not recorded, as Sam. Throws Error unless rho >= 0 and
/// eta >= 0, both finite, and if the pass has no `recompute_gradients`.
struct Asam {
  NotNegative<"Asam.rho"> rho = 0.5;
  double eta = 0.01;

  static constexpr auto eta_bounds = Bounds::not_negative("Asam.eta");
  void check() const { eta_bounds.check(eta); }

  void gradient(const Pass& pass) const {
    detail::take_gradient_uphill(pass, pass.now.tensor(rho), "Asam",
                                 [this](const at::Tensor& parameter) { return parameter.abs() + eta; });
  }
};

}  // namespace regimen::inline v0
