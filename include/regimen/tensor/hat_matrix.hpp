#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_cholesky_ex.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// The hat matrix H of least squares: the predictions at `points` are H y for labels y of the training inputs X. It
/// depends on the inputs alone, and so do the variances of all predictions. X [..., n, p] and points [..., m, p],
/// floating -> [..., m, n] double on X's device, for one or many training sets: leading dimensions are broadcast.
///
/// `penalty`: of ridge regression, which minimizes ||X w - y||^2 + penalty ||w||^2; with 0 it is least squares, of the
/// smallest norm where p > n. By a Cholesky decomposition of the smaller of X X' and X' X plus the penalty: of the 16
/// digits as many are lost as their condition number has. Throws Error for other shapes, numbers that are not finite, a
/// penalty below 0, and if that matrix is not of full rank: if what the rows or columns of X before one leave of it,
/// plus the penalty, is rounding. Without a penalty X's own type counts, 1.2e-7 for float: give a float X whose numbers
/// are exact in double.
///     const at::Tensor h = regimen::hat_matrix(inputs, points, 0.1);
///     const at::Tensor variance = noise * noise * h.square().sum(-1);   // of the predictions, from the labels' noise
[[nodiscard]] inline at::Tensor hat_matrix(const at::Tensor& X, const at::Tensor& points, double penalty = 0) {
  const auto is_data = [](const at::Tensor& of) {
    return of.defined() && of.dim() >= 2 && of.numel() > 0 && of.is_floating_point();
  };
  if (!is_data(X) || !is_data(points) || X.size(-1) != points.size(-1)) {
    throw Error("hat_matrix takes X of [..., n, p] and points of [..., m, p], both floating, not " +
                detail::described(X) + " and " + detail::described(points));
  }
  for (std::int64_t i = 3; i <= std::min(X.dim(), points.dim()); ++i) {
    if (X.size(-i) != points.size(-i) && X.size(-i) != 1 && points.size(-i) != 1) {
      throw Error("hat_matrix takes X and points whose leading dimensions can be broadcast, not " +
                  detail::described(X) + " and " + detail::described(points));
    }
  }
  if (!X.isfinite().all().item<bool>() || !points.isfinite().all().item<bool>()) {
    throw Error("hat_matrix takes numbers that are finite");
  }
  detail::require(penalty >= 0 && std::isfinite(penalty), "hat_matrix: penalty", "at least 0 and finite", penalty);
  const at::Tensor design = X.detach().to(at::kDouble);
  const at::Tensor x = points.detach().to(design.device(), at::kDouble);
  const bool wide = design.size(-2) <= design.size(-1);
  const at::Tensor gram = wide ? design.matmul(design.mT()) : design.mT().matmul(design);
  const at::Tensor penalized = gram + penalty * at::eye(gram.size(-1), gram.options());
  const auto [factor, info] = at::linalg_cholesky_ex(penalized);
  // A Gram matrix that lacks rank may come out positive definite by rounding: of its own numbers, of which each step of
  // the product and of the decomposition adds one, or of X's.
  const auto longest = static_cast<double>(std::max(design.size(-2), design.size(-1)));
  const double of_input = longest * detail::epsilon_of(X.scalar_type());
  const auto steps = static_cast<double>(design.size(-2) + design.size(-1));
  const double least = std::max(2 * steps * detail::epsilon_of(at::kDouble), penalty > 0 ? 0 : of_input * of_input);
  const at::Tensor left = factor.diagonal(0, -2, -1).square();
  if (info.ne(0).any().item<bool>() || !left.gt(penalized.diagonal(0, -2, -1) * least).all().item<bool>()) {
    throw Error("hat_matrix: X is not of full rank up to rounding: it takes a " +
                std::string(penalty > 0 ? "larger penalty" : "penalty above 0, or minimum_norm_solution"));
  }
  return wide ? at::cholesky_solve(design.matmul(x.mT()), factor).mT()
              : x.matmul(at::cholesky_solve(design.mT(), factor));
}

}  // namespace regimen::inline v0
