#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_svd.h>

#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/detail/data_term.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0 {

/// The data term |A x - y|^2 / 2 of a matrix in memory. Its proximal operator is exact, by the matrix's singular
/// values.
///     const regimen::MatrixTerm data(A, y);
class MatrixTerm {
 public:
  /// A [m, n] and y [N, m], of one floating type; the x that the members take are [N, ...] with n numbers a sample.
  /// Throws Error for other shapes and types.
  MatrixTerm(const at::Tensor& A, const at::Tensor& y) : A_(A), y_(y) {
    const bool fits = A.defined() && y.defined() && A.dim() == 2 && y.dim() == 2 && A.numel() > 0 && y.numel() > 0 &&
                      A.is_floating_point() && A.scalar_type() == y.scalar_type() && A.size(0) == y.size(1);
    if (!fits) {
      throw Error("MatrixTerm takes A of [m, n] and y of [N, m] of one floating type, not " + detail::described(A) +
                  " and " + detail::described(y));
    }
    const auto [left, singular, right] = at::linalg_svd(A.detach().to(at::kDouble), /*full_matrices=*/false);
    left_ = left.to(A.scalar_type());
    singular_ = singular.to(A.scalar_type());
    right_ = right.to(A.scalar_type());
  }

  /// A x, [N, m].
  [[nodiscard]] at::Tensor apply(const at::Tensor& x) const { return vectors(x).matmul(A_.t()); }
  /// A' r, [N, n], for r [N, m].
  [[nodiscard]] at::Tensor adjoint(const at::Tensor& r) const {
    detail::require_shape_of(r, y_, "MatrixTerm.adjoint");
    return r.matmul(A_);
  }
  /// |A x - y|^2 / 2 of each sample, [N] double.
  [[nodiscard]] at::Tensor value(const at::Tensor& x) const { return detail::half_squares(apply(x) - y_); }
  /// Its gradient, in the shape of x.
  [[nodiscard]] at::Tensor slope(const at::Tensor& x) const { return adjoint(apply(x) - y_).view_as(x); }
  /// argmin_x tau g(x) + |x - z|^2 / 2, for tau 0-d or [N], at least 0; differentiable by z and tau.
  [[nodiscard]] at::Tensor prox(const at::Tensor& z, const at::Tensor& tau) const {
    // z + V (tau s (U'y - s V'z)) / (1 + tau s^2), with A = U s V'.
    const at::Tensor from = vectors(z);
    const at::Tensor step = detail::step_beside(tau, from);
    const at::Tensor short_of = y_.matmul(left_) - singular_ * from.matmul(right_.t());
    return (from + (step * singular_ * short_of / (1 + step * singular_.square())).matmul(right_)).view_as(z);
  }

 private:
  [[nodiscard]] at::Tensor vectors(const at::Tensor& x) const {
    if (!x.defined() || x.dim() < 1 || x.size(0) != y_.size(0) || x.numel() != x.size(0) * A_.size(1)) {
      throw Error("MatrixTerm takes x of [" + detail::text(y_.size(0)) + ", ...] with " + detail::text(A_.size(1)) +
                  " numbers a sample, not " + detail::described(x));
    }
    return detail::as_vectors(x);
  }

  at::Tensor A_, y_;
  at::Tensor left_, singular_, right_;  // A = left_ diag(singular_) right_
};

}  // namespace regimen::inline v0
