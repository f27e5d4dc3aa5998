#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/where.h>

#include <cstdint>
#include <numbers>

#include "regimen/key/key.hpp"

/// Draws from the gamma and the beta distribution that are functions of a key, and the same number of operations for
/// every draw, so that a step which makes them can be recorded.
namespace regimen::inline v0::detail {

inline constexpr std::int64_t gamma_rounds = 8;

/// [N] double: logarithms of draws from the gamma distribution of this shape and scale 1; shape 0-d double, above 0.
///
/// Marsaglia and Tsang's rejection (2000) for shape + 1, brought down to shape by a factor U^(1 / shape);
/// `gamma_rounds` proposals are made and the first that is accepted counts. Each is with a probability above 0.95, so
/// that for less than one draw in 2 * 10^10 none is: such a one becomes shape + 2/3, near the middle. The uniforms have
/// 24 bits, and all is in double, so that devices agree about what is accepted.
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

/// [N] double in [0, 1]: draws from the beta distribution of two equal shapes, 0-d double, above 0. In logarithms, or
/// for shapes near 0, where both gammas are next to nothing, there would be nothing left to divide.
inline at::Tensor beta_draws(const Key& key, const at::Tensor& shape) {
  return (log_gamma_draws(key.fold(0), shape) - log_gamma_draws(key.fold(1), shape)).sigmoid();
}

}  // namespace regimen::inline v0::detail
