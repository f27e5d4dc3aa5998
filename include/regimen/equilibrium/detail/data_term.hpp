#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <string>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/tensor/described.hpp"

/// What the data terms share.
namespace regimen::inline v0::detail {

/// A proximal step's tau, 0-d or [N], to be multiplied with z [N, ...]; it can be differentiated. Throws Error for
/// another shape and, on the CPU, for a negative tau. One that is not finite, as of a learned strength in a training
/// that diverges, is an outcome: the result is not finite either.
inline at::Tensor step_beside(const at::Tensor& tau, const at::Tensor& z) {
  if (!tau.defined() || !(tau.dim() == 0 || (tau.dim() == 1 && tau.size(0) == z.size(0)))) {
    throw Error("prox takes a tau of [] or [N], not " + described(tau) + " for z of " + described(z));
  }
  if (tau.is_cpu()) {
    const double least = tau.min().item<double>();
    detail::require(!(least < 0), "prox: tau", "at least 0", least);
  }
  return tau.dim() == 0 ? tau.to(z.device(), z.scalar_type()) : per_sample(tau, z);
}

/// Half the squares of each sample, [N] double.
inline at::Tensor half_squares(const at::Tensor& residual) {
  return inner_products(residual, residual) * 0.5;
}

/// Throws Error unless x has the shape of `like`.
inline void require_shape_of(const at::Tensor& x, const at::Tensor& like, const std::string& who) {
  if (!x.defined() || x.sizes() != like.sizes()) {
    throw Error(who + " takes " + described(like) + ", not " + described(x));
  }
}

}  // namespace regimen::inline v0::detail
