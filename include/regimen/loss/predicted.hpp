#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "regimen/base/error.hpp"
#include "regimen/batch/tensors.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The predicted classes: outputs [N, C, ...] -> [N, ...] int64, the class of the largest output. A single output, [N]
/// or [N, 1, ...], is the logit of class 1: class 1 if it is above 0, else 0. -1, which is no label, if an output is
/// NaN. LibTorch's argmax alone takes NaN for the largest, and a network of NaN would predict class 0.
inline at::Tensor predicted_classes(const at::Tensor& outputs) {
  if (outputs.dim() == 1 || outputs.size(1) == 1) {
    const at::Tensor logit = outputs.dim() == 1 ? outputs : outputs.squeeze(1);
    return logit.gt(0).to(at::kLong).masked_fill(logit.isnan(), -1);
  }
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

/// Which labels are none of C classes, of the labels' shape: PyTorch's -100 for entries that are not judged, or those
/// of other data.
inline at::Tensor are_no_class(const at::Tensor& label, std::int64_t classes) {
  return (label < 0).logical_or(label >= classes);
}

/// Throws Error, in the name of `who`, for a label out of [0, C). Waits for the device.
inline void require_classes(const at::Tensor& label, std::int64_t classes, const std::string& who) {
  const at::Tensor outside = are_no_class(label, classes);
  if (outside.any().item<bool>()) {
    throw Error(who + " takes labels in [0, " + text(classes) + "), as the network has so many outputs, but one is " +
                text(label.masked_select(outside)[0].item<std::int64_t>()));
  }
}

/// Correctness of each label: floating 1, 0, and NaN for a label out of [0, C), such as PyTorch's -100 for entries that
/// are not judged.
inline at::Tensor labels_predicted(const at::Tensor& outputs, const at::Tensor& label) {
  return (predicted_classes(outputs) == label)
      .to(at::kFloat)
      .masked_fill(are_no_class(label, outputs.size(1)), std::nan(""));
}

}  // namespace detail

}  // namespace regimen::inline v0
