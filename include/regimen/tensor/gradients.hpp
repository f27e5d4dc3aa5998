#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <string>

#include "regimen/base/error.hpp"

/// What gradient hooks ask of a gradient that may be sparse, as an embedding's is (`EmbeddingOptions().sparse(true)`).
namespace regimen::inline v0::detail {

/// A parameter's gradient; a sparse one with each entry at one place only, which is put in its place.
inline at::Tensor gradient_of(at::Tensor parameter) {
  const at::Tensor gradient = parameter.grad();
  if (gradient.defined() && gradient.is_sparse() && !gradient.is_coalesced()) {
    parameter.mutable_grad() = gradient.coalesce();
    return parameter.grad();
  }
  return gradient;
}

/// The numbers of a gradient that `gradient_of` gave: of a sparse one those that are there, the others being 0. Shares
/// memory.
inline at::Tensor present_numbers(const at::Tensor& gradient) {
  return gradient.is_sparse() ? gradient._values() : gradient;
}

/// Throws Error for a gradient that a hook has no meaning for.
inline void require_dense(const at::Tensor& gradient, const std::string& who) {
  if (gradient.is_sparse()) {
    throw Error(who +
                " takes dense gradients, and one is sparse, as of an embedding with EmbeddingOptions().sparse(true): "
                "leave that parameter out by On, or make the embedding dense");
  }
}

}  // namespace regimen::inline v0::detail
