#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/base/integer.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/solve_report.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

/// Settings of `proximal_descent`.
struct ProximalDescent {
  double strength = 1;        ///< lambda of g + lambda h, at least 0 and finite
  double step = 1;            ///< tau of the first step, above 0 and finite
  double shrink = 0.5;        ///< times tau where the objective does not fall enough, in (0, 1)
  double decrease = 0.1;      ///< gamma: a step must lower the objective by gamma / tau |change|^2, in (0, 0.5]
  double tolerance = 1e-5;    ///< of |change| / |x| in a step, as of the first tau, above 0
  Integer iterations = 1000;  ///< at most, shrinkings included, at least 0

  void check() const {
    detail::require(strength >= 0 && std::isfinite(strength), "ProximalDescent.strength", "at least 0 and finite",
                    strength);
    detail::require(step > 0 && std::isfinite(step), "ProximalDescent.step", "above 0 and finite", step);
    detail::require(shrink > 0 && shrink < 1, "ProximalDescent.shrink", "in (0, 1)", shrink);
    detail::require(decrease > 0 && decrease <= 0.5, "ProximalDescent.decrease", "in (0, 0.5]", decrease);
    detail::require(tolerance > 0, "ProximalDescent.tolerance", "above 0", tolerance);
    detail::require(iterations >= 0, "ProximalDescent.iterations", "at least 0", iterations);
  }
};

/// Where `proximal_descent` has ended, and how.
struct ProximalPoint {
  at::Tensor last{};       ///< [N, ...]: the last iterate, whatever it is worth
  at::Tensor objective{};  ///< [iterations + 1, N] double: g + lambda h along the way
  at::Tensor step{};       ///< [N] double: tau at the end
  at::Tensor halvings{};   ///< [N] int64: how often tau was made smaller
  at::Tensor residual{};   ///< [N] double: |change| / |x| of the last step that was taken, times first over last tau
  at::Tensor converged{};  ///< [N] bool: whether it is within the tolerance
  at::Tensor stuck{};      ///< [N] bool: given up, because no step of any size lowers the objective
  double tolerance = 0;    ///< what the residuals were to reach
  std::int64_t iterations = 0;  ///< steps that were tried

  /// The minimum, [N, ...]. Throws Error unless every sample has converged.
  [[nodiscard]] const at::Tensor& solution() const {
    if (converged.all().item<bool>()) {
      return last;
    }
    const at::Tensor open = converged.logical_not();
    const auto count = [&](const at::Tensor& flags) { return detail::text(flags.sum().item<std::int64_t>()); };
    throw Error("proximal_descent: " + count(open) + " of " + detail::text(open.size(0)) +
                " samples have not converged in " + detail::text(iterations) + " iterations: the largest change is " +
                detail::rounded(residual.masked_select(open).max().item<double>()) + " of x, the tolerance " +
                detail::rounded(tolerance) + ". " +
                (stuck.any().item<bool>()
                     ? "For " + count(stuck) + " no step lowers the objective: slope must be the gradient of value"
                     : "Allow more iterations, or read last"));
  }
};

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

namespace detail {

/// The state of a proximal descent: samples that have converged or are stuck stay where they are.
template <Proximable G, Smooth H>
class ProximalSearch {
 public:
  ProximalSearch(const G& g, const H& h, const at::Tensor& x_0, const ProximalDescent& how) : g_(g), h_(h), how_(how) {
    const at::TensorOptions doubles = x_0.options().dtype(at::kDouble).requires_grad(false);
    at_.last = x_0.detach();
    at_.step = at::full({x_0.size(0)}, how.step, doubles);
    at_.residual = at::full({x_0.size(0)}, INFINITY, doubles);
    at_.halvings = at::zeros({x_0.size(0)}, doubles.dtype(at::kLong));
    at_.converged = at::zeros({x_0.size(0)}, doubles.dtype(at::kBool));
    at_.stuck = at_.converged;
    at_.tolerance = how.tolerance;
    strength_ = at::full({}, how.strength, doubles);
    std::tie(now_, rounding_) = objective(at_.last);
    if (!now_.isfinite().all().template item<bool>()) {
      throw Error("proximal_descent takes a start where the objective is finite");
    }
    best_ = now_;
    trace_.push_back(now_);
  }

