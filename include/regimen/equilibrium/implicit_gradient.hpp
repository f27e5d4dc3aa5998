#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>
#include <utility>
#include <variant>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/conjugate_gradient.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/fixed_point.hpp"
#include "regimen/equilibrium/solve_report.hpp"

namespace regimen::inline v0 {

/// The gradient through T alone, applied once at the solution, as if the solution before it were a constant: no
/// backward solve. Poor where the spectral radius is near 1: for a trained regularizer of ELDER's kind its cosine with
/// the true gradient was measured to be .21, for an untrained one .93.
struct OneStep {
  void check() const {}
};

/// How the linear system of a backward pass is solved. `ConjugateGradient` is for maps whose Jacobian is symmetric, as
/// that of a gradient step is; where I - J is not positive definite, Anderson's solver takes over.
using BackwardSolver = std::variant<Anderson, Picard, ConjugateGradient, OneStep>;

/// How `equilibrium` solves forwards and backwards.
struct EquilibriumOptions {
  FixedPointSolver forward = Anderson{};
  BackwardSolver backward = Anderson{};  ///< its `check_stability` is ignored: a linear system has one solution
  bool accept_failure = false;  ///< whether solves that do not succeed, or end at an unstable point, are used all the
                                ///< same, and left to the caller to look at in the reports; else they are an Error
};

/// A fixed point that can be differentiated.
struct Equilibrium {
  at::Tensor x{};                           ///< [N, ...]: T of the fixed point that was found, with a graph
  SolveReport forward{};                    ///< of the forward solve
  std::shared_ptr<SolveReport> backward{};  ///< of the last backward pass through x; before it `solver` is empty
};

namespace detail {

/// What a backward pass needs: the graph of y = T(x) at the solution x, which is a leaf.
struct ImplicitState : torch::CustomClassHolder {
  at::Tensor x, y;
  EquilibriumOptions how;
  std::shared_ptr<SolveReport> report;

  /// The transposed Jacobian of T times w.
  [[nodiscard]] at::Tensor pulled_back(const at::Tensor& w) const {
    const at::Tensor product = torch::autograd::grad({y}, {x}, {w}, /*retain_graph=*/true, /*create_graph=*/false,
                                                     /*allow_unused=*/true)[0];
    return product.defined() ? product : at::zeros_like(w);
  }

  /// w = v + J' w.
  [[nodiscard]] at::Tensor solved_backwards(const at::Tensor& v) const {
    // Of samples whose gradients have length 1, so that `floor` is small beside them.
    const at::Tensor length = norms_of(v);
    const at::Tensor scale = per_sample(at::where(length.gt(0), length, at::ones_like(length)), v);
    const at::Tensor right = v / scale;
    const SelfMap map = [&](const at::Tensor& w) { return right + pulled_back(w); };
    const auto by = [&](const auto& solver) {
      const FixedPoint point = solved(map, right, solver);
      *report = point;
      return point.last();
    };
    const auto by_conjugate_gradient = [&](const ConjugateGradient& solver) {
      const LinearSolution u =
          conjugate_gradient([&](const at::Tensor& p) { return p - pulled_back(p); }, right, solver);
      if (u.succeeded()) {
        *report = u;
        return u.last();
      }
      const at::Tensor w = by(Anderson{.tolerance = solver.tolerance, .iterations = solver.iterations});
      report->evaluations += u.evaluations;
      return w;
    };
    const at::Tensor w = std::holds_alternative<ConjugateGradient>(how.backward)
                             ? by_conjugate_gradient(std::get<ConjugateGradient>(how.backward))
                         : std::holds_alternative<Picard>(how.backward) ? by(std::get<Picard>(how.backward))
                                                                        : by(std::get<Anderson>(how.backward));
    if (!how.accept_failure) {
      report->require_success("the backward solve of equilibrium", "Allow more iterations, or another solver");
    }
    return w * scale;
  }
};

/// The identity forwards; backwards the solution of the linear system.
struct ImplicitGradient : torch::autograd::Function<ImplicitGradient> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& y,
                            const c10::intrusive_ptr<ImplicitState>& state) {
    context->saved_data["state"] = c10::IValue::make_capsule(state);
    return y.clone();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    if (at::GradMode::is_enabled()) {
      throw Error("equilibrium can be differentiated once: its backward pass has no graph (create_graph)");
    }
    const auto state = c10::static_intrusive_pointer_cast<ImplicitState>(context->saved_data["state"].toCapsule());
    return {state->solved_backwards(gradients[0]), at::Tensor()};
  }
};

}  // namespace detail

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
  const at::Tensor& x = how.accept_failure ? point.last() : point.solution();
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
  const auto state = c10::make_intrusive<detail::ImplicitState>();
  state->x = leaf;
  state->y = y;
  state->how = how;
  state->report = result.backward;
  result.x = detail::ImplicitGradient::apply(y, state);
  return result;
}

}  // namespace regimen::inline v0
