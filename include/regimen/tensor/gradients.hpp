#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <string>

#include "regimen/base/error.hpp"

/// Helpers for gradients that may be sparse, as an embedding's with `EmbeddingOptions().sparse(true)`.
namespace regimen::inline v0::detail {

/// The gradient of a parameter. A sparse one is coalesced first, in place, so that each entry occurs once.
inline at::Tensor gradient_of(at::Tensor parameter) {
  const at::Tensor gradient = parameter.grad();
  if (gradient.defined() && gradient.is_sparse() && !gradient.is_coalesced()) {
    parameter.mutable_grad() = gradient.coalesce();
    return parameter.grad();
  }
  return gradient;
}

/// The stored numbers of a gradient from `gradient_of`: all of a dense one, the nonzero ones of a sparse one. Shares
/// memory.
inline at::Tensor present_numbers(const at::Tensor& gradient) {
  return gradient.is_sparse() ? gradient._values() : gradient;
}

/// Throws Error if a gradient is sparse and the hook `who` is defined for dense ones only.
inline void require_dense(const at::Tensor& gradient, const std::string& who) {
  if (gradient.is_sparse()) {
    throw Error(who +
                " takes dense gradients, and one is sparse, as of an embedding with EmbeddingOptions().sparse(true): "
                "leave that parameter out by On, or make the embedding dense");
  }
}

}  // namespace regimen::inline v0::detail