  [[nodiscard]] ProximalPoint run() {
    while (at_.iterations < how_.iterations) {
      const at::Tensor open = (at_.converged | at_.stuck).logical_not();
      if (!open.any().item<bool>()) {
        break;
      }
      advance(open);
    }
    at_.objective = at::stack(trace_);
    return at_;
  }

 private:
  /// g + lambda h of each sample, [N] double, and how far rounding may have moved it.
  [[nodiscard]] std::pair<at::Tensor, at::Tensor> objective(const at::Tensor& x) const {
    const at::Tensor g = g_.value(x).detach().to(at::kDouble);
    const at::Tensor h = h_.value(x).detach().to(at::kDouble) * how_.strength;
    if (g.dim() != 1 || g.size(0) != x.size(0) || h.sizes() != g.sizes()) {
      throw Error("proximal_descent: value must be [N], but g's is " + described(g) + " and h's " + described(h));
    }
    return {g + h, (g.abs() + h.abs()) * (25 * epsilon_of(x.scalar_type()))};
  }

  void advance(const at::Tensor& open) {
    const at::Tensor& x = at_.last;
    const at::Tensor next = proximal_step(g_, h_, x, at_.step, strength_).detach();
    require_shape(next, x);
    const auto [value, rounding] = objective(next);
    const at::Tensor squares = inner_products(next - x, next - x);
    // Against the least so far and not the last value: what rounding allows then does not add up over the steps.
    const at::Tensor falls = value.le(best_ + rounding_ - squares * how_.decrease / at_.step);
    const at::Tensor taken = open & falls;
    const at::Tensor refused = open & falls.logical_not();
    const at::Tensor residual = squares.sqrt() / (norms_of(next) + 1e-12) * (how_.step / at_.step);
    at_.residual = at::where(taken, residual, at_.residual);
    at_.converged = at_.converged | (taken & residual.le(how_.tolerance));
    at_.last = at::where(per_sample(taken, x), next, x);
    at_.step = at::where(refused, at_.step * how_.shrink, at_.step);
    at_.halvings = at_.halvings + refused.to(at::kLong);
    at_.stuck = at_.stuck | (refused & at_.step.lt(how_.step * smallest));
    now_ = at::where(taken, value, now_);
    rounding_ = at::where(taken, rounding, rounding_);
    best_ = at::minimum(best_, now_);
    trace_.push_back(now_);
    ++at_.iterations;
  }

  static void require_shape(const at::Tensor& next, const at::Tensor& x) {
    if (next.sizes() != x.sizes() || next.scalar_type() != x.scalar_type()) {
      throw Error("proximal_descent: prox and slope must give back the shape and type of x, " + described(x) +
                  ", but a step gives " + described(next));
    }
  }

  static constexpr double smallest = 1e-12;  // times the first tau: below, no step will do

  const G& g_;
  const H& h_;
  ProximalDescent how_;
  ProximalPoint at_;
  at::Tensor strength_;
  at::Tensor now_, best_, rounding_;  // [N] double
  std::vector<at::Tensor> trace_;
};

}  // namespace detail

/// Proximal gradient descent on g(x) + lambda h(x) from x_0 [N, ...], with backtracking for each sample by itself, as
/// in ELDER (Zou, Liu, Wohlberg and Kamilov 2023): a step that does not lower the objective by gamma / tau |change|^2
/// is not taken, and tau of that sample is made smaller. So the objective never rises, whatever the first tau and for
/// an h that is not convex, beyond 25 roundings of the type of x below its least value so far: 3e-6 of its size in
/// float, 6e-15 in double. Without this allowance rounding would make tau smaller for ever near the minimum.
///
/// Values are added up in double where g and h give them so. Each iteration costs a slope and a value of h. No graph is
/// built. Throws Error for settings out of their range, an empty batch, and an objective that is not finite at x_0.
///     const regimen::ProximalPoint point = regimen::proximal_descent(data, potential, y, {.strength = 0.05, .step =
///     8}); const at::Tensor restored = point.solution();
template <Proximable G, Smooth H>
[[nodiscard]] ProximalPoint proximal_descent(const G& g, const H& h, const at::Tensor& x_0,
                                             const ProximalDescent& how = {}) {
  how.check();
  detail::require_samples(x_0, "proximal_descent");
  const at::NoGradGuard no_grad;
  return detail::ProximalSearch<G, H>(g, h, x_0, how).run();
}

}  // namespace regimen::inline v0
