#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include "regimen/config.hpp"

namespace regimen::inline v0::detail {

/// outputs [N, C, ...] -> [N, ...] int64: the class of the greatest output, and -1, which no label is, where one of the
/// outputs is NaN: LibTorch's argmax takes NaN for the greatest, and calls a network of NaN a classifier of class 0.
inline at::Tensor predicted_classes(const at::Tensor& outputs) {
  return outputs.argmax(1).masked_fill(outputs.amax(1).isnan(), -1);
}

/// Whether targets are labels [N, ...] int64 for outputs of [N, C, ...] with C of at least 2.
inline bool are_labels_for(const at::Tensor& outputs, const at::Tensor& target) {
  if (!target.defined() || target.scalar_type() != at::kLong || outputs.dim() < 2 || outputs.size(1) < 2 ||
      target.dim() != outputs.dim() - 1 || target.size(0) != outputs.size(0)) {
    return false;
  }
  return target.sizes().slice(1) == outputs.sizes().slice(2);
}

}  // namespace regimen::inline v0::detail
