#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/pass.hpp"

namespace regimen::inline v0 {

/// Sets every number of a gradient that is NaN or infinite to 0. For an ensemble of networks in one module
/// (`networks::StackedLinear`): a network that diverges then stays where it is, and the others train on, whereas
/// weights that are not finite end a run. For a single network it would hide that it has diverged. Sparse gradients are
/// left alone. Does not wait for the device.
///     phase.loss = regimen::OverMembers{};
///     phase.regularize = {regimen::FiniteGradients{}};
struct FiniteGradients {
  void gradient(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    for (const at::Tensor& parameter : pass.parameters) {
      if (const at::Tensor& gradient = parameter.grad(); gradient.defined() && !gradient.is_sparse()) {
        gradient.masked_fill_(gradient.isfinite().logical_not(), 0);
      }
    }
  }
};

}  // namespace regimen::inline v0
