#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_svdvals.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// When `least_squares_descent` ends.
struct DescentLimits {
  double tolerance = 1e-12;  ///< the gradient's norm over that at the start, in [0, 1)
  Integer steps = 100000;    ///< at most, at least 0

  void check() const {
    detail::require(tolerance >= 0 && tolerance < 1, "DescentLimits.tolerance", "in [0, 1)", tolerance);
    detail::require(steps >= 0, "DescentLimits.steps", "at least 0", steps);
  }
};

/// What `least_squares_descent` came to.
struct Descent {
  at::Tensor w{};          ///< [p] double
  std::int64_t steps = 0;  ///< that were taken
  double rate = 0;         ///< the step's size
  double condition = 1;    ///< largest over least nonzero eigenvalue of X X'
  bool has_ended = false;  ///< whether the tolerance was reached
};

/// Gradient descent on the least squares ||X w - y||^2 / 2 of a fixed design, from w_0, with the constant rate that is
/// the best one for quadratics, 2 / (L + m), where L and m are the largest and the least nonzero eigenvalue of X X'.
/// Its limit is X^+ y + (I - X^+ X) w_0: from 0 the solution of the smallest norm, from elsewhere with w_0's part in
/// the null space of X untouched, since no gradient points there. Both fit the labels: the linear counterpart of good
/// and bad global minima (Bartlett, Montanari and Rakhlin 2021, section 3).
///
/// X [n, p] and y [n], floating; w_0 [p], undefined: zeros. Computed in double on X's device. A step costs two products
/// with X, and multiplies the distance to the limit by (c - 1) / (c + 1) or less, where c = L / m is the condition:
/// some 14 c steps to the default tolerance. It ends where the gradient's norm is the tolerance times that at the
/// start, or rounding. Singular values that `minimum_norm_solution` takes for rounding of X's type count as 0 in c;
/// where X has such, and y a part in their direction, it goes on until `limits.steps`. Throws Error for other shapes,
/// numbers that are not finite, and an X of zeros.
///     const regimen::Descent from_0 = regimen::least_squares_descent(X, y);
///     const at::Tensor limit = w_0 + regimen::minimum_norm_solution(X, y - X.matmul(w_0));   // that from w_0
[[nodiscard]] inline Descent least_squares_descent(const at::Tensor& X, const at::Tensor& y, const at::Tensor& w_0 = {},
                                                   const DescentLimits& limits = {}) {
  limits.check();
  const bool shaped = X.defined() && y.defined() && X.dim() == 2 && X.numel() > 0 && y.dim() == 1 &&
                      y.size(0) == X.size(0) && X.is_floating_point() && y.is_floating_point() &&
                      (!w_0.defined() || (w_0.dim() == 1 && w_0.size(0) == X.size(1) && w_0.is_floating_point()));
  if (!shaped) {
    throw Error("least_squares_descent takes X of [n, p], y of [n] and w_0 of [p] or undefined, all floating, not " +
                detail::described(X) + ", " + detail::described(y) + " and " + detail::described(w_0));
  }
  const at::Tensor design = X.detach().to(at::kDouble);
  const at::Tensor labels = y.detach().to(design.device(), at::kDouble);
  Descent descent{.w = w_0.defined() ? w_0.detach().to(design.device(), at::kDouble, /*non_blocking=*/false,
                                                       /*copy=*/true)
                                     : at::zeros({design.size(1)}, design.options())};
  for (const at::Tensor& given : {design, labels, descent.w}) {
    if (!given.isfinite().all().item<bool>()) {
      throw Error("least_squares_descent takes numbers that are finite");
    }
  }
  const at::Tensor singular = at::linalg_svdvals(design);
  const double top = singular.max().item<double>();
  detail::require(top > 0, "least_squares_descent: the largest singular value of X", "above 0", top);
  const double rounding = static_cast<double>(std::max(X.size(0), X.size(1))) * detail::epsilon_of(X.scalar_type());
  const double bottom = singular.masked_select(singular > top * std::min(rounding, 0.5)).min().item<double>();
  descent.rate = 2 / (top * top + bottom * bottom);
  descent.condition = (top / bottom) * (top / bottom);
  const auto gradient = [&] { return design.t().matmul(design.matmul(descent.w) - labels); };
  at::Tensor slope = gradient();
  const double of_labels = design.t().matmul(labels).norm().item<double>();
  const double enough = limits.tolerance * slope.norm().item<double>();
  const auto has_ended = [&] {
    const double terms = top * top * descent.w.norm().item<double>() + of_labels;  // whose difference the gradient is
    return slope.norm().item<double>() <= std::max(enough, 4 * detail::epsilon_of(at::kDouble) * terms);
  };
  descent.has_ended = has_ended();
  while (!descent.has_ended && descent.steps < limits.steps) {
    descent.w.sub_(slope, descent.rate);
    slope = gradient();
    ++descent.steps;
    descent.has_ended = has_ended();
  }
  return descent;
}

}  // namespace regimen::inline v0
