#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/tensor/described.hpp"

/// A batch [N, ...] as N vectors. Sums over a sample's entries are taken in double, whatever the batch's type.
namespace regimen::inline v0::detail {

/// [N, n] for x [N, ...].
inline at::Tensor as_vectors(const at::Tensor& x) {
  return x.reshape({x.size(0), -1});
}

/// The inner products of the samples of a and b, [N] double.
inline at::Tensor inner_products(const at::Tensor& a, const at::Tensor& b) {
  return (as_vectors(a).to(at::kDouble) * as_vectors(b).to(at::kDouble)).sum(1);
}

/// The Euclidean norm of each sample, [N] double.
inline at::Tensor norms_of(const at::Tensor& x) {
  return as_vectors(x).to(at::kDouble).square().sum(1).sqrt();
}

/// A number for each sample, [N], in x's type and on its device, with as many dimensions as x [N, ...].
inline at::Tensor per_sample(const at::Tensor& numbers, const at::Tensor& x) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[0] = numbers.size(0);
  return (numbers.scalar_type() == at::kBool ? numbers : numbers.to(x.device(), x.scalar_type())).view(shape);
}

/// Throws Error unless x is [N, ...] with at least one number, floating.
inline void require_samples(const at::Tensor& x, const std::string& who) {
  if (!x.defined() || x.dim() < 1 || x.numel() == 0 || !x.is_floating_point()) {
    throw Error(who + " takes a batch of [N, ...] floating with at least one number, not " + described(x));
  }
}

/// T(x). Throws Error if T gives another shape, type or device, or has changed x, which would look like a solution.
inline at::Tensor applied(const SelfMap& map, const at::Tensor& x, const std::string& who) {
  const bool counts = !x.is_inference();
  const auto version = counts ? x._version() : 0;
  at::Tensor y = map(x);
  if (!y.defined() || y.sizes() != x.sizes() || y.scalar_type() != x.scalar_type() || y.device() != x.device()) {
    throw Error(who + ": the map must give back the shape, type and device that it is given, " + described(x) +
                ", but gives " + described(y));
  }
  if (counts && x._version() != version) {
    throw Error(who + ": the map must not change its argument in place");
  }
  return y;
}

}  // namespace regimen::inline v0::detail
