#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_svd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#include "regimen/base/error.hpp"
#include "regimen/tensor/detail/least_squares_data.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// The solution w of least squares ||X w - y||^2 that has the smallest norm, X^+ y: the interpolator of Bartlett et al.
/// (2020) if X has more columns than rows, which gradient descent from 0 ends at. X [n, d], y [n] or [n, k], floating
/// -> [d] or [d, k] double on X's device.
///
/// By a singular value decomposition in double; singular values of at most `tolerance` times the largest count as 0, by
/// default max(n, d) times the rounding of X's own type, 1.2e-7 for float: directions in which X holds rounding alone
/// would get huge weights. For a float X whose numbers are exact, as counts are, give X in double or a tolerance.
/// Throws Error for other shapes, numbers that are not finite and a tolerance out of [0, 1).
///     const at::Tensor w = regimen::minimum_norm_solution(inputs, labels);
[[nodiscard]] inline at::Tensor minimum_norm_solution(const at::Tensor& X, const at::Tensor& y,
                                                      std::optional<double> tolerance = {}) {
  detail::require_least_squares_data(X, y, "minimum_norm_solution");
  const double rounding = static_cast<double>(std::max(X.size(0), X.size(1))) * detail::epsilon_of(X.scalar_type());
  const double least = tolerance.value_or(std::min(rounding, 0.5));
  detail::require(least >= 0 && least < 1, "minimum_norm_solution: tolerance", "in [0, 1)", least);
  const auto [u, s, vh] = at::linalg_svd(X.detach().to(at::kDouble), /*full_matrices=*/false);
  const at::Tensor inverse = s.reciprocal().masked_fill(s <= s.max() * least, 0);
  const at::Tensor right = y.detach().to(X.device(), at::kDouble);
  const at::Tensor columns = right.dim() == 1 ? right.unsqueeze(1) : right;
  const at::Tensor solution = vh.t().matmul(inverse.unsqueeze(1) * u.t().matmul(columns));
  return right.dim() == 1 ? solution.squeeze(1) : solution;
}

}  // namespace regimen::inline v0
