#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/stack.h>

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// A symmetric matrix that is known by its products with vectors. `Hessian`, `GaussNewton`, `Fisher`, `EmpiricalFisher`
/// and `Gram` are such operators; `top`, `trace`, `density` and `trace_of` take any.
///
///     std::int64_t size() const                     number of rows n
///     at::Tensor apply(const at::Tensor& v) const   A v for v [n] double on the operator's device; [n] double
///     at::Tensor apply_all(const at::Tensor& v)     optional, const: A V for V [n, k], where several products at once
///                                                   are cheaper than one after another
///     at::Device device() const                     optional; without it the CPU
template <class A>
concept LinearOperator = requires(const A& a, const at::Tensor& v) {
  { a.size() } -> std::convertible_to<std::int64_t>;
  { a.apply(v) } -> std::convertible_to<at::Tensor>;
};

/// A symmetric matrix in memory as an operator. matrix [n, n] double. Throws Error for another shape or type.
struct DenseOperator {
  at::Tensor matrix;

  void check() const {
    if (!matrix.defined() || matrix.dim() != 2 || matrix.size(0) != matrix.size(1) ||
        matrix.scalar_type() != at::kDouble) {
      throw Error("DenseOperator.matrix must be [n, n] double, but is " + detail::described(matrix));
    }
  }
  [[nodiscard]] std::int64_t size() const {
    check();
    return matrix.size(0);
  }
  [[nodiscard]] at::Device device() const { return matrix.device(); }
  [[nodiscard]] at::Tensor apply(const at::Tensor& v) const { return matrix.mv(v); }
  [[nodiscard]] at::Tensor apply_all(const at::Tensor& v) const { return matrix.mm(v); }
};

namespace detail {

template <LinearOperator A>
at::TensorOptions vector_options(const A& a) {
  if constexpr (requires { at::Device{a.device()}; }) {
    return at::TensorOptions().dtype(at::kDouble).device(at::Device{a.device()});
  } else {
    return at::TensorOptions().dtype(at::kDouble);
  }
}

/// A V, [n, k], for V [n, k].
template <LinearOperator A>
at::Tensor apply_all(const A& a, const at::Tensor& v) {
  if constexpr (requires { at::Tensor(a.apply_all(v)); }) {
    return a.apply_all(v);
  } else {
    std::vector<at::Tensor> products;
    for (std::int64_t i = 0; i < v.size(1); ++i) {
      products.push_back(a.apply(v.select(1, i).contiguous()));
    }
    return at::stack(products, 1);
  }
}

}  // namespace detail

}  // namespace regimen::inline v0
