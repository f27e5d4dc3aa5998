#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/view_as_real.h>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// A tensor as real numbers: a complex one as [..., 2], real and imaginary parts, so that the sum of squares is that of
/// the moduli. Differentiable.
inline at::Tensor as_real(const at::Tensor& tensor) {
  return tensor.is_complex() ? at::view_as_real(tensor) : tensor;
}

/// A tensor as real numbers in double precision.
inline at::Tensor as_doubles(const at::Tensor& tensor) {
  return as_real(tensor).to(at::kDouble);
}

/// A floating tensor in double precision; any other one, also an undefined one, as it is.
inline at::Tensor raised(const at::Tensor& tensor) {
  return tensor.defined() && tensor.is_floating_point() ? tensor.to(at::kDouble) : tensor;
}

}  // namespace regimen::inline v0::detail
