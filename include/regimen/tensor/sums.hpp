#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>

#include <vector>

#include "regimen/tensor/real.hpp"

namespace regimen::inline v0::detail {

/// Sum of term(tensor) over all tensors, 0-d; 0 for an empty list.
template <class Term>
at::Tensor sum_over(const std::vector<at::Tensor>& tensors, Term&& term) {
  at::Tensor sum;
  for (const at::Tensor& tensor : tensors) {
    sum = sum.defined() ? sum + term(tensor) : term(tensor);
  }
  return sum.defined() ? sum : at::zeros({});
}

/// Sum of squares of all entries, 0-d; for complex entries of their moduli.
inline at::Tensor sum_of_squares(const std::vector<at::Tensor>& tensors) {
  return sum_over(tensors, [](const at::Tensor& tensor) {
    const at::Tensor flat = as_real(tensor).flatten();
    return flat.dot(flat);
  });
}

/// Sum of absolute values of all entries, 0-d.
inline at::Tensor sum_of_absolutes(const std::vector<at::Tensor>& tensors) {
  return sum_over(tensors, [](const at::Tensor& tensor) { return tensor.abs().sum(); });
}

}  // namespace regimen::inline v0::detail
