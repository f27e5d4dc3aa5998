#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>

#include "regimen/regularize.hpp"

namespace regimen::inline v0 {

/// Scales all gradients by one factor so that together their l2 norm is at most `max_norm` (Pascanu, Mikolov and
/// Bengio 2013). Reads nothing back from the device. Throws Error unless max_norm > 0.
struct ClipGradients {
  Knob max_norm = 1;

  static constexpr auto max_norm_bounds = detail::Bounds::positive("ClipGradients.max_norm");
  void check() const { max_norm_bounds.check(max_norm); }

  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> norms;
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        norms.push_back(parameter.grad().norm());
      }
    }
    if (norms.empty()) {
      return;
    }
    const at::Tensor total = at::stack(norms).norm();
    const at::Tensor factor = (pass.now.tensor(max_norm, max_norm_bounds) / (total + 1e-6)).clamp_max(1);
    for (const at::Tensor& parameter : pass.parameters) {
      if (parameter.grad().defined()) {
        parameter.grad().mul_(factor.to(parameter.grad().device()));
      }
    }
  }
};

}  // namespace regimen::inline v0
