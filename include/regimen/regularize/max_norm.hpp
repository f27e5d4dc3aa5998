#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include "regimen/regularize/concept.hpp"
#include "regimen/regularize/detail/row_norms.hpp"
#include "regimen/regularize/pass.hpp"
#include "regimen/schedule/bounds.hpp"

namespace regimen::inline v0 {

/// After each step, scales down the incoming weights of every unit whose l2 norm exceeds `bound` (Srivastava et al.
/// 2014, section 5.1). A unit is a row, along the first dimension, of a parameter of two or more dimensions; biases and
/// scales stay. In a transposed convolution, [in, out / groups, ...], a row is the outgoing weights of an input
/// channel; leave such parameters out by `On` if that is not wanted. Throws Error unless bound > 0.
struct MaxNorm {
  Positive<"MaxNorm.bound"> bound = 3;

  void weights(const Pass& pass) const {
    const at::NoGradGuard no_grad;
    const at::Tensor most = pass.now.tensor(bound);
    for (at::Tensor parameter : pass.parameters) {
      if (parameter.dim() < 2) {
        continue;
      }
      const at::Tensor norm = detail::norm_of_units(parameter);
      parameter.mul_((most / norm.clamp_min(1e-12)).clamp_max(1).to(parameter.scalar_type()));
    }
  }
};

}  // namespace regimen::inline v0
