#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>

#include "regimen/base/config.hpp"

namespace regimen::inline v0 {

/// outputs [N, C, ...] -> [N, ...] int64: the class of the greatest output, and -1, which no label is, where one of the
/// outputs is NaN: LibTorch's argmax takes NaN for the greatest, and calls a network of NaN a classifier of class 0.
inline at::Tensor predicted_classes(const at::Tensor& outputs) {
  return outputs.argmax(1).masked_fill(outputs.amax(1).isnan(), -1);
}

namespace detail {

/// Whether targets are labels [N, ...] of an integer type for outputs of [N, C, ...] with C of at least 2.
inline bool are_labels_for(const at::Tensor& outputs, const at::Tensor& target) {
  if (!target.defined() || !at::isIntegralType(target.scalar_type(), /*includeBool=*/false) || outputs.dim() < 2 ||
      outputs.size(1) < 2 || target.dim() != outputs.dim() - 1 || target.size(0) != outputs.size(0)) {
    return false;
  }
  return target.sizes().slice(1) == outputs.sizes().slice(2);
}

/// Which labels are predicted: floating 1, 0, and NaN for one that is no class, as -100 is by PyTorch's custom for what
/// is not to be judged.
inline at::Tensor labels_predicted(const at::Tensor& outputs, const at::Tensor& label) {
  const at::Tensor no_class = (label < 0).logical_or(label >= outputs.size(1));
  return (predicted_classes(outputs) == label).to(at::kFloat).masked_fill(no_class, std::nan(""));
}

}  // namespace detail

}  // namespace regimen::inline v0
