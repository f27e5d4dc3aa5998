#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <memory>
#include <variant>

#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/detail/backward_solve.hpp"
#include "regimen/equilibrium/equilibrium_options.hpp"
#include "regimen/equilibrium/fixed_point.hpp"
#include "regimen/equilibrium/solve_report.hpp"

namespace regimen::inline v0 {

/// A fixed point that can be differentiated.
struct Equilibrium {
  at::Tensor x{};                           ///< [N, ...]: T of the fixed point that was found, with a graph
  SolveReport forward{};                    ///< of the forward solve
  std::shared_ptr<SolveReport> backward{};  ///< of the last backward pass through x; before it `solver` is empty
};

/// The fixed point x = T(x) as a function of all that T depends on: parameters, data, a learned strength. From x_0
/// [N, ...], on which the result does not depend. A backward pass turns the gradient v by x into w = v + J' w, where J
/// is T's Jacobian by x, and sends w through one evaluation of T (implicit differentiation; Bai, Kolter and Koltun
/// 2019). Its memory is that of this one evaluation, however many iterations the solve took.
///
/// The gradient is as exact as both solves: where the spectral radius is near 1, a forward tolerance of 1e-3 may leave
/// a gradient that points elsewhere. A solve that fails is an Error, in the backward pass too (see `accept_failure`).
/// With gradients switched off x has no graph. It can be differentiated once; a second derivative is an Error.
///     const regimen::Equilibrium restored = regimen::equilibrium(T, y);
///     (restored.x - truth).square().mean().backward();
///     restored.backward->evaluations;
[[nodiscard]] inline Equilibrium equilibrium(const SelfMap& map, const at::Tensor& x_0,
                                             const EquilibriumOptions& how = {}) {
  std::visit([](const auto& solver) { solver.check(); }, how.backward);
  const FixedPoint point = fixed_point(map, x_0, how.forward);
  const at::Tensor x = how.accept_failure ? point.last() : point.solution();
  Equilibrium result{.forward = point, .backward = std::make_shared<SolveReport>()};
  if (!at::GradMode::is_enabled()) {
    result.x = detail::applied(map, x, "equilibrium").detach();
    return result;
  }
  const bool solves = !std::holds_alternative<OneStep>(how.backward);
  const at::Tensor leaf = solves ? x.detach().clone().requires_grad_() : x;
  const at::Tensor y = detail::applied(map, leaf, "equilibrium");
  if (!solves || !y.requires_grad()) {
    result.x = y;
    return result;
  }
  const auto state = std::make_shared<detail::ImplicitState>();
  state->x = leaf;
  state->y = y;
  state->how = how;
  state->report = result.backward;
  result.x = detail::with_implicit_gradient(state);
  return result;
}

}  // namespace regimen::inline v0
