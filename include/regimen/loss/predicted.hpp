#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The predicted classes: outputs [N, C, ...] -> [N, ...] int64, the class of the largest output; -1, which is no
/// label, if an output is NaN. LibTorch's argmax alone takes NaN for the largest, and a network of NaN would predict
/// class 0.
inline at::Tensor predicted_classes(const at::Tensor& outputs) {
  return outputs.argmax(1).masked_fill(outputs.amax(1).isnan(), -1);
}

namespace detail {

/// Whether targets are integer labels [N, ...] for outputs of [N, C, ...] with C of at least 2.
inline bool are_labels_for(const at::Tensor& outputs, const at::Tensor& target) {
  if (!target.defined() || !at::isIntegralType(target.scalar_type(), /*includeBool=*/false) || outputs.dim() < 2 ||
      outputs.size(1) < 2 || target.dim() != outputs.dim() - 1 || target.size(0) != outputs.size(0)) {
    return false;
  }
  return target.sizes().slice(1) == outputs.sizes().slice(2);
}

/// The labels of targets, [N] int64: the targets themselves, or the largest entries of distributions [N, C], which
/// smoothing does not change. Throws Error unless the logits are [N, C] with C >= 2, and for other targets.
inline at::Tensor labels_for(const at::Tensor& logits, const at::Tensor& target, const std::string& who) {
  if (logits.dim() != 2 || logits.size(1) < 2) {
    throw Error(who + " takes outputs of [N, C] with at least two classes, not " + described(logits));
  }
  const bool soft = target.defined() && target.is_floating_point() && target.sizes() == logits.sizes();
  if (!is_labels(target) && !soft) {
    throw Error(who + " takes targets of [N] int64 or [N, C], not " + described(target));
  }
  return soft ? target.argmax(1) : target;
}

/// Correctness of each label: floating 1, 0, and NaN for a label out of [0, C), such as PyTorch's -100 for entries that
/// are not judged.
inline at::Tensor labels_predicted(const at::Tensor& outputs, const at::Tensor& label) {
  const at::Tensor no_class = (label < 0).logical_or(label >= outputs.size(1));
  return (predicted_classes(outputs) == label).to(at::kFloat).masked_fill(no_class, std::nan(""));
}

}  // namespace detail

}  // namespace regimen::inline v0
