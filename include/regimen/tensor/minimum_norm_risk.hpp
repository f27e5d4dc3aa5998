#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>
#include <ATen/ops/linalg_svd.h>

#include <algorithm>
#include <cmath>

#include "regimen/base/error.hpp"
#include "regimen/statistics/ridgeless.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The right singular vectors of a matrix, [rank, p] with orthonormal rows, and the squares of its singular values.
struct RowSpace {
  at::Tensor directions{};
  at::Tensor squares{};  ///< [rank]
};

/// That of X [n, p] double, whose numbers have the rounding of `type`. By eigenvalues, which are faster but square the
/// condition, where that costs no digits that count.
inline RowSpace row_space(const at::Tensor& X, at::ScalarType type) {
  const bool wide = X.size(0) <= X.size(1);
  const auto [values, vectors] = at::linalg_eigh(wide ? X.matmul(X.t()) : X.t().matmul(X));
  const double rounding = static_cast<double>(std::max(X.size(0), X.size(1))) * epsilon_of(type);
  const double least = std::max(1e-8, rounding * rounding);
  if (values.min().item<double>() > least * values.max().item<double>()) {
    return {wide ? vectors.t().matmul(X) / values.sqrt().unsqueeze(1) : vectors.t(), values};
  }
  const auto [u, s, vh] = at::linalg_svd(X, /*full_matrices=*/false);
  const at::Tensor counts = (s > s.max() * std::min(rounding, 0.5)).nonzero().flatten();
  return {vh.index_select(0, counts), s.index_select(0, counts).square()};
}

}  // namespace detail

/// The excess risk of `minimum_norm_solution(X, X theta + noise)` for this design X, as the mean over new points, whose
/// features are uncorrelated with variances `spectrum`, and over labels' noise of the given variance: with P = X^+ X,
/// bias = ||(I - P) theta||^2 in the spectrum's norm and variance = s^2 tr(diag(spectrum) X^+ X^+') (Bartlett et al.
/// 2020, lemma 7; Hastie et al. 2022). No noise is drawn, so it scatters less than the risk of single draws: fourfold
/// for p near n.
///
/// X [n, p], spectrum [p] of at least 0, theta [p], all floating; in double on X's device. By the eigenvalues of the
/// smaller of X X' and X' X; for an X whose condition is above 1e4 by its singular values, of which those count as 0
/// that `minimum_norm_solution` takes for rounding of X's type. Throws Error for other shapes, numbers that are not
/// finite, and a negative variance.
///     const auto data = regimen::GaussianFeatures{.spectrum = regimen::spiked_spectrum(5, 2000, 2)};
///     const double v = regimen::minimum_norm_risk(data.sample(100, 1).data, data.variances(), theta).variance;
[[nodiscard]] inline RidgelessRisk minimum_norm_risk(const at::Tensor& X, const at::Tensor& spectrum,
                                                     const at::Tensor& theta, double noise_variance = 1) {
  const auto fits = [&X](const at::Tensor& vector) {
    return vector.defined() && vector.dim() == 1 && vector.size(0) == X.size(1) && vector.is_floating_point();
  };
  if (!X.defined() || X.dim() != 2 || X.numel() == 0 || !X.is_floating_point() || !fits(spectrum) || !fits(theta)) {
    throw Error("minimum_norm_risk takes X of [n, p], spectrum of [p] and theta of [p], all floating, not " +
                detail::described(X) + ", " + detail::described(spectrum) + " and " + detail::described(theta));
  }
  const at::Tensor design = X.detach().to(at::kDouble);
  const at::Tensor variances = spectrum.detach().to(design.device(), at::kDouble);
  const at::Tensor truth = theta.detach().to(design.device(), at::kDouble);
  for (const at::Tensor& given : {design, variances, truth}) {
    if (!given.isfinite().all().item<bool>()) {
      throw Error("minimum_norm_risk takes numbers that are finite");
    }
  }
  const double least = variances.min().item<double>();
  detail::require(least >= 0, "minimum_norm_risk: the least entry of spectrum", "at least 0", least);
  detail::require(noise_variance >= 0 && std::isfinite(noise_variance), "minimum_norm_risk: noise_variance",
                  "at least 0 and finite", noise_variance);

  const detail::RowSpace space = detail::row_space(design, X.scalar_type());
  const at::Tensor kept = space.directions.t().matmul(space.directions.matmul(truth));  // P theta
  // tr(diag(spectrum) X^+ X^+') with X^+ X^+' = V' diag(s^-2) V
  const at::Tensor variance = (space.directions.square().matmul(variances) / space.squares).sum();
  return {.bias = ((truth - kept).square() * variances).sum().item<double>(),
          .variance = noise_variance * variance.item<double>()};
}

}  // namespace regimen::inline v0
