#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

#include <cstdint>
#include <numbers>

#include "regimen/key/key.hpp"

/// Draws from gamma and beta distributions as functions of a key. Every draw takes the same operations, so that a step
/// with them can be recorded.
namespace regimen::inline v0::detail {

inline constexpr std::int64_t gamma_rounds = 8;

/// Logarithms of draws from the gamma distribution of this shape and scale 1, [N] double; shape 0-d double, above 0.
///
/// Marsaglia and Tsang's rejection (2000) for shape + 1, then a factor U^(1 / shape). The first accepted one of
/// `gamma_rounds` proposals is taken. Each is accepted with a probability above 0.95, so less than one draw in 2 *
/// 10^10 has none; it becomes shape + 2/3, near the middle. Uniforms have 24 bits and all is computed in double, so
/// devices agree about what is accepted.
inline at::Tensor log_gamma_draws(const Key& key, const at::Tensor& shape) {
  const at::Tensor open = 1 - key.uniform({3 * gamma_rounds + 1}).to(at::kDouble);  // in (0, 1]
  const at::Tensor log_u = open.log();
  const auto each = [&](std::int64_t i) { return log_u.narrow(1, i * gamma_rounds, gamma_rounds); };
  const at::Tensor angle = open.narrow(1, gamma_rounds, gamma_rounds) * (2 * std::numbers::pi);
  const at::Tensor normal = (-2 * each(0)).sqrt() * angle.cos();

  const at::Tensor d = shape + 2.0 / 3;
  const at::Tensor root = 1 + normal / (9 * d).sqrt();
  const at::Tensor positive = root > 0;
  const at::Tensor log_v = 3 * at::where(positive, root, root * 0 + 1).log();
  const at::Tensor bound = 0.5 * normal.square() + d - d * log_v.exp() + d * log_v;
  const at::Tensor accepted = positive.logical_and(each(2) < bound);
  const at::Tensor first = accepted.logical_and(accepted.cumsum(1) == 1);
  const at::Tensor log_of_first = (log_v * first).sum(1);
  return d.log() + log_of_first + log_u.select(1, 3 * gamma_rounds) / shape;
}

/// Draws from the beta distribution with two equal shapes, [N] double in [0, 1]; shape 0-d double, above 0. Computed
/// from logarithms, since for a shape near 0 both gamma draws would underflow to 0.
inline at::Tensor beta_draws(const Key& key, const at::Tensor& shape) {
  return (log_gamma_draws(key.fold(0), shape) - log_gamma_draws(key.fold(1), shape)).sigmoid();
}

}  // namespace regimen::inline v0::detail
