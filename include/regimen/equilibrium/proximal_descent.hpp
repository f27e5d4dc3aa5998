#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/proximal_point.hpp"
#include "regimen/equilibrium/proximal_step.hpp"
#include "regimen/tensor/described.hpp"
#include "regimen/tensor/rounding.hpp"

namespace regimen::inline v0 {

namespace detail {

/// The state of a proximal descent: samples that have converged or are stuck stay where they are.
template <Proximable G, Smooth H>
class ProximalSearch {
 public:
  ProximalSearch(const G& g, const H& h, const at::Tensor& x_0, const ProximalDescent& how) : g_(g), h_(h), how_(how) {
    const at::TensorOptions doubles = x_0.options().dtype(at::kDouble).requires_grad(false);
    x_ = x_0.detach();
    step_ = at::full({x_0.size(0)}, how.step, doubles);
    at_.residual = at::full({x_0.size(0)}, INFINITY, doubles);
    halvings_ = at::zeros({x_0.size(0)}, doubles.dtype(at::kLong));
    at_.converged = at::zeros({x_0.size(0)}, doubles.dtype(at::kBool));
    stuck_ = at_.converged;
    at_.solver = "backtracking";
    at_.tolerance = how.tolerance;
    strength_ = at::full({}, how.strength, doubles);
    std::tie(now_, rounding_) = objective(x_);
    if (!now_.isfinite().all().template item<bool>()) {
      throw Error("proximal_descent takes a start where the objective is finite");
    }
    best_ = now_;
    trace_.push_back(now_);
    at_.history.push_back(INFINITY);
  }

  [[nodiscard]] ProximalPoint run() {
    while (at_.iterations < how_.iterations) {
      const at::Tensor open = (at_.converged | stuck_).logical_not();
      if (!open.any().item<bool>()) {
        break;
      }
      advance(open);
    }
    ProximalPoint point(at_, x_);
    point.objective = at::stack(trace_);
    point.step = step_;
    point.halvings = halvings_;
    point.stuck = stuck_;
    return point;
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
    const at::Tensor x = x_;
    const at::Tensor next = proximal_step(g_, h_, x, step_, strength_).detach();
    require_shape(next, x);
    const auto [value, rounding] = objective(next);
    const at::Tensor squares = inner_products(next - x, next - x);
    // Against the least so far and not the last value: what rounding allows then does not add up over the steps.
    const at::Tensor falls = value.le(best_ + rounding_ - squares * how_.decrease / step_);
    const at::Tensor taken = open & falls;
    const at::Tensor refused = open & falls.logical_not();
    const at::Tensor residual = squares.sqrt() / (norms_of(next) + 1e-12) * (how_.step / step_);
    at_.residual = at::where(taken, residual, at_.residual);
    at_.converged = at_.converged | (taken & residual.le(how_.tolerance));
    x_ = at::where(per_sample(taken, x), next, x);
    step_ = at::where(refused, step_ * how_.shrink, step_);
    halvings_ = halvings_ + refused.to(at::kLong);
    stuck_ = stuck_ | (refused & step_.lt(how_.step * smallest));
    now_ = at::where(taken, value, now_);
    rounding_ = at::where(taken, rounding, rounding_);
    best_ = at::minimum(best_, now_);
    trace_.push_back(now_);
    at_.history.push_back(at_.residual.max().item<double>());
    ++at_.evaluations;
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
  SolveReport at_;
  at::Tensor x_;
  at::Tensor step_, halvings_, stuck_;  // [N]
  at::Tensor strength_;
  at::Tensor now_, best_, rounding_;  // [N] double
  std::vector<at::Tensor> trace_;
};

}  // namespace detail

/// Proximal gradient descent on g(x) + lambda h(x) from x_0 [N, ...], with backtracking for each sample by itself, as
/// in ELDER (Zou, Liu, Wohlberg and Kamilov 2023): a step that does not lower the objective by gamma / tau |change|^2
/// is not taken, and tau of that sample is made smaller. So the objective never rises, whatever the first tau and for
/// an h that is not convex, but for rounding: it exceeds its least value so far by at most 25 roundings of the type of
/// x, 3e-6 of its size in float, 6e-15 in double. Without this allowance rounding would make tau smaller for ever near
/// the minimum.
///
/// Values are added up in double where g and h give them so. Each iteration costs a slope and a value of h. No graph is
/// built. Throws Error for settings out of their range, an empty batch, and an objective that is not finite at x_0.
///     const regimen::ProximalPoint point = regimen::proximal_descent(data, potential, y, {.strength = 0.05});
///     const at::Tensor restored = point.solution();
template <Proximable G, Smooth H>
[[nodiscard]] ProximalPoint proximal_descent(const G& g, const H& h, const at::Tensor& x_0,
                                             const ProximalDescent& how = {}) {
  how.check();
  detail::require_samples(x_0, "proximal_descent");
  const at::NoGradGuard no_grad;
  return detail::ProximalSearch<G, H>(g, h, x_0, how).run();
}

}  // namespace regimen::inline v0
