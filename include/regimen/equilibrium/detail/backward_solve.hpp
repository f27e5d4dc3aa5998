#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

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
struct ImplicitState {
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

/// A copy of y = T(x) through which a backward pass solves the linear system. A hook, and no torch::autograd::Function:
/// g++ 14 at -O3 warns of an array bound inside LibTorch's Function::apply, in the user's build.
inline at::Tensor with_implicit_gradient(const std::shared_ptr<const ImplicitState>& state) {
  const at::Tensor x = state->y.clone();
  x.register_hook([state](const at::Tensor& gradient) {
    if (at::GradMode::is_enabled()) {
      throw Error("equilibrium can be differentiated once: its backward pass has no graph (create_graph)");
    }
    return gradient.defined() ? state->solved_backwards(gradient) : gradient;
  });
  return x;
}

}  // namespace regimen::inline v0::detail
