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
#include <variant>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/anderson.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/conjugate_gradient.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/equilibrium_options.hpp"
#include "regimen/equilibrium/fixed_point.hpp"
#include "regimen/equilibrium/picard.hpp"
#include "regimen/equilibrium/solve_report.hpp"

namespace regimen::inline v0::detail {

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

}  // namespace regimen::inline v0::detail
