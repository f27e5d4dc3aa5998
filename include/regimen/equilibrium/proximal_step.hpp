#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/scalar_tensor.h>

#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"

namespace regimen::inline v0 {

/// One step of proximal gradient descent on g + strength * h: prox of tau g at x - tau strength slope(x), for tau and
/// strength 0-d or [N]. It can be differentiated by x, tau, strength and what g and h depend on; as the map of
/// `equilibrium`, its fixed points are the stationary points of g + strength * h, for any tau.
template <Proximable G, Smooth H>
[[nodiscard]] at::Tensor proximal_step(const G& g, const H& h, const at::Tensor& x, const at::Tensor& tau,
                                       const at::Tensor& strength) {
  const at::Tensor rate = tau * strength;
  const at::Tensor slope = h.slope(x);
  return g.prox(x - (rate.dim() == 0 ? rate.to(x.device(), x.scalar_type()) : detail::per_sample(rate, x)) * slope,
                tau);
}

/// A step with numbers for tau and strength, where neither is learned nor differs between samples.
template <Proximable G, Smooth H>
[[nodiscard]] at::Tensor proximal_step(const G& g, const H& h, const at::Tensor& x, double tau, double strength) {
  return proximal_step(g, h, x, at::scalar_tensor(tau, at::kDouble), at::scalar_tensor(strength, at::kDouble));
}

}  // namespace regimen::inline v0
