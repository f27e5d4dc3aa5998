#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/where.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "regimen/base/error.hpp"
#include "regimen/equilibrium/anderson.hpp"
#include "regimen/equilibrium/concept.hpp"
#include "regimen/equilibrium/detail/anderson_step.hpp"
#include "regimen/equilibrium/detail/as_vectors.hpp"
#include "regimen/equilibrium/picard.hpp"
#include "regimen/equilibrium/solve_report.hpp"
#include "regimen/equilibrium/spectral_radius.hpp"

namespace regimen::inline v0 {

/// How `fixed_point` iterates.
using FixedPointSolver = std::variant<Anderson, Picard>;

/// Where `fixed_point` has ended, and how: see `SolveReport`. `residual` is that of this iterate.
class FixedPoint : public SolveReport {
 public:
  FixedPoint(SolveReport report, at::Tensor last) : SolveReport(std::move(report)), last_(std::move(last)) {}

  /// The fixed point, [N, ...] without a graph. Throws Error, with numbers and a cure, unless every sample has
  /// converged, and to a stable point where that was asked for.
  [[nodiscard]] at::Tensor solution() const {
    require_success("fixed_point", "Allow more iterations, make the step in T or `mixing` smaller, or read last()");
    return last_;
  }

  /// The last iterate, whatever it is worth.
  [[nodiscard]] at::Tensor last() const { return last_; }

 private:
  at::Tensor last_;
};

namespace detail {

/// The loop of both solvers: `next(x, y)` gives the iterate after x, where y = T(x). Samples that have converged, and
/// those that are no longer finite, stay where they are.
template <class Solver, class Next>
FixedPoint iterated(const SelfMap& map, const at::Tensor& x_0, const Solver& how, SolveReport report, Next&& next) {
  const at::NoGradGuard no_grad;
  at::Tensor x = x_0.detach();
  report.tolerance = how.tolerance;
  for (;;) {
    const at::Tensor y = applied(map, x, "fixed_point");
    ++report.evaluations;
    report.residual = norms_of(y - x) / (norms_of(y) + how.floor);
    report.converged = report.residual.le(how.tolerance);
    report.history.push_back(report.residual.max().item<double>());
    const at::Tensor open = report.converged.logical_not() & report.residual.isfinite();
    if (report.iterations >= how.iterations || !open.any().item<bool>()) {
      return FixedPoint(std::move(report), x);
    }
    x = at::where(per_sample(open, x), next(x, y), x);
    ++report.iterations;
  }
}

inline FixedPoint solved(const SelfMap& map, const at::Tensor& x_0, const Picard& how) {
  return iterated(map, x_0, how, {.solver = "Picard"}, [&how](const at::Tensor& x, const at::Tensor& y) {
    return how.mixing == 1 ? y : x + (y - x) * how.mixing;
  });
}

inline FixedPoint solved(const SelfMap& map, const at::Tensor& x_0, const Anderson& how) {
  return iterated(map, x_0, how, {.solver = "Anderson"}, AndersonStep(how, x_0));
}

}  // namespace detail

/// A solution of x = T(x) for each sample of a batch, from x_0 [N, ...], floating. A sample has converged where
/// |T(x) - x| / (|T(x)| + floor) is within the tolerance; the iteration ends when all have, or at the limit. No graph
/// is built, though T may use autograd inside; `equilibrium` gives solutions that can be differentiated.
///
/// A residual within the tolerance does not say that the iteration would stay there: Anderson's solver also finds fixed
/// points that repel it, such as those of gradient steps that are too long, and by default looks at the spectral radius
/// of T's Jacobian at the end (`stable`). Throws Error for settings out of their range, an empty batch, and a T that
/// changes shape or type.
///     const regimen::FixedPoint point = regimen::fixed_point(T, x_0, regimen::Anderson{.tolerance = 1e-6});
///     const at::Tensor x = point.solution();   // or an Error that says how far it came
[[nodiscard]] inline FixedPoint fixed_point(const SelfMap& map, const at::Tensor& x_0,
                                            const FixedPointSolver& solver = Anderson{}) {
  detail::require_samples(x_0, "fixed_point");
  return std::visit(
      [&](const auto& how) {
        how.check();
        FixedPoint point = detail::solved(map, x_0, how);
        if (how.check_stability && point.converged.any().template item<bool>()) {
          const SpectralRadius found = spectral_radius(map, point.last());
          point.radius = found.value;
          point.stable = found.stable();
        }
        return point;
      },
      solver);
}

}  // namespace regimen::inline v0
