#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/diag_embed.h>
#include <ATen/ops/linalg_eigh.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

#include "regimen/base/error.hpp"
#include "regimen/networks/two_layer.hpp"
#include "regimen/tensor/described.hpp"

namespace regimen::inline v0::networks {

/// Gauss-Hermite quadrature for a standard normal g: E[f(g)] is the sum of weights * f(points), exact for polynomials
/// of degree below twice the number of points.
struct NormalQuadrature {
  at::Tensor points{};   ///< [n] double
  at::Tensor weights{};  ///< [n] double, sums to 1
};

/// The rule of n points, from the eigenvalues of Hermite's recurrence (Golub and Welsch 1969). Throws Error unless n >=
/// 1.
[[nodiscard]] inline NormalQuadrature normal_quadrature(std::int64_t n) {
  detail::require(n >= 1, "normal_quadrature: n", "at least 1", n);
  const at::Tensor beside = at::arange(1, n, at::kDouble).sqrt();
  const auto [points, vectors] = at::linalg_eigh(at::diag_embed(beside, 1) + at::diag_embed(beside, -1));
  return {points, vectors.select(0, 0).square()};
}

/// The tangent kernel of a `TwoLayer` of infinite width at its random start, [n, n] double, for inputs [n, d]:
/// (X X') o E[phi'(X g) phi'(X g)'] with g standard normal (Li, Soltanolkotabi and Oymak 2020, definition 1.3, where X
/// are the centres of clusters, and its least eigenvalue is lambda(C)). The kernel J J' of a network of finite width at
/// its start tends to it.
///
/// relu in closed form (Cho and Saul 2009); the others by quadrature in two dimensions, whose error is below 1e-9 for
/// inputs of norm 1 and grows with the norm. Throws Error unless the inputs are [n, d] without a row of zeros.
[[nodiscard]] inline at::Tensor expected_tangent_kernel(const at::Tensor& inputs, Activation activation) {
  if (!inputs.defined() || inputs.dim() != 2) {
    throw Error("expected_tangent_kernel takes inputs of [n, d], not " + detail::described(inputs));
  }
  const at::Tensor x = inputs.detach().to(at::kCPU, at::kDouble);
  const at::Tensor products = x.matmul(x.t());
  const at::Tensor norm = products.diagonal().sqrt();
  detail::require(norm.numel() == 0 || norm.min().item<double>() > 0, "expected_tangent_kernel: the norm of an input",
                  "above 0", 0);
  const at::Tensor cosine = (products / norm.unsqueeze(1) / norm).clamp(-1, 1).fill_diagonal_(1);
  if (activation == Activation::relu) {
    return products * (std::numbers::pi - cosine.acos()) / (2 * std::numbers::pi);
  }
  // x_i . g = |x_i| a and x_j . g = |x_j| (c a + sqrt(1 - c^2) b) with independent a and b.
  const NormalQuadrature rule = normal_quadrature(64);
  const at::Tensor first = activation_slope(norm.unsqueeze(1) * rule.points, activation) * rule.weights;
  at::Tensor expected = at::zeros_like(products);
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    const at::Tensor c = cosine.select(0, i).view({-1, 1, 1});
    const at::Tensor mixed = c * rule.points.view({-1, 1}) + (1 - c * c).sqrt() * rule.points;
    const at::Tensor second =
        activation_slope(norm.view({-1, 1, 1}) * mixed, activation).matmul(rule.weights);  // [n, points]
    expected.select(0, i).copy_(second.matmul(first.select(0, i)));
  }
  return products * (expected + expected.t()) / 2;
}

}  // namespace regimen::inline v0::networks
