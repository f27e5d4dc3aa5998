#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>

#include <cmath>

#include "regimen/base/error.hpp"
#include "regimen/tensor/detail/least_squares_data.hpp"

namespace regimen::inline v0 {

/// The solution w of ridge regression, which minimizes ||X w - y||^2 + penalty ||w||^2 (no division by n). X [n, d], y
/// [n] or [n, k], floating -> [d] or [d, k] double on X's device. For a penalty to 0 it tends to
/// `minimum_norm_solution`, down to a penalty of some 1e-15 times the largest eigenvalue of X X', below which it fits
/// rounding. By the eigenvalues of the smaller of X' X and X X'. Throws Error
/// for other shapes, numbers that are not finite, and a penalty that is not above 0 and finite.
///     const at::Tensor w = regimen::ridge_solution(inputs, labels, 0.1);
[[nodiscard]] inline at::Tensor ridge_solution(const at::Tensor& X, const at::Tensor& y, double penalty) {
  detail::require_least_squares_data(X, y, "ridge_solution");
  detail::require(penalty > 0 && std::isfinite(penalty), "ridge_solution: penalty",
                  "above 0 and finite (for 0 take minimum_norm_solution)", penalty);
  const at::Tensor design = X.detach().to(at::kDouble);
  const at::Tensor given = y.detach().to(design.device(), at::kDouble);
  const at::Tensor columns = given.dim() == 1 ? given.unsqueeze(1) : given;
  const bool wide = design.size(0) <= design.size(1);
  // By eigenvalues: a solver refuses a penalty that is rounding beside the matrix.
  const auto [values, vectors] = at::linalg_eigh(wide ? design.matmul(design.t()) : design.t().matmul(design));
  const at::Tensor scale = (values.clamp_min(0) + penalty).reciprocal().unsqueeze(1);
  const auto solved = [&basis = vectors, &scale](const at::Tensor& right) {
    return basis.matmul(scale * basis.t().matmul(right));
  };
  const at::Tensor solution = wide ? design.t().matmul(solved(columns)) : solved(design.t().matmul(columns));
  return given.dim() == 1 ? solution.squeeze(1) : solution;
}

}  // namespace regimen::inline v0
