#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/doubles.hpp"

namespace regimen::inline v0::detail {

/// Throws Error, in the name of `who`, unless these are outputs for classes: [n, C] floating with n >= 1 and C >= 2.
inline void require_outputs(const at::Tensor& outputs, const std::string& who) {
  if (!outputs.defined() || outputs.dim() != 2 || outputs.size(0) < 1 || outputs.size(1) < 2 ||
      !outputs.is_floating_point()) {
    throw Error(who + " takes outputs of [n, C], floating, with n >= 1 and C >= 2, not " + described(outputs));
  }
}

/// Throws Error, in the name of `who`, unless these are labels for such outputs: [n], of an integer type.
inline void require_labels(const at::Tensor& label, const at::Tensor& outputs, const std::string& who) {
  if (!label.defined() || label.dim() != 1 || !at::isIntegralType(label.scalar_type(), /*includeBool=*/false) ||
      label.size(0) != outputs.size(0)) {
    throw Error(who + " takes labels of [n], whole numbers, for outputs of " + described(outputs) + ", not " +
                described(label));
  }
}

}  // namespace regimen::inline v0::detail
