#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/view_as_real.h>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The numbers of a tensor; of a complex one real and imaginary parts side by side, [..., 2], so that the sum of their
/// squares is that of the moduli. Differentiable.
inline at::Tensor as_real(const at::Tensor& tensor) {
  return tensor.is_complex() ? at::view_as_real(tensor) : tensor;
}

/// The numbers that `as_real` gives, in double precision.
inline at::Tensor as_doubles(const at::Tensor& tensor) {
  return as_real(tensor).to(at::kDouble);
}

}  // namespace regimen::inline v0::detail
