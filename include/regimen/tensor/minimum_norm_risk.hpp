#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/linalg_eigh.h>

#include <algorithm>

#include "regimen/base/error.hpp"
#include "regimen/statistics/ridgeless.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// The excess risk of `minimum_norm_solution(X, X theta + noise)` for this design X, as the mean over new points, whose
/// features are uncorrelated with variances `spectrum`, and over labels' noise of the given variance: with P = X^+ X,
/// bias = ||(I - P) theta||^2 in the spectrum's norm and variance = s^2 tr(diag(spectrum) X^+ X^+') (Bartlett et al.
/// 2020, lemma 7; Hastie et al. 2022). No noise is drawn, so it scatters less than the risk of single draws: fourfold
/// for p near n.
///
/// X [n, p], spectrum [p] of at least 0, theta [p], all floating; in double on X's device. By the eigenvalues of the
/// smaller of X X' and X' X, of which those of at most max(n, p) 2^-52 times the largest count as 0: faster than a
/// singular value decomposition of X, and singular values below the root of that share count as 0. Throws Error for
/// other shapes, numbers that are not finite, and a negative variance.
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
  detail::require(noise_variance >= 0, "minimum_norm_risk: noise_variance", "at least 0", noise_variance);

  const bool wide = design.size(0) <= design.size(1);
  const auto [values, vectors] = at::linalg_eigh(wide ? design.matmul(design.t()) : design.t().matmul(design));
  const double rounding = static_cast<double>(std::max(X.size(0), X.size(1))) * detail::epsilon_of(at::kDouble);
  const at::Tensor inverse = values.reciprocal().masked_fill(values <= values.max() * rounding, 0);
  const at::Tensor gram_inverse = (vectors * inverse).matmul(vectors.t());
  at::Tensor kept;      // P theta
  at::Tensor variance;  // tr(diag(spectrum) X^+ X^+')
  if (wide) {           // X^+ = X' (X X')^+
    kept = design.t().matmul(gram_inverse.matmul(design.matmul(truth)));
    const at::Tensor inner = (design * variances).matmul(design.t());
    variance = (gram_inverse.matmul(inner) * gram_inverse).sum();
  } else {  // X^+ X^+' = (X' X)^+
    kept = gram_inverse.matmul(design.t().matmul(design.matmul(truth)));
    variance = (gram_inverse.diagonal() * variances).sum();
  }
  return {.bias = ((truth - kept).square() * variances).sum().item<double>(),
          .variance = noise_variance * variance.item<double>()};
}

}  // namespace regimen::inline v0
